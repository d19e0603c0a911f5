/** Writes to a SQLite log: many appends in one transaction, and trimming in small steps. */
import { formatCursor } from '@/protocol/cursor'
import type { NewEvent, StoredEvent } from '@/protocol/event'
import { clockToleranceMs, createClockWatch } from '@/server/log/clock-watch'
import {
  LogError,
  type AppendResult,
  type Idempotency,
  type Retention,
} from '@/server/log/event-log'
import { limitsOf } from '@/server/log/retention'
import type { RunChange } from '@/server/log/run-change'
import type { RecentEvents } from './recent-events'
import type { Connection } from './sqlite-connection'
import type { DiskReserve } from './sqlite-reserve'
import { changeRun } from './sqlite-runs'
import { beginTerm, epochsBetween, readLogRow, renameTerm } from './sqlite-terms'
import { createTrimmer } from './sqlite-trimmer'
import { insertEvents, type EventToInsert } from './sqlite-rows'
import { createWriterMemory, type KnownTopic } from './writer-memory'

export interface Append {
  topic: string
  events: readonly NewEvent[]
  idempotency?: Idempotency | undefined
  run?: RunChange | undefined
}

export interface Written {
  /** The result of each append, in order. A `LogError` means that only this append failed. */
  outcomes: (AppendResult | LogError)[]
  rows: number
  topicIds: ReadonlySet<number>
}

export interface SqliteWriter {
  /** Writes all appends in one transaction. Throws when nothing was written. */
  write(appends: readonly Append[]): Written
  /** For a full disk: removes events that are too old, so that their pages can be reused. Returns false when none is too old. */
  makeRoom(reserve: DiskReserve): boolean
  /** Removes at most `stepRows` rows: first those that are too old, then the surplus of these topics. Returns true when there may be more. */
  trim(topicIds: ReadonlySet<number>): boolean
}

/** How many trim steps run on a full disk: 20 steps remove up to 10,000 rows. */
const makeRoomSteps = 20

