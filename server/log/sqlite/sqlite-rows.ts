/** Queries for events of several topics, in the order of their offsets. */
import type { Connection, Text } from './sqlite-connection'

export type EventRow = [offset: number, id: number, type: Text, data: Text, time: number]

/** The offset of the oldest of the newest `count` events, or 0 when there are fewer events. */
export function nthNewest({ rows }: Connection, ids: readonly number[], count: number): number {
  if (ids.length === 0) return 0
  const branches = ids.map(() => 'SELECT offset FROM events WHERE topic_id = ?')
  const [row] = rows<[number]>(
    `${branches.join(' UNION ALL ')} ORDER BY offset DESC LIMIT 1 OFFSET ?`,
    ...ids,
    count - 1,
  )
  return row ? row[0] : 0
}

export function rowsAfter(
  { rows }: Connection,
  ids: readonly number[] | undefined,
  after: number,
  limit: number,
): EventRow[] {
  if (ids?.length === 0) return []
  const columns = 'SELECT offset, topic_id, type, data, time FROM events WHERE'
  // With UNION ALL, SQLite merges the branches by their index, and reads only the rows it returns. With IN, it would sort all rows.
  const branches = ids?.map(() => `${columns} topic_id = ? AND offset > ?`)
  return rows<EventRow>(
    `${branches?.join(' UNION ALL ') ?? `${columns} offset > ?`} ORDER BY offset LIMIT ?`,
    ...(ids?.flatMap((id) => [id, after]) ?? [after]),
    limit,
  )
}
