/** What changes a SQLite log: appends, many in one transaction, and trimming in small steps. */
import { formatCursor } from '@/protocol/cursor'
import type { NewEvent } from '@/protocol/event'
import { clockToleranceMs, createClockWatch } from '@/server/log/clock-watch'
import { LogError, type Appended, type Idempotency, type Retention } from '@/server/log/event-log'
import type { Connection } from './sqlite-connection'
import type { DiskReserve } from './sqlite-reserve'
import { beginTerm, epochsBetween, readLogRow, renameTerm } from './sqlite-terms'
import { createTrimmer } from './sqlite-trimmer'

export interface Append {
  topic: string
  events: readonly NewEvent[]
  idempotency: Idempotency | undefined
}

export interface Written {
  /** For each append, in order: what it answers, or why it alone failed. */
  outcomes: (Appended | LogError)[]
  rows: number
  topicIds: ReadonlySet<number>
}

export interface SqliteWriter {
  /** All appends in one transaction. Throws when nothing was written. */
  write(appends: readonly Append[]): Written
  /** On a full disk: removes what is too old, so that its pages can be written again. False when nothing is. */
  makeRoom(reserve: DiskReserve): boolean
  /** Removes at most `stepRows` rows: what is too old, then what these topics have too many of. True when there may be more. */
  trim(topicIds: ReadonlySet<number>): boolean
}

/** What is removed at once on a full disk: 10,000 rows. */
const roomSteps = 20

export function createSqliteWriter(connection: Connection, retention: Retention): SqliteWriter {
  const { maxAgeMs } = retention
  const { rows, run } = connection
  const trim = createTrimmer(connection, retention)
  /** The log as the last append of this process left it; undefined before the first one, which begins a term. */
  let lastSeen: { epoch: string; head: number } | undefined
  const clock = createClockWatch()

  function topicIdOf(name: string): number {
    const [known] = rows<[number]>('SELECT id FROM topics WHERE name = ?', name)
    // What a topic of this name may have lost before, only the floor still knows.
    return known
      ? known[0]
      : run('INSERT INTO topics (name, count, trimmed) SELECT ?, 0, floor FROM log', name)
  }

  function seenBefore(
    id: number,
    { key, fingerprint }: Idempotency,
  ): Appended | LogError | undefined {
    const [seen] = rows<[string, number, number]>(
      'SELECT fingerprint, first, count FROM keys WHERE topic_id = ? AND key = ? AND time >= ?',
      id,
      key,
      Date.now() - maxAgeMs,
    )
    if (!seen) return undefined
    const [kept, first, count] = seen
    if (kept !== fingerprint) {
      return new LogError(
        'idempotency-conflict',
        'The idempotency key was used before, for other events.',
      )
    }
    const epoch = epochsBetween(connection, first, first)(first)
    return { ids: idsFrom(epoch, first, count), replayed: true }
  }

  function remember(
    id: number,
    { key, fingerprint }: Idempotency,
    appended: { first: number; count: number; time: number },
  ): void {
    run(
      'INSERT OR REPLACE INTO keys (topic_id, key, fingerprint, first, count, time) VALUES (?, ?, ?, ?, ?, ?)',
      id,
      key,
      fingerprint,
      appended.first,
      appended.count,
      appended.time,
    )
  }

  /** The epoch of the term that an append now is of. */
  function termOf({ epoch, head }: { epoch: string; head: number }): string {
    if (!lastSeen) return beginTerm(connection, head)
    // An earlier copy was put in its place, and there is no telling what this term has given twice.
    if (epoch === lastSeen.epoch && head < lastSeen.head) return renameTerm(connection, epoch)
    return epoch
  }

  function timeAfter(lastTime: number): number {
    const now = Date.now()
    clock.note(lastTime - now > clockToleranceMs)
    if (!clock.isBelieved()) return Math.max(lastTime, now)
    run('UPDATE events SET time = ? WHERE time > ?', now, now)
    run('UPDATE keys SET time = ? WHERE time > ?', now, now)
    return now
  }

  function write(appends: readonly Append[]) {
    // Read each time: another process may have appended.
    const before = readLogRow(connection)
    let term: string | undefined
    const time = timeAfter(before.time)
    const topicIds = new Set<number>()
    let { head } = before
    let keys = 0
    const outcomes = appends.map(({ topic, events, idempotency }) => {
      const id = topicIdOf(topic)
      const repeated = idempotency && seenBefore(id, idempotency)
      if (repeated) return repeated
      if (events.length === 0) return { ids: [], replayed: false }
      const epoch = (term ??= termOf(before))
      const first = head + 1
      const count = events.length
      for (const { type, data } of events) {
        run(
          'INSERT INTO events (offset, topic_id, type, data, time) VALUES (?, ?, ?, ?, ?)',
          ++head,
          id,
          type,
          data,
          time,
        )
      }
      run('UPDATE topics SET count = count + ? WHERE id = ?', count, id)
      topicIds.add(id)
      if (idempotency) {
        remember(id, idempotency, { first, count, time })
        keys++
      }
      return { ids: idsFrom(epoch, first, count), replayed: false }
    })
    run('UPDATE log SET head = ?, time = ?', head, time)
    const written: Written = { outcomes, rows: head - before.head + keys, topicIds }
    const left = term === undefined ? lastSeen : { epoch: term, head }
    return { written, left }
  }

  return {
    write(appends) {
      const done = connection.transaction(() => write(appends))
      lastSeen = done.left
      return done.written
    },
    trim: (topicIds) => connection.transaction(() => trim(topicIds)),
    makeRoom(reserve) {
      const [oldest] = rows<[number]>('SELECT time FROM events ORDER BY offset LIMIT 1')
      if (!oldest || oldest[0] >= Date.now() - maxAgeMs) return false
      reserve.release()
      // What was committed goes into the file first: then its place in the write-ahead log is free for what follows.
      rows('PRAGMA wal_checkpoint(RESTART)')
      for (let step = 0; step < roomSteps; step++) {
        if (!connection.transaction(() => trim(new Set()))) break
      }
      rows('PRAGMA wal_checkpoint(RESTART)')
      reserve.restore()
      return true
    },
  }
}

function idsFrom(epoch: string, first: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => formatCursor({ epoch, offset: first + index }))
}
