/** Reads the events that a SQLite log with damaged pages still has: one by one. Events on a damaged page count as lost. */
import { journal } from '@/server/observe/journal'
import { isDamaged, type Connection } from './sqlite-connection'
import type { EventRow, ReadableTopic } from './sqlite-rows'

/** How many offsets one call tries: this takes about ten milliseconds. */
const maxOffsets = 5_000

export interface Salvaged {
  found: EventRow[]
  /** `found` has every readable event up to this offset. */
  upTo: number
  /** The highest offset that can't be read, or 0 when there is none. */
  damaged: number
}

/** Reads events after `from` and up to `head`, of the given topics or of all: at most `limit`, and at most `maxBytes` but at least one. */
export function salvageRows(
  { rows }: Connection,
  topics: readonly ReadableTopic[] | undefined,
  { from, head, limit, maxBytes }: { from: number; head: number; limit: number; maxBytes: number },
): Salvaged {
  const found: EventRow[] = []
  const end = Math.min(head, from + maxOffsets)
  let damaged = 0
  let bytes = 0
  for (let offset = from + 1; offset <= end; offset++) {
    const row = readRow(offset)
    if (row === 'damaged') damaged = offset
    if (typeof row !== 'object' || !isWanted(row)) continue
    bytes += Buffer.byteLength(row[3])
    if (found.length > 0 && bytes > maxBytes) return { found, upTo: offset - 1, damaged }
    found.push(row)
    if (found.length === limit) return { found, upTo: offset, damaged }
  }
  return { found, upTo: end, damaged }

  function isWanted([offset, topicId]: EventRow): boolean {
    return topics?.some(({ id, keptAfter }) => id === topicId && offset > keptAfter) ?? true
  }

  function readRow(offset: number): EventRow | 'damaged' | undefined {
    try {
      const query = 'SELECT offset, topic_id, type, data, time FROM events WHERE offset = ?'
      return rows<EventRow>(query, offset)[0]
    } catch (error) {
      if (!isDamaged(error)) throw error
      return 'damaged'
    }
  }
}

/**
 * The returned function runs `query`, or `instead` when the query hits a damaged page. The journal says once that the file is damaged,
 * however many reads fail.
 */
export function createDamageGuard(): <T>(query: () => T, instead: () => T) => T {
  let isReported = false
  return (query, instead) => {
    try {
      return query()
    } catch (err) {
      if (!isDamaged(err)) throw err
      if (!isReported) {
        journal.error(
          { err },
          'The event log is damaged: events that can not be read count as lost. Restore a copy.',
        )
      }
      isReported = true
      return instead()
    }
  }
}
