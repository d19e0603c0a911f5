import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { EventSourceMessage } from 'eventsource-parser'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readerOf, ready } from '@/test/readers/feed-reader'
import { formatCursor, parseCursor } from '@/protocol/cursor'
import type { Feed } from '@/server/stream/feed'
import { LogError, type EventLog } from '@/server/log/event-log'
import { createHub, type Hub } from './hub'
import type { Subscription } from './locate-start'
import { createMemoryLog } from '@/server/log/memory/memory-log'
import { openSqliteLog } from '@/server/log/sqlite/sqlite-log'

const retention = { maxCount: 1_000, maxAgeMs: 60_000 }
const many = { maxCount: 1_000_000, maxAgeMs: 3_600_000 }

let log: EventLog
let hub: Hub

beforeEach(() => {
  log = createMemoryLog(retention)
  hub = createHub(log)
})

afterEach(async () => {
  await hub.close()
  vi.restoreAllMocks()
})

async function append(topic: string, ...data: string[]): Promise<string[]> {
  const events = data.map((text) => ({ type: 'message', data: text }))
  return (await log.append(topic, events)).ids
}

async function readData(feed: Feed, count: number): Promise<string[]> {
  const reader = readerOf(feed)
  const data: string[] = []
  while (data.length < count) data.push(...(await reader.next()).map((event) => event.data))
  return data
}

/** What a feed gives until it waits for new events. */
async function takenText(feed: Feed): Promise<string> {
  let text = ''
  for (;;) {
    const chunk = feed.take(256 * 1024)
    if (chunk instanceof Uint8Array) text += new TextDecoder().decode(chunk)
    else if ((await Promise.race([ready(feed), sleep(50, 'waits')])) === 'waits') return text
  }
}

function presenting(text: string): NonNullable<Subscription['start']> {
  const cursor = parseCursor(text)
  if (!cursor) throw new Error(`${text} is no cursor`)
  return { cursor: { ...cursor, text } }
}

function subscribe(topics: string, start?: Subscription['start'], envelope = false): Promise<Feed> {
  return hub.subscribe({ topics: topics.split(','), envelope, start })
}

