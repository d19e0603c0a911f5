/** Fast, slow and stalled readers at the same time, and readers that come and go: what they cost the others, and the server. */
import { get } from 'node:http'
import { asPublisher } from '../../test/requests/publisher'
import { createStreamReader } from '../../test/readers/stream-reader'
import type { RunningServer } from '../../test/servers/start-server'
import { expect, test } from '../../test/fixtures/server-test'

const mebibyte = 1024 * 1024

/** Publishes `count` events of `bytes` bytes, each beginning with the time it was sent, at about 5 MB a second. */
async function publishMany(
  url: string,
  topic: string,
  count: number,
  bytes: number,
): Promise<void> {
  const perPost = Math.ceil(50_000 / bytes)
  const startedAt = performance.now()
  for (let sent = 0; sent < count; sent += perPost) {
    const lines = Array.from({ length: Math.min(perPost, count - sent) }, (_, index) =>
      JSON.stringify({ at: Date.now(), n: sent + index }).replace(
        '}',
        `,"x":"${'x'.repeat(bytes)}"}`,
      ),
    )
    const response = await fetch(`${url}/events/${topic}`, {
      method: 'POST',
      headers: { ...asPublisher, 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
    })
    expect(response.status).toBe(201)
    const dueMs = (((sent + perPost) * bytes) / 5e6) * 1_000
    const aheadMs = dueMs - (performance.now() - startedAt)
    if (aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs))
  }
}

interface FastReader {
  opened: Promise<void>
  latenciesMs: number[]
  count: () => number
  leave: () => void
}

/** A reader that only counts, so that fifty of them are as fast as the machine allows. */
function readFast(url: string): FastReader {
  const latenciesMs: number[] = []
  let count = 0
  let markOpened = (): void => {}
  const opened = new Promise<void>((resolve) => (markOpened = resolve))
  const request = get(url, { agent: false }, (response) => {
    markOpened()
    let rest = ''
    response.on('data', (chunk: Buffer) => {
      const text = rest + chunk.toString('latin1')
      let end = 0
      for (const match of text.matchAll(/"at":(\d{13})/g)) {
        count++
        latenciesMs.push(Date.now() - Number(match[1]))
        end = match.index + match[0].length
      }
      // The next one may have begun.
      rest = text.slice(Math.max(end, text.length - 20))
    })
    response.on('error', () => {})
  })
  request.on('error', () => {})
  return { opened, latenciesMs, count: () => count, leave: () => request.destroy() }
}

function p99(latenciesMs: number[]): number {
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
}

