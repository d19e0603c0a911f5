/** Bodies on their way: however many there are, the process holds so much of them and no more. */
import type { ClientRequest } from 'node:http'
import { asPublisher } from '../../test/requests/publisher'
import { openRequest, sendRequest, type Answer } from '../../test/requests/send-request'
import { expect, test } from '../../test/fixtures/server-test'

const mebibyte = 1024 * 1024
const headers = { ...asPublisher, 'content-type': 'application/x-ndjson' }
const line = `"${'x'.repeat(64_000)}"\n`
/** A little below what a body may have. */
const lines = Math.floor((8 * mebibyte) / line.length)

interface Upload {
  request: ClientRequest
  answer: Promise<Answer | 'cut'>
}

/** Sends all of a large body but its end. Resolves when it is on its way, or was refused. */
async function beginUpload(url: string): Promise<Upload> {
  const { request, answer } = openRequest(url, '/events/bulk', {
    method: 'POST',
    headers,
    timeoutMs: 60_000,
  })
  const answered = answer.catch(() => 'cut' as const)
  for (let n = 0; n < lines; n++) {
    if (request.write(line)) continue
    const drained = new Promise((resolve) => request.once('drain', resolve))
    if ((await Promise.race([drained, answered])) !== undefined) break
  }
  return { request, answer: answered }
}

function publishOne(url: string): Promise<Answer> {
  return sendRequest(url, '/events/single', { method: 'POST', headers: asPublisher, body: 'hello' })
}

test('However many large uploads are under way, memory is bounded, and single events get through', async ({
  start,
}) => {
  const server = await start()
  await publishOne(server.url)
  const before = await server.metric('process_resident_memory_bytes')
  let peak = before

  const beginning = Promise.all(Array.from({ length: 60 }, () => beginUpload(server.url)))
  const singles: number[] = []
  let uploads: Upload[] | undefined
  while (!uploads) {
    singles.push((await publishOne(server.url)).status)
    peak = Math.max(peak, await server.metric('process_resident_memory_bytes'))
    uploads = await Promise.race([beginning, Promise.resolve(undefined)])
  }
  singles.push(
    ...(await Promise.all(
      Array.from({ length: 20 }, async () => (await publishOne(server.url)).status),
    )),
  )
  for (const { request } of uploads) request.end()
  const answers = await Promise.all(uploads.map(({ answer }) => answer))

  const seen = answers.filter((answer) => answer !== 'cut')
  const refused = seen.filter(({ status }) => status === 503)
  const taken = seen.filter(({ status }) => status === 201)
  expect((peak - before) / mebibyte).toBeLessThan(250)
  // The others were cut: a client that goes on sending may lose the answer.
  expect(refused.length).toBeGreaterThan(10)
  expect(taken.length).toBeGreaterThan(0)
  for (const answer of refused) {
    expect(answer.headers).toMatchObject({ 'retry-after': '1', connection: 'close' })
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'busy' })
  }
  expect(new Set(singles)).toEqual(new Set([201]))
})

test('However uploads end, what they held is given back', async ({ start }) => {
  const server = await start({ env: { HEARTBEAT: '500ms', STALL: '1500ms' } })
  const publishMany = (): Promise<Answer> =>
    sendRequest(server.url, '/events/bulk', {
      method: 'POST',
      headers,
      body: line.repeat(lines),
    })
  expect((await publishMany()).status).toBe(201)

  for (let round = 0; round < 4; round++) {
    // Given up by their clients, half of them; stalled, the others.
    const uploads = await Promise.all(Array.from({ length: 4 }, () => beginUpload(server.url)))
    for (const { request } of uploads.slice(0, 2)) request.destroy()
    await Promise.all(uploads.map(({ answer }) => answer))
    // Refused for what is in them.
    for (const body of [`${line.repeat(lines)}x`, line.repeat(lines + 2), '1\n'.repeat(20_000)]) {
      const { status } = await sendRequest(server.url, '/events/bulk', {
        method: 'POST',
        headers,
        body,
      }).catch(() => ({ status: 413 }))
      expect([400, 413]).toContain(status)
    }
  }

  // A server notices a moment after its client that an upload has ended.
  await expect(async () => {
    for (let n = 0; n < 3; n++) {
      const together = await Promise.all([publishMany(), publishMany()])
      expect(together.map(({ status }) => status)).toEqual([201, 201])
    }
  }).toPass({ timeout: 20_000 })
})
