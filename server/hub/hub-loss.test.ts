import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { readerOf } from '@/test/readers/feed-reader'
import { formatCursor, parseCursor, type Cursor } from '@/protocol/cursor'
import type { Feed } from '@/server/stream/feed'
import type { StoredEvent } from '@/protocol/event'
import type { EventLog } from '@/server/log/event-log'
import { createHub, type Hub } from './hub'

interface LossyLog extends EventLog {
  events: readonly StoredEvent[]
  /** Loses its newest events without notifying watchers, like a Redis that restarts without its last writes. */
  lose(count: number): void
}

/** A log in memory that can lose its newest events. The next append then begins a term. Never trims. */
function createLossyLog(): LossyLog {
  const watchers = new Set<() => void>()
  const terms = [{ epoch: 'term1', begin: 0 }]
  let events: StoredEvent[] = []
  let hasLost = false

  const head = (): Cursor => ({ epoch: terms.at(-1)?.epoch ?? '', offset: events.length })
  function checkCursor({ epoch, offset }: Cursor): 'epoch' | 'future' | undefined {
    const index = terms.findIndex((term) => term.epoch === epoch)
    if (index === -1) return 'epoch'
    return offset > (terms[index + 1]?.begin ?? events.length) ? 'future' : undefined
  }

  return {
    get events() {
      return events
    },
    lose(count) {
      events = events.slice(0, Math.max(0, events.length - count))
      // A term is lost together with the events in which it began.
      while (terms.length > 1 && (terms.at(-1)?.begin ?? 0) > events.length) terms.pop()
      hasLost = true
    },
    async append(topic, added) {
      if (hasLost)
        terms.push({ epoch: `t${Math.random().toString(36).slice(2, 10)}`, begin: events.length })
      hasLost = false
      const { epoch } = head()
      const stored = added.map((one, index) => ({
        ...one,
        topic,
        epoch,
        offset: events.length + index + 1,
        time: 0,
      }))
      events = [...events, ...stored]
      for (const onChange of watchers) onChange()
      return { ids: stored.map(formatCursor), replayed: false }
    },
    async read({ topics, after, limit }) {
      const lost = checkCursor(after)
      const from = lost ? 0 : after.offset
      const found = events.filter(
        ({ offset, topic }) => offset > from && (topics?.includes(topic) ?? true),
      )
      const page = found.slice(0, limit)
      const last = page.at(-1)
      const through =
        last && page.length < found.length ? { epoch: last.epoch, offset: last.offset } : head()
      return { events: page, through, lost, removed: topics?.map(() => 0) ?? [0] }
    },
    async locate(topics, start) {
      const removed = topics.map(() => 0)
      if (!('cursor' in start)) return { after: head(), removed }
      const lost = checkCursor(start.cursor)
      const [first] = events.filter(({ topic }) => topics.includes(topic))
      const beginning = first ? { epoch: first.epoch, offset: first.offset - 1 } : head()
      return { after: lost ? beginning : start.cursor, lost, removed }
    },
    findRun: async () => undefined,
    livingRuns: async () => [],
    head: async () => head(),
    watch(onChange, { signal }) {
      watchers.add(onChange)
      signal.addEventListener('abort', () => watchers.delete(onChange))
    },
    close: async () => {},
  }
}

interface Listener {
  feed: Feed
  /** The ids that the client has. Like a real client, it clears its list when it hears of a loss. */
  ids: string[]
  cursor: string
  /** The client's list begins after this offset. */
  from: number
  next: () => Promise<void>
  /** True: events that still arrive on this connection are ignored. */
  hasLeft: boolean
}

async function listen(hub: Hub, topics: string[], from: string, old?: Listener): Promise<Listener> {
  const cursor = parseCursor(from) ?? { epoch: '', offset: 0 }
  const start = { cursor: { ...cursor, text: from } }
  const feed = await hub.subscribe({ topics, envelope: false, start })
  const reader = readerOf(feed)
  const listener: Listener = {
    feed,
    ids: old?.ids ?? [],
    cursor: from,
    from: old?.from ?? cursor.offset,
    hasLeft: false,
    async next() {
      const events = await reader.next()
      if (listener.hasLeft) return
      for (const { event, id = '' } of events) {
        listener.cursor = id
        if (event === 'resync') Object.assign(listener, { ids: [], from: 0 })
        else listener.ids.push(id)
      }
    },
  }
  return listener
}

