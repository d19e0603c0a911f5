/** The queries by which events of several topics are found in the order of their offsets. */
import type { Connection, Text } from './sqlite-connection'

export type EventRow = [offset: number, id: number, type: Text, data: Text, time: number]

/** The offset of the newest event but `count` - 1, 0 when there are fewer. */
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
  // SQLite merges the branches by their index: a quiet topic costs nothing of its busy neighbours. IN would sort them all.
  const branches = ids?.map(() => `${columns} topic_id = ? AND offset > ?`)
  return rows<EventRow>(
    `${branches?.join(' UNION ALL ') ?? `${columns} offset > ?`} ORDER BY offset LIMIT ?`,
    ...(ids?.flatMap((id) => [id, after]) ?? [after]),
    limit,
  )
}
