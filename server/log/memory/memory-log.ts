/** A log in this process's memory: its events are lost when the process ends. For tests and demos. */
import { randomBytes } from 'node:crypto'
import { formatCursor, type Cursor } from '@/protocol/cursor'
import type { StoredEvent } from '@/protocol/event'
import { lowerBound } from '@/protocol/lower-bound'
import { clockToleranceMs, createClockWatch } from '@/server/log/clock-watch'
import {
  LogError,
  type Appended,
  type EventLog,
  type Idempotency,
  type LostReason,
  type Retention,
} from '@/server/log/event-log'
import { limitsOf } from '@/server/log/retention'
import { createWatchers } from '@/server/log/watchers'
import { createMemoryRuns } from './memory-runs'

interface Topic {
  events: StoredEvent[]
  /** The highest offset removed. */
  trimmed: number
  /** By idempotency key, oldest first; `last` is the offset of the append's last event, `time` its time. */
  keys: Map<string, { fingerprint: string; ids: string[]; last: number; time: number }>
}

/** A topic may exceed its limit by this many events. Removing them together avoids moving the array with every append. */
const lingering = 500
/** How often all topics are looked at, when nobody reads all of them. */
const sweepMs = 1_000

export function createMemoryLog(retention: Retention): EventLog {
  const epoch = randomBytes(6).toString('hex')
  const watchers = createWatchers()
  const topics = new Map<string, Topic>()
  const runs = createMemoryRuns(retention)
  let head = 0
  let lastTime = 0
  const clock = createClockWatch()
  /** The highest offset removed from any topic that has since been forgotten. */
  let floor = 0
  let sweptAt = 0
  let isClosed = false

  function at(offset: number): Cursor {
    return { epoch, offset }
  }

  /** Checks that the log is open, and removes events of these topics that are too old. Every call begins with this. */
  function prepare(names?: readonly string[]): void {
    if (isClosed) throw new LogError('closed', 'The event log is closed.')
    runs.forgetExpired()
    const now = Date.now()
    // There may be very many topics. Those that nobody asks for can wait.
    const isSweep = !names || now < sweptAt || now - sweptAt >= sweepMs
    if (isSweep) sweptAt = now
    for (const name of isSweep ? topics.keys() : names) removeAged(name, now)
  }

  function removeAged(name: string, now: number): void {
    const topic = topics.get(name)
    if (!topic) return
    const before = now - limitsOf(retention, name).maxAgeMs
    const aged = countBefore(topic.events, ({ time }) => time < before)
    remove(topic, Math.min(aged, removable(name, topic)))
    for (const [key, { time }] of topic.keys) {
      if (time >= before) break
      topic.keys.delete(key)
    }
    if (topic.events.length > 0) return
    topics.delete(name)
    floor = Math.max(floor, topic.trimmed)
  }

  /** How many events come before the living run of the topic. */
  function removable(name: string, { events }: Topic): number {
    const living = runs.livingOf(name)
    return living ? countBefore(events, ({ offset }) => offset < living.first) : events.length
  }

  function remove(topic: Topic, count: number): void {
    topic.trimmed = topic.events[count - 1]?.offset ?? topic.trimmed
    topic.events.splice(0, count)
    for (const [key, { last }] of topic.keys) {
      if (last > topic.trimmed) break
      topic.keys.delete(key)
    }
  }

  /** The time for the next append: never earlier than the newest event's. */
  function nextTime(): number {
    const now = Date.now()
    clock.note(lastTime - now > clockToleranceMs)
    if (clock.isBelieved()) setTimesBack(now)
    return (lastTime = Math.max(lastTime, now))
  }

  function setTimesBack(now: number): void {
    lastTime = now
    for (const topic of topics.values()) {
      topic.events = topic.events.map((event) => ({ ...event, time: Math.min(event.time, now) }))
    }
  }

  function openTopic(name: string): Topic {
    let topic = topics.get(name)
    if (!topic) {
      topic = { events: [], trimmed: floor, keys: new Map() }
      topics.set(name, topic)
    }
    return topic
  }

  function asked(names: readonly string[] | undefined): Topic[] {
    if (!names) return [...topics.values()]
    return [...new Set(names)].flatMap((name) => topics.get(name) ?? [])
  }

  function removedOf(names: readonly string[] | undefined): number[] {
    if (names) return names.map((name) => topics.get(name)?.trimmed ?? floor)
    let highest = floor
    for (const { trimmed } of topics.values()) highest = Math.max(highest, trimmed)
    return [highest]
  }

  /** Oldest first. */
  function kept(names: readonly string[] | undefined, after: number, limit: number): StoredEvent[] {
    const found = asked(names).flatMap(({ events }) => {
      const first = countBefore(events, ({ offset }) => offset <= after)
      return events.slice(first, first + limit)
    })
    return found.toSorted((one, other) => one.offset - other.offset).slice(0, limit)
  }

  function placeBefore(first: StoredEvent | undefined): Cursor {
    return at(first ? first.offset - 1 : head)
  }

  function checkCursor(cursor: Cursor): LostReason | undefined {
    if (cursor.epoch !== epoch) return 'epoch'
    return cursor.offset > head ? 'future' : undefined
  }

  return {
    async append(name, events, { idempotency, run: change } = {}) {
      prepare([name])
      const known = topics.get(name)
      const seen = idempotency && known && seenBefore(known, idempotency)
      if (seen) return seen
      const time = nextTime()
      const span = { first: head + 1, last: head + events.length, time }
      const run = change && runs.change(name, change, span)
      if (run instanceof LogError) throw run
      if (run?.applied === false) return { ids: [], replayed: false, run }

      const topic = openTopic(name)
      const { maxCount, latest } = limitsOf(retention, name)
      if (latest && !runs.livingOf(name)) topic.events.length = 0
      const ids: string[] = []
      for (const { type, data } of events) {
        topic.events.push({ topic: name, type, data, epoch, offset: ++head, time })
        ids.push(formatCursor(at(head)))
      }
      if (idempotency) topic.keys.set(idempotency.key, { ...idempotency, ids, last: head, time })
      const surplus = topic.events.length - (latest ? 1 : maxCount)
      if (latest && surplus > 0) topic.events.splice(0, Math.min(surplus, removable(name, topic)))
      else if (surplus > lingering) remove(topic, Math.min(surplus, removable(name, topic)))
      if (events.length > 0) watchers.notify()
      return { ids, replayed: false, run }
    },

    async read({ topics: names, after, limit, maxBytes }) {
      prepare(names)
      const lost = checkCursor(after)
      const found = kept(names, lost ? 0 : after.offset, limit)
      const events = fitting(found, maxBytes)
      const isCut = events.length < found.length || events.length === limit
      const through = at(isCut ? (events.at(-1)?.offset ?? head) : head)
      return { events, through, lost, removed: removedOf(names) }
    },

    async locate(names, start) {
      prepare(names)
      const removed = removedOf(names)
      if ('cursor' in start) {
        const lost = checkCursor(start.cursor)
        return { after: lost ? placeBefore(kept(names, 0, 1)[0]) : start.cursor, lost, removed }
      }
      const all = kept(names, 0, Number.POSITIVE_INFINITY)
      const first =
        'since' in start
          ? all.find(({ time }) => time >= start.since)
          : all[Math.max(0, all.length - start.last)]
      return { after: placeBefore(first), removed }
    },

    async findRun(topic, id) {
      prepare([])
      return runs.find(topic, id)
    },

    async livingRuns() {
      prepare([])
      return runs.living()
    },

    async head() {
      prepare([])
      return at(head)
    },

    watch(onChange, { signal }) {
      prepare([])
      watchers.add(onChange, signal)
    },

    async close() {
      isClosed = true
      watchers.end()
      topics.clear()
    },
  }
}

function seenBefore(topic: Topic, { key, fingerprint }: Idempotency): Appended | undefined {
  const seen = topic.keys.get(key)
  if (!seen) return undefined
  if (seen.fingerprint === fingerprint) return { ids: [...seen.ids], replayed: true }
  throw new LogError(
    'idempotency-conflict',
    'The idempotency key was used before, for other events.',
  )
}

function fitting(events: readonly StoredEvent[], maxBytes: number): StoredEvent[] {
  let bytes = 0
  const end = events.findIndex(({ data }, index) => {
    bytes += Buffer.byteLength(data)
    return index > 0 && bytes > maxBytes
  })
  return events.slice(0, end === -1 ? undefined : end)
}

/** How many of the first items satisfy `isBefore`. No later item may satisfy it. */
function countBefore<T>(items: readonly T[], isBefore: (item: T) => boolean): number {
  return lowerBound(items.length, (index) => {
    const item = items[index]
    return item !== undefined && isBefore(item)
  })
}
