/** Reads a SQLite log. Every answer comes from one snapshot. */
import { cursorOf, type Cursor } from '@/protocol/cursor'
import type { StoredEvent } from '@/protocol/event'
import type { EventLog, Retention, Start } from '@/server/log/event-log'
import { limitsOf } from '@/server/log/retention'
import type { StoredRun } from '@/server/log/run-change'
import type { RecentEvents } from './recent-events'
import { only, textOf, type Connection } from './sqlite-connection'
import {
  firstAfter,
  hasBefore,
  lastBefore,
  lastUpTo,
  nthNewest,
  rowsAfter,
  type EventRow,
  type ReadableTopic,
} from './sqlite-rows'
import { beginOfLiving, findRun, livingRuns } from './sqlite-runs'
import { createDamageGuard, salvageRows, type Salvaged } from './sqlite-salvage'
import { epochsBetween, checkCursor, readLogRow, type LogRow } from './sqlite-terms'

type ReadRequest = Parameters<EventLog['read']>[0]
type Page = Awaited<ReturnType<EventLog['read']>>
type Place = Awaited<ReturnType<EventLog['locate']>>

export interface SqliteReader {
  read(request: ReadRequest): Page
  locate(topics: readonly string[], start: Start): Place
  findRun(topic: string, id?: string): StoredRun | undefined
  livingRuns(): StoredRun[]
  head(): Cursor
}

/** The state of the log in the snapshot, for the requested topics. */
interface View {
  log: LogRow
  head: Cursor
  /** The requested topics that the log knows; undefined when all topics are requested. */
  topics: ReadableTopic[] | undefined
  /** The topics of the log that this view has met, by their ids. */
  known: Map<number, KnownTopic>
  /** Up to this offset, events of no requested topic may be read. */
  keptAfter: number
  /** For each requested topic, the highest offset that is no longer kept. */
  removed: number[]
}

interface KnownTopic {
  name: string
  /** The age limit of a topic that has its own. */
  ownAgeMs: number | null
}

/** Small enough to avoid reading big events beyond `maxBytes`, and large enough to need few queries for small events. */
const rowsPerQuery = 50

