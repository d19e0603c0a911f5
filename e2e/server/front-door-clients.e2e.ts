/** Who a client is, and what it has used up, is the same whether the front door answers it or Next. */
import { expect, isTaken, test } from '../../test/fixtures/door-test'
import { createStreamReader, type StreamReader } from '../../test/readers/stream-reader'
import { codeOf } from '../../test/requests/publish'
import { sendRequest, type Answer } from '../../test/requests/send-request'

/** The same topic: the door takes the one path, and leaves the other to Next. */
const paths = { door: '/events/news', next: '/events/%6eews' }

const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address })

async function open(
  url: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<StreamReader> {
  const reader = createStreamReader({ headers })
  void reader.connect(url + path)
  await reader.until(({ type }) => type === 'connected')
  return reader
}

/** Asks for a stream both ways. */
async function isRefused(url: string, headers: Record<string, string> = {}): Promise<boolean[]> {
  const answers: Answer[] = []
  for (const path of Object.values(paths)) answers.push(await sendRequest(url, path, { headers }))
  expect(answers.map(({ headers: answered }) => isTaken(answered))).toEqual([true, false])
  return answers.map(({ body }) => body.includes('"reason":"too-many-streams"'))
}

test('Streams of a client count together, by the door and through Next', async ({
  startServed,
}) => {
  const { url, openStreams } = await startServed({ env: { LIMIT_STREAMS: '3' } })
  const readers = [await open(url, paths.door), await open(url, paths.next)]
  expect(await isRefused(url)).toEqual([false, false])
  await expect.poll(openStreams).toBe(2)

  readers.push(await open(url, paths.door))

  expect(await isRefused(url)).toEqual([true, true])
  expect(await isRefused(url, from('192.0.2.1'))).toEqual([true, true])
  for (const reader of readers) reader.disconnect()
  await expect.poll(openStreams).toBe(0)
  expect(await isRefused(url)).toEqual([false, false])
})

test('Behind a proxy of ours, a client is who the proxy says, by the door and through Next', async ({
  startServed,
}) => {
  const { url, openStreams } = await startServed({ env: { LIMIT_STREAMS: '2', TRUST_PROXY: '1' } })
  const readers = [
    await open(url, paths.door, from('192.0.2.1')),
    await open(url, paths.next, from('198.51.100.7, 192.0.2.1')),
  ]

  expect(await isRefused(url, from('192.0.2.1'))).toEqual([true, true])
  expect(await isRefused(url, from('192.0.2.2'))).toEqual([false, false])
  expect(await isRefused(url, from('192.0.2.1, 192.0.2.3'))).toEqual([false, false])
  for (const reader of readers) reader.disconnect()
  await expect.poll(openStreams).toBe(0)
})

for (const [trusted, believed] of [
  ['0', false],
  ['1', true],
] as const) {
  test(`With TRUST_PROXY=${trusted}, an address that comes along ${believed ? 'counts' : 'counts for nothing'}, by the door and through Next`, async ({
    startServed,
  }) => {
    const { url } = await startServed({ env: { LIMIT_PUBLISH: '4', TRUST_PROXY: trusted } })
    const tryWithoutToken = async (path: string, address: string): Promise<unknown> =>
      codeOf(
        await sendRequest(url, path, { method: 'POST', headers: from(address), body: 'hello' }),
      )

    const codes: unknown[] = []
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
      codes.push(await tryWithoutToken(paths.door, address))
      codes.push(await tryWithoutToken(paths.next, address))
    }

    const free = 'token-required'
    const over = believed ? free : 'too-many-publishes'
    expect(codes).toEqual([free, free, free, free, over, over])
  })
}
