/** The limits of one client, which requests count as one client, and what happens to a client that is slow. */
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { asPublisher } from '../../test/requests/publisher'
import { openRequest, sendRequest, type Answer } from '../../test/requests/send-request'
import { expect, test } from '../../test/fixtures/server-test'
import { createStreamReader, type StreamReader } from '../../test/readers/stream-reader'

function read(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  return sendRequest(url, '/events/news', { headers })
}

function isRefused({ status, body }: Answer): boolean {
  expect(status).toBe(200)
  return body.includes('event: reconnect') && body.includes('"reason":"too-many-streams"')
}

async function openStreams(url: string, count: number): Promise<StreamReader[]> {
  const readers = Array.from({ length: count }, () => createStreamReader())
  for (const reader of readers) {
    void reader.connect(`${url}/events/news`)
    await reader.until(({ type }) => type === 'connected')
  }
  return readers
}

test('A client has so many streams at once; one that ends makes room', async ({ start }) => {
  const server = await start({ env: { LIMIT_STREAMS: '3' } })
  const readers = await openStreams(server.url, 3)

  const refused = await read(server.url)
  const greetings = await sendRequest(server.url, '/events')
  readers[0]?.disconnect()
  await expect.poll(server.openStreams).toBe(2)
  const taken = await read(server.url)

  expect(isRefused(refused)).toBe(true)
  expect(refused.body).toMatch(/^:\nevent: reconnect\nretry: \d+\n/)
  expect(isRefused(greetings)).toBe(true)
  expect(isRefused(taken)).toBe(false)
  for (const reader of readers) reader.disconnect()
})

test('However streams end, they no longer count', async ({ start }) => {
  const server = await start({ env: { LIMIT_STREAMS: '2' } })

  for (const path of ['/events/news', '/events?lastEventId=hello.2', '/events/news?last=5']) {
    for (let n = 0; n < 5; n++) {
      const { request, answer } = openRequest(server.url, path)
      request.flushHeaders()
      // Gone before the answer, or in the middle of it.
      if (n % 2 === 0)
        request.once('socket', (socket: Socket) => socket.once('ready', () => request.destroy()))
      await answer.catch(() => {})
      request.destroy()
      await sendRequest(server.url, path, { method: 'HEAD' })
      await expect.poll(server.openStreams).toBe(0)
    }
  }

  await expect.poll(async () => isRefused(await read(server.url))).toBe(false)
  const readers = await openStreams(server.url, 2)
  expect(isRefused(await read(server.url))).toBe(true)
  for (const reader of readers) reader.disconnect()
})

test('What a client says its address is makes it no other client', async ({ start }) => {
  const server = await start({ env: { LIMIT_STREAMS: '1' } })
  const [reader] = await openStreams(server.url, 1)

  for (const headers of [
    { 'x-forwarded-for': '192.0.2.1' },
    { 'x-forwarded-for': '192.0.2.1, 192.0.2.2' },
    { 'X-FORWARDED-FOR': '2001:db8::1' },
    { 'x-real-ip': '192.0.2.3' },
    { forwarded: 'for=192.0.2.4' },
    { 'x-client-ip': '192.0.2.5', 'cf-connecting-ip': '192.0.2.5' },
  ] as Record<string, string>[]) {
    expect(isRefused(await read(server.url, headers)), JSON.stringify(headers)).toBe(true)
  }
  expect(server.output().match(/set TRUST_PROXY/g)).toHaveLength(1)
  reader?.disconnect()
})

