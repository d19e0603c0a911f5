import { faultsIn } from '../../test/servers/faults-in'
/** Bodies that never end, that come from another site, or that break off. The server refuses them early, and keeps nothing of them. */
import { expect, test } from '../../test/fixtures/server-test'
import { readHistory } from '../../test/readers/read-history'
import { codeOf } from '../../test/requests/publish'
import { asPublisher } from '../../test/requests/publisher'
import { openRequest, sendRequest } from '../../test/requests/send-request'

const ndjson = { 'content-type': 'application/x-ndjson' }

for (const { refusal, headers, limit } of [
  { refusal: 'event-too-large', headers: {}, limit: 64 * 1024 },
  { refusal: 'body-too-large', headers: ndjson, limit: 8 * 1024 * 1024 },
]) {
  test(`A body without an end is refused with ${refusal} while it arrives`, async ({ server }) => {
    const { request, answer } = openRequest(server.url, '/events/endless', {
      method: 'POST',
      headers: { ...asPublisher, ...headers },
    })
    const chunk = Buffer.alloc(32 * 1024, '1\n')
    let sent = 0
    const send = (): void => {
      if (request.destroyed || sent > 4 * limit + 1024 * 1024) return
      sent += chunk.length
      // No faster than it is read: a client that floods may find the connection reset before it has read the answer.
      request.write(chunk, () => setTimeout(send, 2))
    }
    send()

    const answered = await answer
    request.destroy()

    expect(codeOf(answered)).toBe(refusal)
    expect(answered.headers.connection).toBe('close')
    expect(await readHistory(server.url, 'endless')).toEqual([])
  })
}

for (const headers of [
  { 'sec-fetch-site': 'cross-site' },
  { origin: 'https://evil.example' },
] as Record<string, string>[]) {
  test(`${Object.keys(headers).join('')} of another site is refused before its body`, async ({
    server,
  }) => {
    const { request, answer } = openRequest(server.url, '/events/foreign', {
      method: 'POST',
      headers: { ...headers, 'content-length': '100' },
    })
    request.flushHeaders()

    const answered = await answer
    request.destroy()

    expect(answered.status).toBe(403)
    expect(codeOf(answered)).toBe('cross-site')
  })
}

test('A client that goes away in the middle of its upload leaves nothing', async ({ start }) => {
  const server = await start()

  await Promise.all(
    [{ 'content-length': '1000' }, { 'transfer-encoding': 'chunked' }].flatMap((headers) =>
      [{}, ndjson].map(async (type) => {
        const { request, answer } = openRequest(server.url, '/events/aborted', {
          method: 'POST',
          headers: { ...asPublisher, ...headers, ...type },
        })
        await new Promise((resolve) => request.write('1\n2\n3\n', resolve))
        request.destroy()
        await expect(answer).rejects.toThrow('socket hang up')
      }),
    ),
  )

  expect(await readHistory(server.url, 'aborted')).toEqual([])
  expect(faultsIn(server.output())).toEqual([])
})

test('A reader that sends a body along is noticed when it leaves, like any other', async ({
  server,
}) => {
  const body = 'x'.repeat(300_000)

  const answer = await sendRequest(server.url, '/events/news', { body })

  expect(answer.status).toBe(200)
  await expect.poll(server.openStreams).toBe(0)
})
