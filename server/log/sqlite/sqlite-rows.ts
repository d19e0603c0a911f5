/** Queries for events of several topics, in the order of their offsets. */
import type { Connection, Text } from './sqlite-connection'

export type EventRow = [offset: number, id: number, type: Text, data: Text, time: number]

/** The offset of the oldest of the newest `count` events, or 0 when there are fewer events. */
export function nthNewest(
  { rows }: Connection,
  topics: readonly ReadableTopic[],
  count: number,
): number {
  if (topics.length === 0) return 0
  const branches = topics.map(() => 'SELECT offset FROM events WHERE topic_id = ?')
  const [row] = rows<[number]>(
    `${branches.join(' UNION ALL ')} ORDER BY offset DESC LIMIT 1 OFFSET ?`,
    ...topics.map(({ id }) => id),
    count - 1,
  )
  return row ? row[0] : 0
}

/** A topic, and the offset after which its events may be read. */
export interface ReadableTopic {
  id: number
  keptAfter: number
}

export function rowsAfter(
  { rows }: Connection,
  topics: readonly ReadableTopic[] | undefined,
  after: number,
  limit: number,
): EventRow[] {
  if (topics?.length === 0) return []
  const columns = 'SELECT offset, topic_id, type, data, time FROM events WHERE'
  // With UNION ALL, SQLite merges the branches by their index, and reads only the rows it returns. With IN, it would sort all rows.
  const branches = topics?.map(() => `${columns} topic_id = ? AND offset > ?`)
  return rows<EventRow>(
    `${branches?.join(' UNION ALL ') ?? `${columns} offset > ?`} ORDER BY offset LIMIT ?`,
    ...(topics?.flatMap(({ id, keptAfter }) => [id, Math.max(after, keptAfter)]) ?? [after]),
    limit,
  )
}