test('Behind proxies the client is whom the outermost of ours names', async ({ start }) => {
  const server = await start({ env: { LIMIT_STREAMS: '1', TRUST_PROXY: '2' } })
  const reader = createStreamReader({
    headers: { 'x-forwarded-for': '203.0.113.9, 2001:db8:1:2::7, 10.0.0.1' },
  })
  void reader.connect(`${server.url}/events/news`)
  await reader.until(({ type }) => type === 'connected')

  const from = async (chain: string): Promise<boolean> =>
    isRefused(await read(server.url, { 'x-forwarded-for': chain }))

  // The same client, or one of the same network, whatever addresses it claims.
  expect(await from('2001:db8:1:2::7, 10.0.0.1')).toBe(true)
  expect(await from('198.51.100.1, 2001:db8:1:2:ffff::1, 10.0.0.2')).toBe(true)
  expect(await from('2001:db8:1:2::7')).toBe(true)
  // Other clients, whatever addresses they claim.
  expect(await from('2001:db8:1:2::7, 192.0.2.1, 10.0.0.1')).toBe(false)
  expect(await from('2001:db8:1:3::7, 10.0.0.1')).toBe(false)
  reader.disconnect()
})

test('Without a token a client may ask to publish so often; with one it is not counted', async ({
  start,
}) => {
  const server = await start({ env: { LIMIT_PUBLISH: '5' } })
  const publish = (headers: Record<string, string>): Promise<Answer> =>
    sendRequest(server.url, '/events/news', { method: 'POST', headers, body: 'hello' })

  const statuses: number[] = []
  for (let n = 0; n < 8; n++) {
    const bad = { authorization: 'Bearer x', 'x-forwarded-for': `192.0.2.${n}` }
    statuses.push((await publish(n % 2 === 0 ? {} : bad)).status)
  }
  const refused = await publish({})
  const trusted = await Promise.all(Array.from({ length: 20 }, () => publish(asPublisher)))

  expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429])
  expect(JSON.parse(refused.body)).toMatchObject({ code: 'too-many-publishes', status: 429 })
  const retryAfterS = Number(refused.headers['retry-after'])
  expect(retryAfterS).toBeGreaterThan(30)
  expect(retryAfterS).toBeLessThanOrEqual(60)
  expect(new Set(trusted.map(({ status }) => status))).toEqual(new Set([201]))
})

/** Sends `head` as it is, and then, every `everyMs`, one byte of `rest` after another. Resolves with how long the server kept the connection. */
async function sendSlowly(
  url: string,
  head: string,
  { rest = '', everyMs = 1_000 }: { rest?: string; everyMs?: number } = {},
): Promise<number> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  const startedAt = performance.now()
  socket.on('error', () => {})
  socket.resume()
  socket.write(head)
  let sent = 0
  const timer = setInterval(() => socket.write(rest[sent++ % rest.length] ?? ''), everyMs)
  if (rest === '') clearInterval(timer)
  await once(socket, 'close')
  clearInterval(timer)
  return performance.now() - startedAt
}

const publishHead = `POST /events/slow HTTP/1.1\r\nHost: x\r\nAuthorization: ${asPublisher.authorization}\r\nContent-Length: 1000\r\n\r\n`

test('A body that stops coming is dropped, and leaves nothing', async ({ start }) => {
  const server = await start({ env: { HEARTBEAT: '500ms', STALL: '1s' } })

  const boreMs = await Promise.all([
    sendSlowly(server.url, `${publishHead}half of`),
    sendSlowly(server.url, publishHead),
    sendSlowly(server.url, publishHead.replace('Authorization', 'X-Nothing')),
  ])

  for (const ms of boreMs) expect(ms).toBeLessThan(10_000)
  const { body } = await sendRequest(server.url, '/events/slow?since=all')
  expect(body).not.toContain('half of')
})

test(
  'Headers that never end are dropped, and a body that trickles is too',
  { tag: '@soak-only' },
  async ({ start }) => {
    const server = await start()

    const [headersMs, silentMs, bodyMs] = await Promise.all([
      sendSlowly(server.url, 'GET /events/slow HTTP/1.1\r\n', { rest: 'x' }),
      sendSlowly(server.url, 'GET /events/slow HTTP/1.1\r\n'),
      sendSlowly(server.url, publishHead, { rest: 'x' }),
    ])

    // Node's own limits, a minute and five, which it checks every half minute.
    expect(headersMs).toBeLessThan(100_000)
    expect(silentMs).toBeLessThan(100_000)
    expect(bodyMs).toBeLessThan(340_000)
  },
)
