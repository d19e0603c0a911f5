/** Removes events that a SQLite log no longer keeps: those that are too old, and the surplus of a topic. Works in small steps, inside the caller's transaction. */
import type { Retention } from '@/server/log/event-log'
import { limitsOf } from '@/server/log/retention'
import { only, type Connection } from './sqlite-connection'
import { trimRuns } from './sqlite-runs'

/** Small enough to block the event loop only briefly. */
export const stepRows = 500

/** How soon to look again at a topic whose living run has events that are too old. The end of the run makes the trimmer look at once. */
const livingMs = 60_000

/** How often to look for runs whose state has expired. Each time looks at all runs of topics that are kept for longer, too. */
const trimRunsMs = 10_000

export interface Trimmer {
  /** Removes at most `stepRows` rows: first those that are too old, then the surplus of these topics. Returns true when there may be more. */
  step(topicIds: ReadonlySet<number>): boolean
  /** Whether there are events that are too old. */
  hasAged(): boolean
}

export function createTrimmer(connection: Connection, retention: Retention): Trimmer {
  const { rows, run } = connection
  const { maxAgeMs } = retention
  /** Up to this offset, what is left belongs to topics that the trimmer looks at by themselves. */
  let scannedTo = 0
  let keysScannedTo = 0
  let runsTrimmedAt = 0

  /** The time of the first event that was not scanned yet. */
  function firstTime(): number | undefined {
    const query = 'SELECT time FROM events WHERE offset > ? ORDER BY offset LIMIT 1'
    return rows<[number]>(query, scannedTo)[0]?.[0]
  }

  /** Removes events of topics that age together: all of them are in the order of their time. Returns how many rows it looked at. */
  function trimAged(before: number, limit: number): number {
    if ((firstTime() ?? before) >= before) return 0
    // The events of a living run are not removed.
    run(
      'UPDATE topics SET due = 0 WHERE due IS NULL AND name IN (SELECT topic FROM runs WHERE ended IS NULL)',
    )
    const aged = `SELECT offset, topic_id FROM (
      SELECT offset, topic_id, time FROM events WHERE offset > ? ORDER BY offset LIMIT ?) WHERE time < ?`
    const values = [scannedTo, limit, before]
    const [count, upTo] = only(
      rows<[number, number]>(`SELECT count(*), max(offset) FROM (${aged})`, ...values),
    )
    const removed = rows<[number, number]>(
      `DELETE FROM events WHERE offset IN (
        SELECT offset FROM (${aged}) AS old WHERE (SELECT due FROM topics WHERE topics.id = old.topic_id) IS NULL
      ) RETURNING offset, topic_id`,
      ...values,
    )
    noteRemoved(removed)
    scannedTo = upTo
    return count
  }

  function dueTopic(
    now: number,
  ): { id: number; ageMs: number; living: number | undefined } | undefined {
    const [due] = rows<[number, number | null, number | null]>(
      `SELECT id, max_age, (SELECT first FROM runs WHERE topic = topics.name AND ended IS NULL)
        FROM topics WHERE due <= ? ORDER BY due LIMIT 1`,
      now,
    )
    return due && { id: due[0], ageMs: due[1] ?? maxAgeMs, living: due[2] ?? undefined }
  }

  /** Removes events of topics with limits of their own, and of topics with a living run. Returns how many rows it looked at. */
  function trimDue(now: number, limit: number): number {
    let left = limit
    while (left > 0) {
      const due = dueTopic(now)
      if (!due) break
      const { id, ageMs, living } = due
      const removed = rows<[number, number]>(
        `DELETE FROM events WHERE offset IN (
          SELECT offset FROM (SELECT offset, time FROM events WHERE topic_id = ? ORDER BY offset LIMIT ?)
            WHERE time < ? AND offset < ?
        ) RETURNING offset, topic_id`,
        id,
        left,
        now - ageMs,
        living ?? Number.MAX_SAFE_INTEGER,
      )
      noteRemoved(removed)
      run('DELETE FROM keys WHERE topic_id = ? AND time < ?', id, now - ageMs)
      run(
        `UPDATE topics SET due = max(?, ? + coalesce(
          (SELECT time FROM events WHERE topic_id = topics.id ORDER BY offset LIMIT 1), ?)) WHERE id = ?`,
        living === undefined ? 0 : now + livingMs,
        // An event is too old a moment after it has reached the limit.
        ageMs + 1,
        now,
        id,
      )
      forgetIfEmpty(id)
      // Visiting a topic has a cost of its own.
      left -= removed.length + 1
    }
    return limit - Math.max(0, left)
  }

  /** Keys are removed with their events. This removes the keys that outlived them. */
  function trimKeys(before: number, limit: number): number {
    const query = 'SELECT time FROM keys WHERE id > ? ORDER BY id LIMIT 1'
    const [oldest] = rows<[number]>(query, keysScannedTo)
    if (!oldest || oldest[0] >= before) return 0
    const aged = `SELECT id, topic_id FROM (
      SELECT id, topic_id, time FROM keys WHERE id > ? ORDER BY id LIMIT ?) WHERE time < ?`
    const values = [keysScannedTo, limit, before]
    const [count, upTo] = only(
      rows<[number, number]>(`SELECT count(*), max(id) FROM (${aged})`, ...values),
    )
    const removed = rows<[number]>(
      `DELETE FROM keys WHERE id IN (
        SELECT id FROM (${aged}) AS old WHERE (SELECT due FROM topics WHERE topics.id = old.topic_id) IS NULL
      ) RETURNING topic_id`,
      ...values,
    )
    for (const id of new Set(removed.map(([topicId]) => topicId))) forgetIfEmpty(id)
    keysScannedTo = upTo
    return count
  }

  function trimSurplus(id: number, limit: number): number {
    const [topic] = rows<[number, string, number | null]>(
      `SELECT count, name, (SELECT first FROM runs WHERE topic = topics.name AND ended IS NULL)
        FROM topics WHERE id = ?`,
      id,
    )
    if (!topic) return 0
    const [count, name, living] = topic
    const { maxCount, latest } = limitsOf(retention, name)
    const surplus = Math.min(count - (latest ? 1 : maxCount), limit)
    if (surplus <= 0) return 0
    const removed = rows<[number, number]>(
      `DELETE FROM events WHERE offset IN (
        SELECT offset FROM events WHERE topic_id = ? AND offset < ? ORDER BY offset LIMIT ?
      ) RETURNING offset, topic_id`,
      id,
      living ?? Number.MAX_SAFE_INTEGER,
      surplus,
    )
    // Events that a newer one has replaced are not lost.
    if (latest) run('UPDATE topics SET count = count - ? WHERE id = ?', removed.length, id)
    else noteRemoved(removed)
    return removed.length
  }

  function noteRemoved(removed: readonly [offset: number, topicId: number][]): void {
    const byTopic = new Map<number, { count: number; upTo: number }>()
    for (const [offset, id] of removed) {
      const { count, upTo } = byTopic.get(id) ?? { count: 0, upTo: 0 }
      byTopic.set(id, { count: count + 1, upTo: Math.max(upTo, offset) })
    }
    for (const [id, { count, upTo }] of byTopic) {
      run(
        'UPDATE topics SET count = count - ?, trimmed = max(trimmed, ?) WHERE id = ?',
        count,
        upTo,
        id,
      )
      run('UPDATE log SET trimmed = max(trimmed, ?)', upTo)
      run(
        'DELETE FROM keys WHERE topic_id = ? AND first <= ? AND first + count - 1 <= ?',
        id,
        upTo,
        upTo,
      )
      forgetIfEmpty(id)
    }
  }

  function forgetIfEmpty(id: number): void {
    const [forgotten] = rows<[number]>(
      `DELETE FROM topics WHERE id = ? AND count = 0
        AND NOT EXISTS (SELECT 1 FROM keys WHERE topic_id = topics.id) RETURNING trimmed`,
      id,
    )
    if (forgotten) run('UPDATE log SET floor = max(floor, ?)', forgotten[0])
  }

  return {
    step(topicIds) {
      const now = Date.now()
      let budget = stepRows - trimAged(now - maxAgeMs, stepRows)
      budget -= trimDue(now, budget)
      budget -= trimKeys(now - maxAgeMs, budget)
      if (Math.abs(now - runsTrimmedAt) >= trimRunsMs) {
        runsTrimmedAt = now
        budget -= trimRuns(connection, retention, budget)
      }
      for (const id of topicIds) budget -= trimSurplus(id, budget)
      return budget === 0
    },
    hasAged() {
      const now = Date.now()
      const time = firstTime()
      return (time !== undefined && time < now - maxAgeMs) || dueTopic(now) !== undefined
    },
  }
}