/** Tells `recent` what it has committed. */
export function createSqliteWriter(
  connection: Connection,
  retention: Retention,
  recent: RecentEvents,
): SqliteWriter {
  const { maxAgeMs } = retention
  const { rows, run } = connection
  const memory = createWriterMemory(connection)
  // Whatever it removes, it runs a statement to count that.
  const trimmer = createTrimmer(
    {
      ...connection,
      run(sql, ...values) {
        memory.forget()
        return run(sql, ...values)
      },
    },
    retention,
  )
  /** The epoch and head after the last append of this process. Undefined before its first append, which begins a term. */
  let lastSeen: { epoch: string; head: number } | undefined
  const clock = createClockWatch()

  /** Stores the age limit of a topic that has its own. */
  function noteAge(topic: KnownTopic, limit: number): void {
    const ageMs = limit === maxAgeMs ? null : limit
    if (ageMs === topic.ownAgeMs && (ageMs === null || topic.due !== null)) return
    // The trimmer then looks at the topic at once, and notes when to look again.
    run('UPDATE topics SET max_age = ?, due = 0 WHERE id = ?', ageMs, topic.id)
    topic.ownAgeMs = ageMs
    topic.due = 0
  }

  function seenBefore(
    topicId: number | undefined,
    { key, fingerprint }: Idempotency,
    ageMs: number,
  ): AppendResult | LogError | undefined {
    if (topicId === undefined) return undefined
    const [seen] = rows<[string, number, number]>(
      'SELECT fingerprint, first, count FROM keys WHERE topic_id = ? AND key = ? AND time >= ?',
      topicId,
      key,
      Date.now() - ageMs,
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

  /** The epoch for the next append. Begins or renames a term when necessary. */
  function termOf({ epoch, head }: { epoch: string; head: number }): string {
    if (!lastSeen) return beginTerm(connection, head)
    // The file was replaced by an earlier copy, and it is unknown which offsets of this term were assigned twice.
    if (epoch === lastSeen.epoch && head < lastSeen.head) return renameTerm(connection, epoch)
    return epoch
  }

  /** Stores the last of the events in place of the only one that the topic may have, so that there is nothing to trim. */
  function replace(topic: KnownTopic, offset: number, event: NewEvent, time: number): void {
    const { id, count } = topic
    if (count === 0) run('UPDATE topics SET count = 1 WHERE id = ?', id)
    else run('DELETE FROM events WHERE topic_id = ?', id)
    topic.count = 1
    insertEvents(connection, [{ id, offset, event, time }])
  }

  function timeAfter(lastTime: number): number {
    const now = Date.now()
    clock.note(lastTime - now > clockToleranceMs)
    if (!clock.isBelieved()) return Math.max(lastTime, now)
    recent.clear()
    run('UPDATE events SET time = ? WHERE time > ?', now, now)
    run('UPDATE keys SET time = ? WHERE time > ?', now, now)
    return now
  }

  function write(appends: readonly Append[]) {
    // Read every time, because another process may have appended.
    const before = readLogRow(connection)
    memory.begin(before.dataVersion)
    let term: string | undefined
    const time = timeAfter(before.time)
    const topicIds = new Set<number>()
    let { head } = before
    let keys = 0
    const stored: StoredEvent[] = []
    const inserted: EventToInsert[] = []
    let expiresAt = Infinity
    let replaces = false
    const outcomes = appends.map(({ topic, events, idempotency, run: change }) => {
      const known = memory.topic(topic)
      const { maxAgeMs: ageMs, maxCount, latest } = limitsOf(retention, topic)
      const repeated = idempotency && seenBefore(known?.id, idempotency, ageMs)
      if (repeated) return repeated
      const span = { first: head + 1, last: head + events.length, time }
      const outcome = change && changeRun(connection, memory.runs, ageMs, topic, change, span)
      if (outcome instanceof LogError) return outcome
      const unchanged: AppendResult = { ids: [], replayed: false, run: outcome }
      if (events.length === 0 || outcome?.applied === false) return unchanged
      const own = known ?? memory.addTopic(topic)
      const { id } = own
      noteAge(own, ageMs)
      const epoch = (term ??= termOf(before))
      const first = head + 1
      const count = events.length
      head += count
      expiresAt = Math.min(expiresAt, time + ageMs)
      replaces ||= latest === true
      if (latest && !change && own.count <= 1) {
        insertEvents(connection, inserted.splice(0))
        for (const event of events.slice(-1)) replace(own, head, event, time)
      } else {
        for (const [index, event] of events.entries()) {
          const offset = first + index
          inserted.push({ id, offset, event, time })
          stored.push({ topic, epoch, offset, type: event.type, data: event.data, time })
        }
        own.count += count
        run('UPDATE topics SET count = ? WHERE id = ?', own.count, id)
        // Looking at a topic costs as much as an append to it.
        if (latest || own.count > maxCount) topicIds.add(id)
      }
      if (idempotency) {
        remember(id, idempotency, { first, count, time })
        keys++
      }
      return { ids: idsFrom(epoch, first, count), replayed: false, run: outcome }
    })
    insertEvents(connection, inserted)
    run('UPDATE log SET head = ?, time = ?', head, time)
    const written: Written = { outcomes, rows: head - before.head + keys, topicIds }
    const left = term === undefined ? lastSeen : { epoch: term, head }
    return { written, left, appended: { before: before.head, events: stored, expiresAt }, replaces }
  }

  /** A transaction that fails is undone, and what it has noted of the rows with it. */
  function orForget<T>(transaction: () => T): T {
    try {
      return transaction()
    } catch (error) {
      memory.forget()
      throw error
    }
  }

  return {
    write(appends) {
      const done = orForget(() => connection.transaction(() => write(appends)))
      lastSeen = done.left
      // Of events that have replaced others, a reader who comes later may be told the newest alone.
      if (done.replaces) recent.clear()
      else recent.add(done.appended)
      return done.written
    },
    trim: (topicIds) => orForget(() => connection.transaction(() => trimmer.step(topicIds))),
    makeRoom(reserve) {
      if (!trimmer.hasAged()) return false
      reserve.release()
      // Move committed changes into the file first: this frees their space in the write-ahead log for the removals.
      rows('PRAGMA wal_checkpoint(RESTART)')
      for (let step = 0; step < makeRoomSteps; step++) {
        if (!orForget(() => connection.transaction(() => trimmer.step(new Set())))) break
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
