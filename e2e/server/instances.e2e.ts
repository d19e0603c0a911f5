/** Several processes on one Redis, behind a balancer. Publishers and readers see one hub. */
import { startBalancer } from '../../test/servers/balancer'
import { asPublisher } from '../../test/requests/publisher'
import type { RunningServer } from '../../test/servers/start-server'
import { createStreamReader, type StreamReader } from '../../test/readers/stream-reader'
import { expect, test as base } from '../../test/fixtures/redis-test'

interface Instances {
  /** The balancer before both. */
  url: string
  servers: [RunningServer, RunningServer]
  /** Starts one again, on its port. */
  restart: (index: 0 | 1) => Promise<void>
}

const test = base.extend<{ instances: Instances }>({
  instances: async ({ startOnRedis }, use) => {
    const env = { DRAIN: '500ms', RETRY: '100ms' }
    const servers: Instances['servers'] = [await startOnRedis({ env }), await startOnRedis({ env })]
    const balancer = await startBalancer(servers.map(({ url }) => url))
    // What has answered once answers soon.
    for (const server of servers) expect(await server.openStreams()).toBe(0)
    await use({
      url: balancer.url,
      servers,
      async restart(index) {
        const port = Number(new URL(servers[index].url).port)
        servers[index] = await startOnRedis({ env, port })
      },
    })
    await balancer.close()
  },
})

interface Readers {
  /** The events that each reader has received, in order. */
  received: () => string[][]
  resyncs: () => number
  stop: () => Promise<void>
}

/** Readers that come back at once, wherever the balancer sends them. */
async function startReaders(urls: readonly string[]): Promise<Readers> {
  const over = new AbortController()
  const readers = urls.map(() => createStreamReader())
  const reading = readers.map(async (reader, index) => {
    while (!over.signal.aborted) {
      await reader.connect(`${urls[index]}/events/news`).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })
  await Promise.all(readers.map((reader) => reader.until(isOf('connected'), 30_000)))
  return {
    received: () => readers.map(dataOf),
    resyncs: () => readers.flatMap(({ events }) => events.filter(isOf('resync'))).length,
    async stop() {
      over.abort()
      for (const reader of readers) reader.disconnect()
      await Promise.all(reading)
    },
  }
}

function isOf(wanted: string): (event: { type: string }) => boolean {
  return ({ type }) => type === wanted
}

function dataOf({ events }: StreamReader): string[] {
  return events.flatMap(({ type, data }) => (type === 'message' ? [data] : []))
}

/** Publishes `count` events one after another. Sends a failed one again, with the same key. */
async function publish(url: string, name: string, count: number): Promise<void> {
  for (let n = 1; n <= count; n++) {
    const data = `${name}-${n}`
    while (!(await isTaken(url, data))) await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function isTaken(url: string, data: string): Promise<boolean> {
  const headers = { ...asPublisher, 'idempotency-key': data, connection: 'close' }
  try {
    const { status } = await fetch(`${url}/events/news`, { method: 'POST', headers, body: data })
    expect([201, 503]).toContain(status)
    return status === 201
  } catch (error) {
    // The process that had it is gone.
    if (error instanceof TypeError) return false
    throw error
  }
}

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${index + 1}`)
}

/** All readers have the same events: all that the publishers sent, once, and each publisher's in order. */
async function expectAll(readers: Readers, published: Record<string, number>): Promise<void> {
  const names = Object.keys(published)
  const count = Object.values(published).reduce((sum, each) => sum + each, 0)
  await expect
    .poll(() => Math.min(...readers.received().map(({ length }) => length)), { timeout: 30_000 })
    .toBeGreaterThanOrEqual(count)
  await readers.stop()
  const [first, ...others] = readers.received()
  expect(first).toHaveLength(count)
  for (const name of names) {
    const own = first?.filter((data) => data.startsWith(`${name}-`))
    expect(own).toEqual(numbered(name, published[name] ?? 0))
  }
  for (const other of others) expect(other).toEqual(first)
  expect(readers.resyncs()).toBe(0)
}

test('Published at either, every reader of both gets everything, in one order', async ({
  instances: { servers },
}) => {
  const [one, other] = servers
  const readers = await startReaders([one.url, one.url, other.url, other.url])

  await Promise.all([publish(one.url, 'a', 150), publish(other.url, 'b', 150)])

  await expectAll(readers, { a: 150, b: 150 })
})

test('When one is killed in a burst, its readers go on at the other, with nothing lost or doubled', async ({
  instances: { url, servers },
}) => {
  const readers = await startReaders(Array.from({ length: 12 }, () => url))

  const publishing = Promise.all(['a', 'b', 'c'].map((name) => publish(url, name, 150)))
  await expect.poll(() => readers.received()[0]?.length).toBeGreaterThan(50)
  await servers[0].stop()
  await publishing

  await expectAll(readers, { a: 150, b: 150, c: 150 })
})

test('A rolling restart of both in a burst loses and doubles nothing, and no reader hears resync', async ({
  instances: { url, servers, restart },
}) => {
  const readers = await startReaders(Array.from({ length: 12 }, () => url))
  const names = ['a', 'b']
  const over = new AbortController()
  const published: Record<string, number> = {}
  const publishing = names.map(async (name) => {
    for (let n = 1; !over.signal.aborted; n++) {
      while (!(await isTaken(url, `${name}-${n}`))) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      published[name] = n
    }
  })
  for (const index of [0, 1] as const) {
    await expect.poll(() => readers.received()[0]?.length).toBeGreaterThan(50 * (index + 1))
    process.kill(servers[index].pid, 'SIGTERM')
    expect(await servers[index].exited).toBe(143)
    await restart(index)
  }
  over.abort()
  await Promise.all(publishing)

  await expectAll(readers, published)
})
