/** What clients do with their connections that no browser does: requests in one packet, odd targets, upgrades, half a request. */
import { asPublisher } from '../../test/requests/publisher'
import { headText, openConnection, requestText } from '../../test/requests/raw-connection'
import { sendRequest } from '../../test/requests/send-request'
import { expect, test } from '../../test/fixtures/server-test'
import { createStreamReader } from '../../test/readers/stream-reader'
import type { RunningServer } from '../../test/servers/start-server'

/** The ways that a stream may leave by. */
const ways = {
  'By the front door': {},
  'Through Next, written directly': { FRONT_DOOR: 'off' },
  'Through Next alone': { FRONT_DOOR: 'off', DIRECT_LANE: 'off' },
}

for (const [way, wayEnv] of Object.entries(ways)) {
  test.describe(way, () => {
    test('of the streams asked for in one packet the first one opens, and the others cost nothing', async ({
      start,
    }) => {
      const env = { ...wayEnv, LIMIT_STREAMS: '100' }
      const server = await start({ env })
      const connection = await openConnection(server.url)

      connection.send(requestText('/events/news').repeat(100))
      await expect.poll(connection.received).toContain('event: connected')
      await expect.poll(() => server.metric('sse_refusals_total{reason="pipelined"}')).toBe(99)

      expect(await server.openStreams()).toBe(1)
      connection.destroy()
      await expect.poll(server.openStreams).toBe(0)
      const { body } = await sendRequest(server.url, '/events/news')
      expect(body).toContain('event: connected')
    })

    test('a stream whose connection carries requests after it goes on as before', async ({
      start,
    }) => {
      const server = await start({ env: wayEnv })
      const connection = await openConnection(server.url)
      connection.send(requestText('/events/news'))
      await expect.poll(connection.received).toContain('event: connected')

      connection.send(requestText('/health/live') + requestText('/events/news'))
      await expect.poll(() => server.metric('sse_refusals_total{reason="pipelined"}')).toBe(1)
      await publish(server, 'meanwhile')

      await expect.poll(connection.received).toContain('meanwhile')
      expect(connection.received().match(/HTTP\/1\.1/g)).toHaveLength(1)
      connection.destroy()
      await expect.poll(server.openStreams).toBe(0)
    })
  })
}

async function publish(server: RunningServer, body: string): Promise<void> {
  const { status } = await sendRequest(server.url, '/events/news', {
    method: 'POST',
    headers: asPublisher,
    body,
  })
  expect(status).toBe(201)
}

const stalling = { HEARTBEAT: '500ms', STALL: '1s' }
/** `STALL`, and what a busy machine takes beside it. */
const inTimeMs = 6_000

/** How else `/events/{rest}` can be written. */
const targetsOf = (url: string, rest: string): string[] => [
  `/events/${rest}`,
  `/./events/${rest}`,
  `/x/../events/${rest}`,
  `//events/${rest}`,
  `/%65vents/${rest}`,
  `${url}/events/${rest}`,
]

test('A reader that takes nothing is cut off, however it wrote the address', async ({ start }) => {
  const server = await start({ env: stalling })
  const line = `"${'x'.repeat(60_000)}"\n`
  for (let n = 0; n < 3; n++) {
    const { status } = await sendRequest(server.url, '/events/big', {
      method: 'POST',
      headers: { ...asPublisher, 'content-type': 'application/x-ndjson' },
      body: line.repeat(120),
    })
    expect(status).toBe(201)
  }

  for (const target of targetsOf(server.url, 'big?since=all')) {
    const connection = await openConnection(server.url)
    connection.pause()
    connection.send(requestText(target))
  }

  await expect.poll(server.openStreams).toBeGreaterThan(1)
  await expect.poll(server.openStreams, { timeout: inTimeMs }).toBe(0)
})

test('A body that stops coming is dropped, whatever the address', async ({ start }) => {
  const server = await start({ env: stalling })

  const lasted = await Promise.all(
    [...targetsOf(server.url, 'news'), '/', '/nothing/here', '*'].map(async (target) => {
      const connection = await openConnection(server.url)
      connection.send(headText('POST', target, { ...asPublisher, 'Content-Length': '1000' }))
      connection.send('half of')
      return await connection.closed
    }),
  )

  // Where the answer does not wait for the body, the connection may serve further requests for Node's own 5 s and 1 s.
  for (const ms of lasted) expect(ms).toBeLessThan(6_000 + inTimeMs)
  for (const ms of lasted.slice(0, 2)) expect(ms).toBeLessThan(inTimeMs)
})

test('An upgrade that nobody answers ends', async ({ start }) => {
  const server = await start({ env: stalling })

  const lasted = await Promise.all(
    ['/events/news', '/nothing/here', '/_next/hmr'].map(async (target) => {
      const connection = await openConnection(server.url)
      connection.send(requestText(target, { Connection: 'Upgrade', Upgrade: 'websocket' }))
      return await connection.closed
    }),
  )

  for (const ms of lasted) expect(ms).toBeLessThan(inTimeMs)
})

test('A connection between two requests is kept for as long as Node keeps it, not for STALL', async ({
  start,
}) => {
  const server = await start({ env: stalling })
  const connection = await openConnection(server.url)

  connection.send(requestText('/health/live'))
  const lasted = await connection.closed

  expect(connection.received()).toContain('{"status":"live"}')
  expect(lasted).toBeGreaterThan(4_500)
})

test('A quiet reader stays for longer than STALL', async ({ start }) => {
  const server = await start({ env: stalling })
  const reader = createStreamReader()
  const ended = reader.connect(`${server.url}/events/quiet`)

  for (let pings = 0; pings < 5; pings++) {
    const seen = reader.events.length
    await reader.until(() => reader.events.length > seen)
  }

  expect(reader.events.filter(({ type }) => type === 'ping').length).toBeGreaterThan(3)
  reader.disconnect()
  await ended
})
