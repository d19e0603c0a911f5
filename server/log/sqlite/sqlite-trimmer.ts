/** Removes events that a SQLite log no longer keeps: those that are too old, and the surplus of a topic. Works in small steps, inside the caller's transaction. */
import type { Retention } from '@/server/log/event-log'
import type { Connection } from './sqlite-connection'
import { trimRuns } from './sqlite-runs'

/** Small enough to block the event loop only briefly. */
export const stepRows = 500

/** Removes at most `stepRows` rows: first those that are too old, then the surplus of these topics. Returns true when there may be more. */
type Trim = (topicIds: ReadonlySet<number>) => boolean

/** True for events of a living run, which are not removed. */
const isOfLivingRun = `EXISTS (
  SELECT 1 FROM runs JOIN topics ON topics.name = runs.topic
    WHERE runs.ended IS NULL AND topics.id = events.topic_id AND events.offset >= runs.first
)`

export function createTrimmer(connection: Connection, { maxCount, maxAgeMs }: Retention): Trim {
  const { rows, run } = connection
  /** Up to this offset, every event that is too old belongs to a living run. */
  let sweptUpTo = 0

  function trimAged(before: number, limit: number): number {
    const [oldest] = rows<[number]>('SELECT time FROM events ORDER BY offset LIMIT 1')
    if (!oldest || oldest[0] >= before) return 0
    const [end] = rows<[number, number]>(
      `SELECT max(offset), min(time < ?) FROM
        (SELECT offset, time FROM events WHERE offset > ? ORDER BY offset LIMIT ?)`,
      before,
      sweptUpTo,
      limit,
    )
    const removed = rows<[number, number]>(
      `DELETE FROM events WHERE offset IN (
        SELECT offset FROM (SELECT offset, time FROM events WHERE offset > ? ORDER BY offset LIMIT ?)
          WHERE time < ?
      ) AND NOT ${isOfLivingRun} RETURNING offset, topic_id`,
      sweptUpTo,
      limit,
      before,
    )
    // Begins again when it has seen all events that are too old: runs end, and then theirs can go.
    sweptUpTo = end?.[1] === 1 ? end[0] : 0
    noteRemoved(removed)
    return removed.length
  }

  function trimKeys(before: number, limit: number): number {
    const [oldest] = rows<[number]>('SELECT time FROM keys ORDER BY id LIMIT 1')
    if (!oldest || oldest[0] >= before) return 0
    const removed = rows<[number]>(
      `DELETE FROM keys WHERE id IN (
        SELECT id FROM (SELECT id, time FROM keys ORDER BY id LIMIT ?) WHERE time < ?
      ) RETURNING topic_id`,
      limit,
      before,
    )
    for (const id of new Set(removed.map(([topicId]) => topicId))) forgetIfEmpty(id)
    return removed.length
  }

  function trimSurplus(id: number, limit: number): number {
    const [topic] = rows<[number, number | null]>(
      `SELECT count, (SELECT first FROM runs WHERE topic = topics.name AND ended IS NULL)
        FROM topics WHERE id = ?`,
      id,
    )
    const [count, living] = topic ?? [0, null]
    const surplus = Math.min(count - maxCount, limit)
    if (surplus <= 0) return 0
    const removed = rows<[number, number]>(
      `DELETE FROM events WHERE offset IN (
        SELECT offset FROM events WHERE topic_id = ? AND offset < ? ORDER BY offset LIMIT ?
      ) RETURNING offset, topic_id`,
      id,
      living ?? Number.MAX_SAFE_INTEGER,
      surplus,
    )
    noteRemoved(removed)
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

  return (topicIds) => {
    const before = Date.now() - maxAgeMs
    let budget = stepRows - trimAged(before, stepRows)
    budget -= trimKeys(before, budget)
    budget -= trimRuns(connection, maxAgeMs, budget)
    for (const id of topicIds) budget -= trimSurplus(id, budget)
    return budget === 0
  }
}