function eventOf(data: string): { type: string; data: string } {
  return { type: 'message', data }
}

let hub: Hub

afterEach(async () => {
  await hub.close()
})

describe('a log that loses its newest events', () => {
  test('pages cached before the loss are dropped: no reader gets one of them followed by later events', async () => {
    const log = createLossyLog()
    hub = createHub(log)
    await log.append('a', [eventOf('one')])
    const start = formatCursor(await log.head())
    await log.append('a', [eventOf('two'), eventOf('gone')])
    const staying = await listen(hub, ['a'], formatCursor(await log.head()))
    const told = staying.next()
    // This read caches a page that ends at the head of the log.
    const early = await listen(hub, ['a'], start)
    await early.next()
    await early.feed.close()

    log.lose(1)
    await log.append('a', [eventOf('three')])
    await told
    await log.append('a', [eventOf('four'), eventOf('five')])
    const late = await listen(hub, ['a'], start)
    const last = log.events.findLast(({ topic }) => topic === 'a')
    while (late.ids.at(-1) !== (last && formatCursor(last))) await late.next()

    const kept = log.events.filter(({ topic, offset }) => topic === 'a' && offset > late.from)
    expect(late.ids).toEqual(kept.map(formatCursor))
    await Promise.all([late.feed.close(), staying.feed.close()])
  })

  test('whenever the loss happens, readers end up with exactly the events of the log', async () => {
    const steps = fc.array(
      fc.oneof(
        {
          weight: 4,
          arbitrary: fc.record({ append: fc.integer({ min: 1, max: 3 }), to: fc.nat(2) }),
        },
        { weight: 2, arbitrary: fc.record({ lose: fc.integer({ min: 1, max: 5 }) }) },
        { weight: 4, arbitrary: fc.record({ read: fc.nat(3) }) },
        { weight: 3, arbitrary: fc.record({ reconnect: fc.nat(3) }) },
        { weight: 2, arbitrary: fc.record({ turns: fc.integer({ min: 1, max: 6 }) }) },
      ),
      { maxLength: 40 },
    )
    const topics = ['a', 'b', 'c']
    const asked = [['a'], ['b'], ['a', 'b'], topics]
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const log = createLossyLog()
        const own = createHub(log, { tailBytes: 2_000 })
        const listeners: Listener[] = []
        for (const names of asked) listeners.push(await listen(own, names, 'term1.0'))
        const hasAll = (index: number): boolean => {
          const listener = listeners[index]
          const wanted = log.events.filter(
            ({ topic, offset }) =>
              asked[index]?.includes(topic) === true && offset > (listener?.from ?? 0),
          )
          return JSON.stringify(listener?.ids) === JSON.stringify(wanted.map(formatCursor))
        }
        const pending = new Map<number, Promise<void>>()
        const readOnce = (index: number): Promise<void> => {
          const reading = pending.get(index) ?? listeners[index]?.next() ?? Promise.resolve()
          pending.set(index, reading)
          return reading.then(() => void pending.delete(index))
        }

        for (const step of plan) {
          if ('append' in step) {
            const added = Array.from({ length: step.append }, () => eventOf('x'.repeat(200)))
            await log.append(topics[step.to] ?? '', added)
          } else if ('lose' in step) log.lose(step.lose)
          else if ('read' in step) void readOnce(step.read)
          else if ('turns' in step) {
            for (let n = 0; n < step.turns; n++) await new Promise(setImmediate)
          } else {
            const old = listeners[step.reconnect]
            if (old) {
              old.hasLeft = true
              await old.feed.close()
              pending.delete(step.reconnect)
              const names = asked[step.reconnect] ?? []
              listeners[step.reconnect] = await listen(own, names, old.cursor, old)
            }
          }
        }
        // A loss notifies no watcher, so waiting readers hear of the loss with the next append.
        for (const topic of topics) await log.append(topic, [eventOf('last')])
        for (const index of listeners.keys()) {
          while (!hasAll(index)) {
            const isStuck = await Promise.race([readOnce(index), sleep(5_000, 'stuck')])
            if (isStuck)
              throw new Error(`The reader is stuck at ${listeners[index]?.ids.join(' ')}.`)
          }
        }

        await Promise.all(listeners.map(({ feed }) => feed.close()))
        await own.close()
      }),
      { numRuns: 1_000 },
    )
    hub = createHub(createLossyLog())
  })
})