/** Runs `work`, and tells the most memory that the server used meanwhile, in MiB. */
async function peakMemory(server: RunningServer, work: () => Promise<void>): Promise<number> {
  const done = new AbortController()
  const finished = work().finally(() => done.abort())
  let peak = 0
  while (!done.signal.aborted) {
    peak = Math.max(peak, await server.metric('process_resident_memory_bytes'))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await finished
  return peak / mebibyte
}

test(
  'A slow reader and a stalled one cost the fast ones nothing, and lose nothing',
  {
    tag: '@soak',
  },
  async ({ start, isSoak }) => {
    const [count, bytes, slowBytesPerSecond] = isSoak ? [10_000, 1_000, 500e3] : [2_500, 4_000, 3e6]
    const stallMs = 2_000
    const server = await start({ env: { HEARTBEAT: '500ms', STALL: `${stallMs}ms` } })
    const url = `${server.url}/events/pace`

    const runFast = async (): Promise<number> => {
      const readers = Array.from({ length: 50 }, () => readFast(url))
      await Promise.all(readers.map(({ opened }) => opened))
      await publishMany(server.url, 'pace', count, bytes)
      await expect
        .poll(() => readers.map((reader) => reader.count()), { timeout: 20_000 })
        .toEqual(readers.map(() => count))
      for (const { leave } of readers) leave()
      return p99(readers.flatMap(({ latenciesMs }) => latenciesMs))
    }
    await runFast()
    let alone = 0
    const memoryAlone = await peakMemory(server, async () => {
      alone = await runFast()
    })
    await expect.poll(server.openStreams).toBe(0)

    const slow = createStreamReader({ bytesPerSecond: slowBytesPerSecond })
    const stalled = createStreamReader()
    const slowEnded = slow.connect(url)
    const stalledEnded = stalled.connect(url)
    await Promise.all(
      [slow, stalled].map((reader) => reader.until(({ type }) => type === 'connected')),
    )
    stalled.pause()
    let beside = 0
    let closedAfterMs = 0
    const memoryBeside = await peakMemory(server, async () => {
      beside = await runFast()
      const publishedAt = performance.now()
      await slow.until(() => messagesOf(slow) === count, 60_000)
      slow.disconnect()
      await slowEnded
      await expect.poll(server.openStreams, { timeout: 3 * stallMs }).toBe(0)
      closedAfterMs = performance.now() - publishedAt
    })

    stalled.resume()
    await stalledEnded
    const resumed = stalled.connect(url)
    await stalled.until(() => messagesOf(stalled) === count)
    stalled.disconnect()
    await resumed
    // Once more alone, so that what else the machine does in the meantime is not held against the two readers.
    alone = Math.max(alone, await runFast())

    console.log(
      `${count} events of ${bytes} bytes to 50 readers: p99 ${alone} ms alone, ${beside} ms beside a slow and a stalled reader;`,
      `memory ${memoryAlone.toFixed(0)} MiB alone, ${memoryBeside.toFixed(0)} MiB beside them`,
    )
    for (const reader of [slow, stalled]) {
      expect(numbersOf(reader)).toEqual(Array.from({ length: count }, (_, n) => n))
      expect(reader.events.some(({ type }) => type === 'resync')).toBe(false)
    }
    expect(closedAfterMs).toBeLessThan(isSoak ? Number.POSITIVE_INFINITY : 2 * stallMs + 4_000)
    expect(beside).toBeLessThanOrEqual(2 * alone)
    expect(memoryBeside - memoryAlone).toBeLessThan(64)
  },
)

function messagesOf(reader: { events: readonly { type: string }[] }): number {
  return reader.events.filter(({ type }) => type === 'message').length
}

function numbersOf(reader: { events: readonly { type: string; data: string }[] }): number[] {
  return reader.events.flatMap(({ type, data }) =>
    type === 'message' ? [(JSON.parse(data) as { n: number }).n] : [],
  )
}

test(
  'Stalled readers at different cursors cost one chunk each',
  {
    tag: '@soak',
  },
  async ({ start, isSoak }) => {
    test.setTimeout(180_000)
    const count = isSoak ? 500 : 50
    const server = await start()
    await publishMany(server.url, 'stalled', 6_000, 4_000)
    const history = createStreamReader()
    const ended = history.connect(`${server.url}/events/stalled?since=all`)
    await history.until(() => messagesOf(history) === 2 * count)
    history.disconnect()
    await ended
    await expect.poll(server.openStreams).toBe(0)
    const before = await server.metric('process_resident_memory_bytes')

    const readers = history.events
      .filter(({ type }) => type === 'message')
      .slice(0, count)
      .map(({ id = '' }) => createStreamReader({ lastEventId: id }))
    const endings = readers.map((reader) => reader.connect(`${server.url}/events/stalled`))
    await Promise.all(
      readers.map(async (reader) => {
        await reader.until(({ type }) => type === 'connected', 60_000)
        reader.pause()
      }),
    )
    expect(await server.openStreams()).toBe(count)
    const settled = await settledMemory(server)

    const grownMiB = (settled - before) / mebibyte
    console.log(`${count} stalled readers: ${grownMiB.toFixed(0)} MiB`)
    // A chunk of 256 KiB waits in each stream's socket; as much again is what a stream costs anyway, and garbage.
    expect(grownMiB).toBeLessThan(64 + count * 0.5)
    for (const reader of readers) reader.disconnect()
    await Promise.all(endings)
    await expect.poll(server.openStreams, { timeout: 20_000 }).toBe(0)
  },
)

/** The server's memory once it no longer grows. */
async function settledMemory(server: RunningServer): Promise<number> {
  let last = 0
  for (;;) {
    const now = await server.metric('process_resident_memory_bytes')
    if (now - last < mebibyte) return now
    last = now
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

test(
  'Readers that come and go leave memory, timers and the gauge where they were',
  {
    tag: '@soak',
  },
  async ({ start, isSoak }) => {
    // A small heap forces garbage collection, so any growth is memory that is still referenced.
    const server = await start({ env: { NODE_OPTIONS: '--max-old-space-size=80' } })
    const comeAndGo = async (count: number): Promise<void> => {
      for (let done = 0; done < count; done += 50) {
        await Promise.all(
          Array.from({ length: 50 }, async () => {
            const reader = createStreamReader()
            const ended = reader.connect(`${server.url}/events/churn,other?since=all`)
            await reader.until(({ type }) => type === 'connected')
            reader.disconnect()
            await ended
          }),
        )
      }
      await expect.poll(server.openStreams).toBe(0)
    }
    const timers = (): Promise<number> => server.metric('nodejs_active_resources{type="Timeout"}')
    await comeAndGo(500)
    const timersBefore = await timers()
    const memoryBefore = await server.metric('process_resident_memory_bytes')

    await comeAndGo(isSoak ? 10_000 : 1_000)

    const grownMiB =
      ((await server.metric('process_resident_memory_bytes')) - memoryBefore) / mebibyte
    console.log(`${isSoak ? 10_000 : 1_000} readers came and went: ${grownMiB.toFixed(1)} MiB`)
    await expect.poll(timers).toBeLessThanOrEqual(timersBefore)
    expect(grownMiB).toBeLessThan(24)
  },
)
