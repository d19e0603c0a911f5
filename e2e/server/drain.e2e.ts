/** Stopping: readers are asked to leave, publishers are served, and the process ends in time. */
import { connect } from 'node:net'
import type { RunningServer } from '../../test/servers/start-server'
import { asPublisher } from '../../test/requests/publisher'
import { headText, openConnection } from '../../test/requests/raw-connection'
import { createStreamReader, type StreamReader } from '../../test/readers/stream-reader'
import { expect, test } from '../../test/fixtures/server-test'

/** Publishes `data` for as long as it takes: what is refused or cut is sent again, under the same key. */
async function publishSurely(url: string, data: string): Promise<void> {
  for (;;) {
    try {
      const response = await fetch(`${url}/events/news`, {
        method: 'POST',
        headers: { ...asPublisher, 'idempotency-key': data },
        body: data,
      })
      if (response.status === 201) return
      expect(response.status).toBe(503)
    } catch (error) {
      // Between the old process and the new one nobody listens.
      if (!(error instanceof TypeError)) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function dataOf({ events }: StreamReader): string[] {
  return events.flatMap(({ type, data }) => (type === 'message' ? [data] : []))
}

function countOf({ events }: StreamReader, type: string): number {
  return events.filter((event) => event.type === type).length
}

/** A reader that has taken nothing since it connected, so that its stream can't leave. */
async function connectStalled(server: RunningServer): Promise<() => void> {
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  socket.pause()
  socket.write('GET /events/big?since=all HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await expect.poll(server.openStreams).toBe(1)
  let [before, taken] = [0, 0]
  do {
    before = taken
    await new Promise((resolve) => setTimeout(resolve, 200))
    taken = await server.metric('sse_delivered_bytes_total')
  } while (taken === 0 || taken > before)
  return () => socket.destroy()
}

/** More than the sockets between two processes take. */
async function publishTooMuchToTake(server: RunningServer): Promise<void> {
  const line = `"${'x'.repeat(60_000)}"\n`
  for (let n = 0; n < 3; n++) {
    const response = await fetch(`${server.url}/events/big`, {
      method: 'POST',
      headers: { ...asPublisher, 'content-type': 'application/x-ndjson' },
      body: line.repeat(120),
    })
    expect(response.status).toBe(201)
  }
}

test('With 200 streams open and steady publishing, SIGTERM ends the process in time, readers leave spread over DRAIN, and nothing is lost', async ({
  start,
}) => {
  const env = { DRAIN: '2s', RETRY: '200ms' }
  let server = await start({ env })
  const { port } = new URL(server.url)
  const url = server.url
  const readers = Array.from({ length: 200 }, () => createStreamReader())
  const askedAt: number[] = []
  const over = new AbortController()
  const read = async (reader: StreamReader): Promise<void> => {
    let isAsked = false
    while (!over.signal.aborted) {
      // Refused while nobody listens; a reader comes back until it is over.
      await reader.connect(`${url}/events/news`).catch(() => {})
      if (!isAsked) askedAt.push(performance.now())
      isAsked = true
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const [first, ...others] = readers
  const reading = first ? [read(first)] : []
  // A process that has answered nothing yet is slow to answer 200 at once.
  await first?.until(({ type }) => type === 'connected')
  reading.push(...others.map(read))
  await expect.poll(server.openStreams, { timeout: 45_000 }).toBe(200)

  const published: string[] = []
  const publishing = (async () => {
    while (!over.signal.aborted) {
      const data = `event-${published.length}`
      await publishSurely(url, data)
      published.push(data)
    }
  })()
  await expect.poll(() => published.length).toBeGreaterThan(20)

  const stoppedAt = performance.now()
  process.kill(server.pid, 'SIGTERM')
  const code = await server.exited
  const tookMs = performance.now() - stoppedAt
  await expect.poll(() => askedAt.length).toBe(200)
  const asked = askedAt.map((at) => at - stoppedAt)
  server = await start({ env, port: Number(port) })
  const afterRestart = published.length
  await expect.poll(() => published.length, { timeout: 45_000 }).toBeGreaterThan(afterRestart + 20)
  over.abort()
  await publishing
  for (const reader of readers) {
    await expect.poll(() => dataOf(reader).length, { timeout: 45_000 }).toBe(published.length)
    reader.disconnect()
  }
  await Promise.all(reading)

  console.log(
    `drain: 200 streams asked to leave from ${asked.at(0)?.toFixed()} to ${asked.at(-1)?.toFixed()} ms after SIGTERM; exit after ${tookMs.toFixed()} ms`,
  )
  expect(code).toBe(143)
  expect(tookMs).toBeLessThan(4_000)
  for (const quarter of [0, 1, 2, 3]) {
    const within = asked.filter((at) => at >= quarter * 500 && at < (quarter + 1) * 500)
    expect(within.length).toBeGreaterThan(20)
  }
  for (const reader of readers) {
    expect(dataOf(reader)).toEqual(published)
    expect(countOf(reader, 'resync')).toBe(0)
  }
})

for (const command of ['start', 'standalone'] as const) {
  test(`Under ${command}, a reader is asked to leave when the process stops`, async ({ start }) => {
    const server = await start({ command })
    const reader = createStreamReader()
    const ended = reader.connect(`${server.url}/events/news`)
    await reader.until(({ type }) => type === 'connected')

    process.kill(server.pid, 'SIGTERM')

    await ended
    await server.exited
    const { type, data } = reader.events.at(-1) ?? {}
    expect(type).toBe('reconnect')
    expect(JSON.parse(data ?? '')).toMatchObject({ reason: 'drain' })
  })
}

test('While it drains, a process says that it is not ready, refuses new streams softly and takes what is published', async ({
  start,
}) => {
  const server = await start({ env: { DRAIN: '60s' } })
  await publishTooMuchToTake(server)
  const leave = await connectStalled(server)
  const health = async (kind: string): Promise<unknown> => {
    const response = await fetch(`${server.url}/health/${kind}`)
    return [response.status, await response.json()]
  }
  expect(await health('live')).toEqual([200, { status: 'live' }])
  expect(await health('ready')).toEqual([200, { status: 'ready' }])

  process.kill(server.pid, 'SIGTERM')

  await expect.poll(() => health('ready')).toEqual([503, { status: 'draining' }])
  expect(await health('live')).toEqual([200, { status: 'live' }])
  const newcomer = createStreamReader()
  await newcomer.connect(`${server.url}/events/news`)
  expect(newcomer.events.map(({ type }) => type)).toEqual(['reconnect'])
  expect(newcomer.events[0]?.data).toContain('"reason":"drain"')
  await publishSurely(server.url, 'still-taken')
  expect(await server.metric('sse_refusals_total{reason="drain"}')).toBe(1)

  leave()
  expect(await server.exited).toBe(143)
})

const slowPublish = headText('POST', '/events/news', { ...asPublisher, 'Content-Length': '10' })

test('A publish under way when the process is told to stop is taken, others are meanwhile, and the process ends soon after', async ({
  start,
}) => {
  const server = await start({ env: { DRAIN: '30s' } })
  const slow = await openConnection(server.url)
  slow.send(`${slowPublish}half of`)
  await publishSurely(server.url, 'before')

  process.kill(server.pid, 'SIGTERM')

  // Longer than the process has for what is left once streams and publishes are done.
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  await publishSurely(server.url, 'meanwhile')
  slow.send(' it')
  await expect.poll(slow.received).toMatch(/^HTTP\/1\.1 201 /)
  const takenAt = performance.now()
  expect(await server.exited).toBe(143)
  expect(performance.now() - takenAt).toBeLessThan(3_000)
})

test('A publish that does not end keeps the process for DRAIN and no longer', async ({ start }) => {
  const server = await start({ env: { DRAIN: '2s' } })
  const slow = await openConnection(server.url)
  slow.send(`${slowPublish}half of`)
  await publishSurely(server.url, 'before')
  const stoppedAt = performance.now()

  process.kill(server.pid, 'SIGINT')

  expect(await server.exited).toBe(130)
  const tookMs = performance.now() - stoppedAt
  expect(tookMs).toBeGreaterThan(2_000)
  expect(tookMs).toBeLessThan(6_000)
  expect(slow.received()).toBe('')
})

test('A second signal ends the process at once, two of the same moment do not', async ({
  start,
}) => {
  const server = await start({ env: { DRAIN: '60s' } })
  await publishTooMuchToTake(server)
  const leave = await connectStalled(server)

  process.kill(server.pid, 'SIGINT')
  process.kill(server.pid, 'SIGINT')
  await expect.poll(server.output).toContain('Stopping')
  // Longer than one key press can take.
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  expect((await fetch(`${server.url}/health/live`)).status).toBe(200)
  process.kill(server.pid, 'SIGINT')

  expect(await server.exited).toBe(130)
  leave()
})

test('With nobody reading, the process ends as soon as it is asked', async ({ start }) => {
  const server = await start({ env: { DRAIN: '60s' } })
  expect(await server.openStreams()).toBe(0)

  process.kill(server.pid, 'SIGTERM')

  expect(await server.exited).toBe(143)
})

test('A stream that has lasted as long as one may is asked to come back, and its reader goes on', async ({
  start,
}) => {
  const env = { STREAM_MAX_AGE: '2s', HEARTBEAT: '500ms', STALL: '60s' }
  const { url } = await start({ env })
  const reader = createStreamReader()
  const startedAt = performance.now()

  await reader.connect(`${url}/events/news`)

  expect(performance.now() - startedAt).toBeGreaterThan(1_500)
  expect(reader.events.at(-1)?.type).toBe('reconnect')
  expect(reader.events.at(-1)?.data).toContain('"reason":"max-age"')
  await publishSurely(url, 'meanwhile')
  const reading = reader.connect(`${url}/events/news`)
  await reader.until(({ data }) => data === 'meanwhile')
  reader.disconnect()
  await reading
})
