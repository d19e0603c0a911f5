/**
 * The events that this process has appended last, in memory, without a gap up to the head of the log. A hub reads each new event of the
 * log once, right after it was written: from here, that costs a tenth of what the file would.
 */
import type { Cursor } from '@/protocol/cursor'
import type { StoredEvent } from '@/protocol/event'

export interface RecentEvents {
  /** Adds the events of one transaction, and when the first of them is too old, in milliseconds since the Unix epoch. */
  add(appended: AppendedEvents): void
  /** Forgets everything, because not all events that were appended may be told from memory. */
  clear(): void
  /**
   * The events after an offset, all of the log: at most `limit`, and at most `maxBytes` of data but at least one event. Undefined when
   * they are not all here, or the log has others: `head` must be what the file says now, and nothing after `removed` may be missing there.
   */
  after(offset: number, request: RecentRequest): StoredEvent[] | undefined
}

export interface AppendedEvents {
  /** The head of the log before them. */
  before: number
  events: readonly StoredEvent[]
  expiresAt: number
}

export interface RecentRequest {
  head: Cursor
  /** The highest offset that the log has removed. */
  removed: number
  limit: number
  maxBytes: number
}

const maxEvents = 20_000
const maxBytesKept = 4 * 1024 * 1024
/** Roughly the memory that an event needs besides its data. */
const overheadBytes = 100

export function createRecentEvents(): RecentEvents {
  let events: StoredEvent[] = []
  let keptBytes = 0
  let expiresAt = Infinity

  function clear(): void {
    events = []
    keptBytes = 0
    expiresAt = Infinity
  }

  return {
    clear,
    add(appended) {
      const [first] = appended.events
      if (!first) return
      // Another process has appended in between.
      if (events.at(-1)?.offset !== appended.before) clear()
      let bytes = 0
      for (const { data } of appended.events) bytes += overheadBytes + data.length
      // All of them, because a reader that has fallen so far behind reads pages from the file anyway.
      if (events.length + appended.events.length > maxEvents || keptBytes + bytes > maxBytesKept) {
        clear()
      }
      events.push(...appended.events)
      keptBytes += bytes
      expiresAt = Math.min(expiresAt, appended.expiresAt)
    },
    after(offset, { head, removed, limit, maxBytes }) {
      const [first, last] = [events[0], events.at(-1)]
      if (!first || !last || offset < first.offset - 1 || removed >= first.offset) return undefined
      if (last.offset !== head.offset || last.epoch !== head.epoch) return undefined
      if (expiresAt <= Date.now()) return undefined
      const found: StoredEvent[] = []
      let bytes = 0
      const from = offset + 1 - first.offset
      for (let index = from; index < events.length && found.length < limit; index++) {
        const event = events[index]
        if (!event) break
        bytes += Buffer.byteLength(event.data)
        if (found.length > 0 && bytes > maxBytes) break
        found.push(event)
      }
      return found
    },
  }
}