describe('subscribe', () => {
  test('without a start, delivers the events published from now on', async () => {
    await append('news', 'before')
    const feed = await subscribe('news')

    await append('news', 'after')

    expect(await readData(feed, 1)).toEqual(['after'])
    await feed.close()
  })

  test('an event published between subscribing and the first read is not lost', async () => {
    const feed = await subscribe('news')
    const first = await append('news', 'one')

    expect(feed.resumed).toBe(false)
    expect(feed.cursor()).not.toBe(first[0])
    expect(await readData(feed, 1)).toEqual(['one'])
    await feed.close()
  })

  test('after a cursor, delivers the events that followed it, then new ones', async () => {
    const [, second] = await append('news', 'one', 'two', 'three')
    const feed = await subscribe('news', presenting(second ?? ''))

    expect([feed.resumed, feed.cursor()]).toEqual([true, second])
    expect(await readData(feed, 1)).toEqual(['three'])
    await append('news', 'four')
    expect(await readData(feed, 1)).toEqual(['four'])
    await feed.close()
  })

  test('last and since start in the past', async () => {
    await append('news', 'one', 'two', 'three')

    const last = await subscribe('news', { last: 2 })
    const since = await subscribe('news', { since: Date.now() - 10_000 })

    expect(await readData(last, 2)).toEqual(['two', 'three'])
    expect(await readData(since, 3)).toEqual(['one', 'two', 'three'])
    await Promise.all([last.close(), since.close()])
  })

  test('a reader that began in the past hears when it has caught up, once, and where it is then', async () => {
    const [first = ''] = await append('news', 'one', 'two')
    const [head = ''] = await append('other', 'three')
    for (const start of [presenting(first), { last: 1 }, { since: Date.now() - 10_000 }]) {
      const feed = await subscribe('news', start)
      const text = await takenText(feed)

      expect(text.match(/^event: ping$/gm)).toHaveLength(1)
      expect(text).toMatch(new RegExp(`data: two\\n[^]*event: ping\\n[^]*id: ${head}\\n\\n$`))
      await feed.close()
    }
    const fromNow = await subscribe('news')
    expect(await takenText(fromNow)).toBe('')
    await fromNow.close()
  })

  test('one cursor serves several topics, in the order of the log', async () => {
    await append('a', '1')
    const [cursor] = await append('b', '2')
    await append('a', '3')
    await append('other', 'x')
    await append('b', '4')

    const feed = await subscribe('a,b', presenting(cursor ?? ''), true)

    const data = await readData(feed, 2)
    expect(data.map((text) => (JSON.parse(text) as { data: string }).data)).toEqual(['3', '4'])
    await feed.close()
  })

  test.each([
    ['small', 1],
    ['large', 3_000],
  ])(
    'while more %s events are appended than a flush can read, readers get what was read, from memory',
    async (_, length) => {
      log = createMemoryLog(many)
      hub = createHub(log)
      const feed = await subscribe('news')
      const reader = readerOf(feed)
      await append('news', 'zero')
      await reader.next()
      const data = 'x'.repeat(length)
      const busy = Array.from({ length: 1_000 }, () => ({ type: 'message', data }))
      const read = log.read.bind(log)
      let isBusy = true
      let pagesOfStream = 0
      vi.spyOn(log, 'read').mockImplementation(async (request) => {
        if (request.topics) pagesOfStream++
        else if (isBusy) await log.append('busy', busy)
        return await read(request)
      })

      await append('news', 'one')

      expect((await reader.next()).map((event) => event.data)).toEqual(['one'])
      expect(pagesOfStream).toBe(0)
      isBusy = false
      await feed.close()
    },
  )

  test('a producer can wait until the readers were woken: not at all without them, and for a second at most', async () => {
    const [alone] = await append('news', 'alone')
    await hub.untilWoken(parseCursor(alone)?.offset ?? NaN)
    const feed = await subscribe('news')
    const reader = readerOf(feed)
    const woken: string[] = []
    const next = reader.next().then(() => woken.push('reader'))
    await append('other', 'joined')
    const [last] = await append('news', 'last')
    const offset = parseCursor(last)?.offset ?? NaN

    await hub.untilWoken(offset)
    woken.push('producer')
    await next

    expect(woken).toEqual(['reader', 'producer'])
    await hub.untilWoken(offset + 1)
    await feed.close()
  })

  test('the cursor of an idle reader moves on when events of other topics are published', async () => {
    const idle = await subscribe('quiet')
    await ready(idle)
    void ready(idle)
    const busy = await subscribe('busy')
    const arrived = readData(busy, 1)

    const ids = await append('busy', 'x')
    await arrived

    await vi.waitFor(() => expect(idle.cursor()).toBe(ids[0]))
    await Promise.all([idle.close(), busy.close()])
  })

  test.each([
    ['another epoch', 'zzzz.3', 'epoch'],
    ['the future', 'future', 'future'],
  ])(
    'a reader with a cursor of %s gets resync, then the kept events',
    async (_, presented, reason) => {
      const ids = await append('news', 'one', 'two')
      const { epoch = '' } = parseCursor(ids[0]) ?? {}
      const text = presented === 'future' ? `${epoch}.999` : presented

      const feed = await subscribe('news', presenting(text))
      expect([feed.resumed, feed.cursor()]).toEqual([false, text])
      const reader = readerOf(feed)
      const [resync, ...rest] = await reader.next()

      expect(resync).toMatchObject({ event: 'resync', id: `${epoch}.0` })
      expect(JSON.parse(resync?.data ?? '')).toEqual({
        reason,
        from: text,
        oldest: ids[0],
        topics: ['news'],
      })
      expect(rest.map(({ data }) => data)).toEqual(['one', 'two'])
      await feed.close()
    },
  )

  test('a reader whose next events were trimmed gets resync once', async () => {
    const [cursor] = await append('news', 'one')
    await append('news', ...Array.from({ length: 5_000 }, (_, n) => `${n}`))
    await append('news', 'last')

    const feed = await subscribe('news', presenting(cursor ?? ''))
    const reader = readerOf(feed)
    const events: EventSourceMessage[] = []
    while (events.at(-1)?.data !== 'last') events.push(...(await reader.next()))

    expect(events[0]?.event).toBe('resync')
    expect(JSON.parse(events[0]?.data ?? '')).toMatchObject({
      reason: 'trimmed',
      from: cursor,
      oldest: events[1]?.id,
    })
    expect(events.filter(({ event }) => event === 'resync')).toHaveLength(1)
    await feed.close()
  })

  test('with several topics, each loss of a topic is reported once', async () => {
    const [cursor] = await append('quiet', 'q1')
    await append('slow', ...Array.from({ length: 1_000 }, (_, n) => `s${n}`))
    await append('busy', ...Array.from({ length: 5_000 }, (_, n) => `b${n}`))
    await append('busy', 'last of busy')
    hub = createHub(log, { tailBytes: 10_000 })
    const feed = await subscribe('quiet,slow,busy', presenting(cursor ?? ''), true)
    const reader = readerOf(feed)
    const events = await reader.next()

    // While the reader is still behind, the second topic loses events that the reader has not read yet.
    const live = await subscribe('slow', undefined, true)
    await append('slow', ...Array.from({ length: 5_000 }, (_, n) => `s${1_000 + n}`))
    await append('slow', 'last')
    const isLast = ({ data }: EventSourceMessage): boolean => data.includes('"last"')
    // Memory may still have events that the log has removed. A reader that goes on from there is told again, rather than not at all.
    const liveReader = readerOf(live)
    while (!(await liveReader.next()).some(isLast));
    await live.close()
    while (!events.some(isLast)) events.push(...(await reader.next()))

    const resyncs = events
      .filter(({ event }) => event === 'resync')
      .map(({ data }) => JSON.parse(data) as { reason: string; topics: string[] })
    expect(resyncs).toMatchObject([
      { reason: 'trimmed', from: cursor, topics: ['busy'] },
      { reason: 'trimmed', topics: ['slow'] },
    ])
    await feed.close()
  })

  test('whatever is trimmed, a reader of several topics misses no event without a resync for its topic', async () => {
    const topics = ['a', 'b', 'c']
    const steps = fc.array(
      fc.oneof(
        fc.record({ publish: fc.constantFrom(...topics), count: fc.integer({ min: 1, max: 900 }) }),
        fc.record({ read: fc.integer({ min: 0, max: 2 }) }),
        fc.record({ reconnect: fc.integer({ min: 0, max: 2 }) }),
      ),
      { minLength: 8, maxLength: 30 },
    )
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const memory = createMemoryLog({ maxCount: 300, maxAgeMs: 60_000 })
        const small = createHub(memory, { tailBytes: 50_000 })
        const asked = [topics, ['a', 'b'], ['c']]
        const starts = await Promise.all(asked.map(() => memory.head()))
        const readers = await Promise.all(
          asked.map(async (names, index) => {
            const text = formatCursor(starts[index] ?? { epoch: '', offset: 0 })
            const open = async (from: string) => {
              const start = presenting(from)
              const feed = await small.subscribe({ topics: names, envelope: true, start })
              return { feed, reader: readerOf(feed) }
            }
            return { names, open, cursor: text, offset: 0, told: new Map(), ...(await open(text)) }
          }),
        )
        const published: { topic: string; offset: number }[] = []
        const missed: string[] = []

        const readOnce = async (of: (typeof readers)[number]): Promise<void> => {
          for (const { event, data, id } of await of.reader.next()) {
            of.cursor = id ?? of.cursor
            const offset = parseCursor(id)?.offset ?? 0
            if (event === 'resync') {
              const told = JSON.parse(data) as { topics: string[] }
              for (const topic of told.topics) of.told.set(topic, of.offset)
              continue
            }
            const { topic } = JSON.parse(data) as { topic: string }
            const skipped = published.filter(
              (one) =>
                one.offset > of.offset && one.offset < offset && of.names.includes(one.topic),
            )
            for (const one of skipped) {
              // The loss must have been reported before the place of the missing event.
              if (!of.told.has(one.topic)) missed.push(`${one.topic} ${one.offset}`)
            }
            if (offset <= of.offset) missed.push(`${offset} again`)
            // A reported loss of a topic ends with the topic's next event.
            of.told.delete(topic)
            of.offset = offset
          }
        }
        const isBehind = (of: (typeof readers)[number]): boolean =>
          published.some(({ topic, offset }) => offset > of.offset && of.names.includes(topic))

        for (const step of plan) {
          if ('publish' in step) {
            const events = Array.from({ length: step.count }, () => ({
              type: 'message',
              data: 'x',
            }))
            const { ids } = await memory.append(step.publish, events)
            for (const id of ids) {
              published.push({ topic: step.publish, offset: parseCursor(id)?.offset ?? 0 })
            }
            continue
          }
          const of = readers['read' in step ? step.read : step.reconnect]
          if (!of) continue
          if ('read' in step) {
            if (isBehind(of)) await readOnce(of)
          } else {
            await of.feed.close()
            Object.assign(of, await of.open(of.cursor))
          }
        }
        for (const of of readers) while (isBehind(of)) await readOnce(of)

        expect(missed).toEqual([])
        await Promise.all(readers.map(({ feed }) => feed.close()))
        await small.close()
      }),
      { numRuns: 40 },
    )
  })

  test('a reader of everything gets no resync for events removed before it subscribed', async () => {
    await append('quiet', 'one')
    await append('busy', ...Array.from({ length: 5_000 }, (_, n) => `${n}`))
    await append('busy', 'last')

    const feed = await subscribe('quiet,busy', { since: Date.now() - 10_000 })
    const reader = readerOf(feed)
    const events: EventSourceMessage[] = []
    while (events.at(-1)?.data !== 'last') events.push(...(await reader.next()))

    expect(events[0]?.data).toBe('one')
    expect(events.some(({ event }) => event === 'resync')).toBe(false)
    await feed.close()
  })

  describe('a reader of everything that still gets some of the removed events', () => {
    const numbered = (from: number, count: number): string[] =>
      Array.from({ length: count }, (_, n) => `${from + n}`)

    async function isToldOf(topic: string, feed: Feed): Promise<void> {
      const reader = readerOf(feed)
      const events: EventSourceMessage[] = []
      while (events.at(-1)?.data !== 'last') events.push(...(await reader.next()))
      const [told, ...more] = events.filter(({ event }) => event === 'resync')
      expect(JSON.parse(told?.data ?? '')).toMatchObject({ reason: 'trimmed', topics: [topic] })
      expect(more).toEqual([])
    }

    beforeEach(() => {
      log = createMemoryLog({ maxCount: 300, maxAgeMs: 60_000 })
      hub = createHub(log, { tailBytes: 500_000 })
    })

    test('from the tail hears that the others are gone', async () => {
      const other = await subscribe('quiet,busy,filler')
      await ready(other)
      await append('quiet', 'first')
      await append('busy', ...numbered(1, 700))
      await readData(other, 701)
      // Now the log removes all but 300 events, and the tail still has them.
      await append('busy', ...numbered(701, 150))
      await readData(other, 150)
      const feed = await subscribe('quiet,busy', { since: 0 })
      await ready(feed)

      expect(new TextDecoder().decode(feed.take(4_000) as Uint8Array)).toContain('data: 1\n')
      // These push the next events out of the tail.
      await append('filler', ...numbered(1, 700))
      await append('busy', 'last')
      await readData(other, 701)

      await isToldOf('busy', feed)
      await Promise.all([feed.close(), other.close()])
    })

    test('from a page that was read before the removal hears that the others are gone', async () => {
      await append('quiet', 'first')
      await append('busy', ...numbered(1, 700))
      const first = await subscribe('quiet,busy', { since: 0 })
      await readerOf(first).next()
      await append('busy', ...numbered(701, 150), 'last')
      const feed = await subscribe('quiet,busy', { since: 0 })

      await isToldOf('busy', feed)
      await Promise.all([feed.close(), first.close()])
    })
  })

  test('a reader that falls behind the kept events gets resync in mid-stream, and misses nothing after that', async () => {
    hub = createHub(log, { tailBytes: 10_000 })
    const feed = await subscribe('news')
    const reader = readerOf(feed)
    await append('news', 'first')
    expect(await reader.next()).toHaveLength(1)

    await append('news', ...Array.from({ length: 5_000 }, (_, n) => `${n}`))
    await append('news', 'last')
    const events: EventSourceMessage[] = []
    while (events.at(-1)?.data !== 'last') events.push(...(await reader.next()))

    expect(events.filter(({ event }) => event === 'resync')).toHaveLength(1)
    expect(events[0]?.event).toBe('resync')
    const offsets = events.map(({ id }) => parseCursor(id)?.offset ?? 0)
    expect(offsets).toEqual(offsets.map((_, index) => (offsets[0] ?? 0) + index))
    await feed.close()
  })

  test('whatever is published, streams of every pace get every event of their topics, once, in order', async () => {
    const topics = ['a', 'b', 'c']
    const steps = fc.array(
      fc.oneof(
        fc.record({
          publish: fc.constantFrom(...topics),
          count: fc.integer({ min: 1, max: 40 }),
        }),
        fc.record({ read: fc.integer({ min: 0, max: 3 }) }),
        fc.record({ reconnect: fc.integer({ min: 0, max: 3 }) }),
      ),
      { maxLength: 40 },
    )
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.array(fc.subarray(topics, { minLength: 1 }), { minLength: 4, maxLength: 4 }),
        async (plan, topicSets) => {
          const memory = createMemoryLog({ maxCount: 100_000, maxAgeMs: 60_000 })
          const small = createHub(memory, { tailBytes: 4_000 })
          const published: { topic: string; id: string | undefined }[] = []
          const open = async (index: number, start?: Subscription['start']) => {
            const feed = await small.subscribe({
              topics: topicSets[index] ?? [],
              envelope: false,
              start,
            })
            return { feed, reader: readerOf(feed) }
          }
          const seen: (string | undefined)[][] = topicSets.map(() => [])
          const streams = await Promise.all(topicSets.map((_, index) => open(index)))
          const first = streams.map(({ feed }) => feed.cursor() ?? '')
          const missing = (index: number): number =>
            published.filter(({ topic }) => topicSets[index]?.includes(topic)).length -
            (seen[index]?.length ?? 0)
          const readOnce = async (index: number): Promise<void> => {
            const events = (await streams[index]?.reader.next()) ?? []
            seen[index]?.push(...events.map(({ id }) => id))
          }

          for (const step of plan) {
            if ('publish' in step) {
              const events = Array.from({ length: step.count }, () => ({
                type: 'message',
                data: 'x',
              }))
              const { ids } = await memory.append(step.publish, events)
              published.push(...ids.map((id) => ({ topic: step.publish, id })))
            } else if ('read' in step) {
              if (missing(step.read) > 0) await readOnce(step.read)
            } else {
              await streams[step.reconnect]?.feed.close()
              const cursor = seen[step.reconnect]?.at(-1) ?? first[step.reconnect] ?? ''
              streams[step.reconnect] = await open(step.reconnect, presenting(cursor))
            }
          }
          for (const index of topicSets.keys()) while (missing(index) > 0) await readOnce(index)

          for (const [index, names] of topicSets.entries()) {
            expect(seen[index]).toEqual(
              published.filter(({ topic }) => names.includes(topic)).map(({ id }) => id),
            )
          }
          await Promise.all(streams.map(({ feed }) => feed.close()))
          await small.close()
        },
      ),
      { numRuns: 60 },
    )
  })

  test('the log is watched only from the first read until the last reader leaves', async () => {
    vi.useFakeTimers()
    const watch = vi.spyOn(log, 'watch')

    const never = await subscribe('news')
    await never.close()
    expect(watch).not.toHaveBeenCalled()

    const feeds = await Promise.all([subscribe('news'), subscribe('news')])
    for (const feed of feeds) void ready(feed).then(() => ready(feed))
    await vi.advanceTimersByTimeAsync(10)
    expect(watch).toHaveBeenCalledOnce()

    await Promise.all(feeds.map((feed) => feed.close()))
    await vi.advanceTimersByTimeAsync(10)
    expect(watch.mock.calls[0]?.[1].signal.aborted).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  test('a stream waits while the log is unavailable', async () => {
    const feed = await subscribe('news')
    const data = readData(feed, 2)
    await append('news', 'one')
    const read = vi.spyOn(log, 'read').mockRejectedValue(new LogError('unavailable', 'gone'))

    await append('news', 'two')
    await vi.waitFor(() => expect(read.mock.calls.length).toBeGreaterThan(1), { timeout: 4_000 })
    read.mockRestore()

    expect(await data).toEqual(['one', 'two'])
    await feed.close()
  })

  test('a flush that catches up with another process yields to the event loop', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hub-'))
    const file = join(folder, 'events.db')
    const [own, other] = [openSqliteLog({ file, ...many }), openSqliteLog({ file, ...many })]
    const behind = createHub(own)
    const feed = await behind.subscribe({ topics: ['quiet'], envelope: false })
    // The test drives the polling of the file.
    vi.useFakeTimers({ toFake: ['setInterval'] })
    const read = vi.spyOn(own, 'read')
    const arrived = readerOf(feed).next()
    // The first flush has nothing to catch up with.
    await vi.waitFor(() => expect(read).toHaveBeenCalled())
    // While this process does not poll, another one appends many events.
    const batch = Array.from({ length: 2_000 }, () => ({ type: 'message', data: 'x'.repeat(40) }))
    for (let n = 0; n < 50; n++) await other.append('busy', batch)
    await other.append('quiet', [{ type: 'message', data: 'last' }])

    let turns = 0
    const count = (): void => {
      turns++
      next = setImmediate(count)
    }
    let next = setImmediate(count)
    vi.advanceTimersByTime(250)
    const events = await arrived
    clearImmediate(next)

    expect(events.map(({ data }) => data)).toEqual(['last'])
    // A hundred pages are read, a few in each turn.
    expect(turns).toBeGreaterThan(10)
    vi.useRealTimers()
    await feed.close()
    await Promise.all([behind.close(), other.close()])
    rmSync(folder, { recursive: true })
  })

  test('when the log starts over, a stream gets resync, and none of its ids is ahead of the log', async () => {
    const changed: (() => void)[] = []
    let current = log
    await hub.close()
    log = createMemoryLog(retention)
    hub = createHub({
      ...log,
      head: () => current.head(),
      read: (request) => current.read(request),
      watch: (onChange) => changed.push(onChange),
    })
    current = log
    await append('news', 'one', 'two', 'three')
    const feed = await subscribe('news')
    const reader = readerOf(feed)
    const first = reader.next()
    await vi.waitFor(() => expect(changed).toHaveLength(1))
    await append('news', 'four')
    for (const tell of changed) tell()
    await first

    current = createMemoryLog(retention)
    const { epoch } = await current.head()
    const second = reader.next()
    for (const tell of changed) tell()
    const [resync] = await second
    void ready(feed)
    const cursor = feed.cursor()

    expect(resync).toMatchObject({ event: 'resync', id: `${epoch}.0` })
    expect(cursor).toBe(`${epoch}.0`)
    await feed.close()
  })
})