export function createSqliteReader(
  connection: Connection,
  retention: Retention,
  recent: RecentEvents,
): SqliteReader {
  const { maxAgeMs } = retention
  const unlessDamaged = createDamageGuard()

  function view(requested?: readonly string[]): View {
    const log = readLogRow(connection)
    const head = { epoch: log.epoch, offset: log.head }
    const known = new Map<number, KnownTopic>()
    if (!requested) {
      const keptAfter = agedUpTo(maxAgeMs, log.head)
      const removed = [Math.max(log.trimmed, keptAfter)]
      return { log, head, topics: undefined, known, keptAfter, removed }
    }
    const topics: ReadableTopic[] = []
    const removed = requested.map((name) => {
      const [row] = connection.rows<[number, number, number | null]>(
        'SELECT id, trimmed, max_age FROM topics WHERE name = ?',
        name,
      )
      if (!row) return log.floor
      const [id, trimmed, ownAgeMs] = row
      known.set(id, { name, ownAgeMs })
      const keptAfter = lastAgedOf(id, name, ownAgeMs ?? maxAgeMs, log.head)
      topics.push({ id, keptAfter })
      return Math.max(trimmed, keptAfter)
    })
    const keptAfter = Math.min(...topics.map((topic) => topic.keptAfter))
    return { log, head, topics, known, keptAfter: topics.length > 0 ? keptAfter : 0, removed }
  }

  function agedUpTo(ageMs: number, head: number): number {
    return unlessDamaged(
      () => lastBefore(connection, Date.now() - ageMs, head),
      () => 0,
    )
  }

  /** The highest offset among a topic's events that are too old, or 0 when there are none. The events of a living run do not age. */
  function lastAgedOf(topicId: number, name: string, ageMs: number, head: number): number {
    return unlessDamaged(
      () => {
        const time = Date.now() - ageMs
        if (!hasBefore(connection, topicId, time)) return 0
        const living = beginOfLiving(connection, name) ?? Infinity
        return lastUpTo(
          connection,
          topicId,
          Math.min(lastBefore(connection, time, head), living - 1),
        )
      },
      () => 0,
    )
  }

  function placeAt(offset: number): Cursor {
    return { epoch: epochsBetween(connection, offset, offset)(offset), offset }
  }

  function beforeFirst(seen: View, after: number): Cursor {
    const from = Math.max(after, seen.keptAfter)
    const first = unlessDamaged(
      () => firstAfter(connection, seen.topics, from),
      () => from + 1,
    )
    return first === undefined ? seen.head : { ...placeAt(first), offset: first - 1 }
  }

  function startOf(seen: View, start: { last: number } | { since: number }): Cursor {
    if ('since' in start) {
      const last = unlessDamaged(
        () => lastBefore(connection, start.since, seen.log.head),
        () => 0,
      )
      return beforeFirst(seen, last)
    }
    if (start.last === 0) return seen.head
    const newest = unlessDamaged(
      () => nthNewest(connection, seen.topics ?? [], start.last),
      () => 0,
    )
    return beforeFirst(seen, newest - 1)
  }

  function topicOf({ known }: View, id: number): KnownTopic {
    let topic = known.get(id)
    if (!topic) {
      const query = 'SELECT name, max_age FROM topics WHERE id = ?'
      const [name, ownAgeMs] = only(connection.rows<[string, number | null]>(query, id))
      topic = { name, ownAgeMs }
      known.set(id, topic)
    }
    return topic
  }

  /** Whether an event, read together with those of all topics, is older than its own topic allows. */
  function isOverage(seen: View, [offset, id, , , time]: EventRow): boolean {
    if (seen.topics) return false
    const { name, ownAgeMs } = topicOf(seen, id)
    if (ownAgeMs === null || time >= Date.now() - ownAgeMs) return false
    return offset < (beginOfLiving(connection, name) ?? Infinity)
  }

  /** Reads rows after `from`, complete up to `upTo`. */
  function collect(seen: View, from: number, { limit, maxBytes }: ReadRequest): Salvaged {
    const found: EventRow[] = []
    const cut = (): Salvaged => ({ found, upTo: found.at(-1)?.[0] ?? from, damaged: 0 })
    let bytes = 0
    while (found.length < limit) {
      const wanted = Math.min(limit - found.length, rowsPerQuery)
      const rows = rowsAfter(connection, seen.topics, found.at(-1)?.[0] ?? from, wanted)
      for (const row of rows) {
        bytes += Buffer.byteLength(row[3])
        if (found.length > 0 && bytes > maxBytes) return cut()
        found.push(row)
      }
      if (rows.length < wanted) return { found, upTo: seen.head.offset, damaged: 0 }
    }
    return cut()
  }

  function toEvents(seen: View, found: readonly EventRow[]): StoredEvent[] {
    const [first, last] = [found[0], found.at(-1)]
    if (!first || !last) return []
    const epochOf = epochsBetween(connection, first[0], last[0])
    return found.map(([offset, id, type, data, time]) => ({
      topic: topicOf(seen, id).name,
      epoch: epochOf(offset),
      offset,
      type: textOf(type),
      data: textOf(data),
      time,
    }))
  }

  return {
    read: (request) =>
      connection.snapshot(() => {
        const { after } = request
        const seen = view(request.topics)
        const { head, keptAfter, removed } = seen
        const lost = checkCursor(connection, after, seen.log)
        const from = Math.max(lost ? 0 : after.offset, keptAfter)
        const known = seen.topics
          ? undefined
          : recent.after(from, { ...request, head, removed: Math.max(0, ...removed) })
        if (known) {
          const last = known.at(-1)
          return { events: known, through: last ? cursorOf(last) : head, lost, removed }
        }
        const { found, upTo, damaged } = unlessDamaged(
          () => collect(seen, from, request),
          () => salvageRows(connection, seen.topics, { ...request, from, head: head.offset }),
        )
        const events = toEvents(
          seen,
          found.filter((row) => !isOverage(seen, row)),
        )
        const overage = found.findLast((row) => isOverage(seen, row))?.[0] ?? 0
        return {
          events,
          through: upTo === head.offset ? head : placeAt(upTo),
          lost,
          removed: removed.map((offset) => Math.max(offset, damaged, overage)),
        }
      }),
    locate: (topics, start) =>
      connection.snapshot(() => {
        const seen = view(topics)
        const { removed } = seen
        if (!('cursor' in start)) return { after: startOf(seen, start), removed }
        const lost = checkCursor(connection, start.cursor, seen.log)
        return { after: lost ? beforeFirst(seen, 0) : start.cursor, lost, removed }
      }),
    findRun: (topic, id) =>
      connection.snapshot(() =>
        findRun(connection, limitsOf(retention, topic).maxAgeMs, topic, id),
      ),
    livingRuns: () => connection.snapshot(() => livingRuns(connection)),
    head: () => {
      const { epoch, head } = readLogRow(connection)
      return { epoch, offset: head }
    },
  }
}
