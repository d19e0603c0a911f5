/** What a SQLite log answers about its past. Every answer comes from one snapshot. */
import type { Cursor } from '@/events/cursor'
import type { StoredEvent } from '@/events/event'
import { lostReason, type EventLog, type Lost } from './event-log'
import { only, textOf, type Connection, type Text } from './sqlite-connection'

type ReadRequest = Parameters<EventLog['read']>[0]
type Page = Awaited<ReturnType<EventLog['read']>>
type Start = Parameters<EventLog['locate']>[1]
type Place = Awaited<ReturnType<EventLog['locate']>>

export interface SqliteReader {
  read(request: ReadRequest): Page
  locate(topics: readonly string[], start: Start): Place
  head(): Cursor
}

/** The log as the snapshot has it, for the topics asked. */
interface View {
  head: Cursor
  /** The topics asked, of which the log knows something; undefined when all are asked. */
  ids: number[] | undefined
  names: Map<number, string>
  /** All events up to here are too old to be read, all after it are not. */
  agedUpTo: number
  /** The highest offset of those topics that is no longer kept. */
  removedUpTo: number
}

/** Few enough that big events are not read for nothing, many enough that small ones take few queries. */
const rowsPerQuery = 50

export function createSqliteReader(connection: Connection, maxAgeMs: number): SqliteReader {
  function view(topics?: readonly string[]): View {
    const [epoch, offset, floor, trimmed] = only(
      connection.rows<[string, number, number, number]>(
        'SELECT epoch, head, floor, trimmed FROM log',
      ),
    )
    const head = { epoch, offset }
    const agedUpTo = lastBefore(Date.now() - maxAgeMs, offset)
    const names = new Map<number, string>()
    if (!topics) {
      return { head, ids: undefined, names, agedUpTo, removedUpTo: Math.max(trimmed, agedUpTo) }
    }
    let removedUpTo = 0
    for (const topic of topics) {
      const [row] = connection.rows<[number, number]>(
        'SELECT id, trimmed FROM topics WHERE name = ?',
        topic,
      )
      removedUpTo = Math.max(removedUpTo, row ? row[1] : floor)
      if (!row) continue
      names.set(row[0], topic)
      if (agedUpTo === 0) continue
      const [aged] = only(
        connection.rows<[number | null]>(
          'SELECT max(offset) FROM events WHERE topic_id = ? AND offset <= ?',
          row[0],
          agedUpTo,
        ),
      )
      removedUpTo = Math.max(removedUpTo, aged ?? 0)
    }
    return { head, ids: [...names.keys()], names, agedUpTo, removedUpTo }
  }

  /** The offset up to which all events are older than `time`, 0 when none is. */
  function lastBefore(time: number, head: number): number {
    const [oldest] = connection.rows<[number, number]>(
      'SELECT offset, time FROM events ORDER BY offset LIMIT 1',
    )
    if (!oldest || oldest[1] >= time) return 0
    let low = oldest[0]
    let high = head
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      const [offset, at] = only(
        connection.rows<[number, number]>(
          'SELECT offset, time FROM events WHERE offset <= ? ORDER BY offset DESC LIMIT 1',
          middle,
        ),
      )
      if (at < time) low = middle
      else high = offset - 1
    }
    return low
  }

  function firstAfter({ ids }: View, after: number): number | undefined {
    if (!ids) {
      const [first] = only(
        connection.rows<[number | null]>('SELECT min(offset) FROM events WHERE offset > ?', after),
      )
      return first ?? undefined
    }
    let earliest: number | undefined
    for (const id of ids) {
      const [first] = only(
        connection.rows<[number | null]>(
          'SELECT min(offset) FROM events WHERE topic_id = ? AND offset > ?',
          id,
          after,
        ),
      )
      if (first !== null) earliest = Math.min(first, earliest ?? first)
    }
    return earliest
  }

  function beforeFirst(seen: View, after: number): Cursor {
    const first = firstAfter(seen, Math.max(after, seen.agedUpTo))
    return first === undefined ? seen.head : { ...seen.head, offset: first - 1 }
  }

  function startOf(seen: View, start: { last: number } | { since: number }): Cursor {
    if ('since' in start) {
      return beforeFirst(seen, lastBefore(start.since, seen.head.offset))
    }
    if (start.last === 0) return seen.head
    return beforeFirst(seen, nthNewest(seen.ids ?? [], start.last) - 1)
  }

  /** The offset of the newest event but `count` - 1, 0 when there are fewer. */
  function nthNewest(ids: readonly number[], count: number): number {
    if (ids.length === 0) return 0
    const branches = ids.map(() => 'SELECT offset FROM events WHERE topic_id = ?')
    const [row] = connection.rows<[number]>(
      `${branches.join(' UNION ALL ')} ORDER BY offset DESC LIMIT 1 OFFSET ?`,
      ...ids,
      count - 1,
    )
    return row ? row[0] : 0
  }

  function judge(cursor: Cursor, seen: View): { from: number; lost: Lost | undefined } {
    const { head, agedUpTo, removedUpTo } = seen
    const reason = lostReason(cursor, head, removedUpTo)
    if (!reason) return { from: cursor.offset, lost: undefined }
    const from = Math.max(reason === 'trimmed' ? cursor.offset : 0, agedUpTo)
    const first = firstAfter(seen, from)
    const oldest = first === undefined ? undefined : { ...head, offset: first }
    return { from, lost: { reason, oldest, upTo: removedUpTo } }
  }

  function rowsAfter(ids: readonly number[] | undefined, after: number, limit: number): EventRow[] {
    if (ids?.length === 0) return []
    const columns = 'SELECT offset, topic_id, type, data, time FROM events WHERE'
    // SQLite merges the branches by their index: a quiet topic costs nothing of its busy neighbours. IN would sort them all.
    const branches = ids?.map(() => `${columns} topic_id = ? AND offset > ?`)
    return connection.rows<EventRow>(
      `${branches?.join(' UNION ALL ') ?? `${columns} offset > ?`} ORDER BY offset LIMIT ?`,
      ...(ids?.flatMap((id) => [id, after]) ?? [after]),
      limit,
    )
  }

  function nameOf({ names }: View, id: number): string {
    let name = names.get(id)
    if (name === undefined) {
      ;[name] = only(connection.rows<[string]>('SELECT name FROM topics WHERE id = ?', id))
      names.set(id, name)
    }
    return name
  }

  /** Events from the snapshot; `isCut` when there may be more. */
  function collect(seen: View, from: number, { limit, maxBytes }: ReadRequest) {
    const events: StoredEvent[] = []
    let bytes = 0
    let last = from
    while (events.length < limit) {
      const wanted = Math.min(limit - events.length, rowsPerQuery)
      const rows = rowsAfter(seen.ids, last, wanted)
      for (const [offset, id, type, data, time] of rows) {
        bytes += Buffer.byteLength(data)
        if (events.length > 0 && bytes > maxBytes) return { events, isCut: true }
        const topic = nameOf(seen, id)
        events.push({ topic, offset, type: textOf(type), data: textOf(data), time })
        last = offset
      }
      if (rows.length < wanted) return { events, isCut: false }
    }
    return { events, isCut: true }
  }

  function snapshot<T>(answer: () => T): T {
    return connection.transaction('DEFERRED', answer)
  }

  return {
    read: (request) =>
      snapshot(() => {
        const seen = view(request.topics)
        const { from, lost } = judge(request.after, seen)
        const { events, isCut } = collect(seen, from, request)
        const last = events.at(-1)
        const through = isCut && last ? { ...seen.head, offset: last.offset } : seen.head
        return { events, through, lost }
      }),
    locate: (topics, start) =>
      snapshot(() => {
        const seen = view(topics)
        const { removedUpTo } = seen
        if ('cursor' in start) {
          const { from, lost } = judge(start.cursor, seen)
          return { after: lost ? beforeFirst(seen, from) : start.cursor, lost, removedUpTo }
        }
        return { after: startOf(seen, start), removedUpTo }
      }),
    head: () => {
      const [epoch, offset] = only(connection.rows<[string, number]>('SELECT epoch, head FROM log'))
      return { epoch, offset }
    },
  }
}

type EventRow = [offset: number, id: number, type: Text, data: Text, time: number]
