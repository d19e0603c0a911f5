/** The terms of a SQLite log, and the term of an offset or a cursor. Call these functions inside a transaction. */
import { randomBytes } from 'node:crypto'
import type { Cursor } from '@/protocol/cursor'
import { LogError, type LostReason } from '@/server/log/event-log'
import { formatVersion } from './sqlite-schema'
import { only, type Connection } from './sqlite-connection'

/** This many of the newest terms are kept, even when their events are gone. */
const keptTerms = 10_000

/** The log's only row, and the epoch of the present term. */
export interface LogRow {
  epoch: string
  head: number
  time: number
  floor: number
  trimmed: number
  /** Changes when another connection than this one has written. */
  dataVersion: number
}

/** @throws {LogError} `unavailable`: a newer program has changed the file's format meanwhile */
export function readLogRow({ rows }: Connection): LogRow {
  const [format, dataVersion, epoch, head, time, floor, trimmed] = only(
    rows<[number, number, string, number, number, number, number]>(
      `SELECT user_version, data_version, (SELECT epoch FROM terms ORDER BY id DESC LIMIT 1), head, time, floor, trimmed
        FROM pragma_user_version, pragma_data_version, log`,
    ),
  )
  if (format === formatVersion) return { epoch, head, time, floor, trimmed, dataVersion }
  throw new LogError(
    'unavailable',
    `The event log is of version ${format} now, and this program needs version ${formatVersion}.`,
  )
}

/** Begins a term after `head`, and returns its epoch. */
export function beginTerm({ rows, run }: Connection, head: number): string {
  const epoch = newEpoch()
  const newest = run('INSERT INTO terms (epoch, begin) VALUES (?, ?)', epoch, head)
  const [first] = only(rows<[number | null]>('SELECT min(offset) FROM events'))
  run(
    `DELETE FROM terms WHERE id <= ? AND
      (SELECT min(begin) FROM terms AS later WHERE later.id = terms.id + 1) < ?`,
    newest - keptTerms,
    first ?? head + 1,
  )
  return epoch
}

/**
 * Gives the current term another epoch, because some of its offsets were assigned twice, and it is not known which. Cursors with
 * the old epoch are invalid from now on. The kept events of the term get the new epoch.
 */
export function renameTerm({ run }: Connection, old: string): string {
  const epoch = newEpoch()
  run('UPDATE terms SET epoch = ? WHERE epoch = ?', epoch, old)
  return epoch
}

/** Why the cursor can't be honoured; undefined when it can. */
export function checkCursor(
  { rows }: Connection,
  { epoch, offset }: Cursor,
  log: LogRow,
): LostReason | undefined {
  if (epoch === log.epoch) return offset > log.head ? 'future' : undefined
  const [next] = rows<[number]>(
    `SELECT later.begin FROM terms, terms AS later
      WHERE terms.epoch = ? AND later.id > terms.id ORDER BY later.id LIMIT 1`,
    epoch,
  )
  if (!next) return 'epoch'
  return offset > next[0] ? 'future' : undefined
}

/** Returns a function from an offset to its epoch, for offsets from `first` to `last`. Call it with ascending offsets. */
export function epochsBetween(
  { rows }: Connection,
  first: number,
  last: number,
): (offset: number) => string {
  const [at] = rows<[string, number]>(
    'SELECT epoch, begin FROM terms WHERE begin < ? ORDER BY begin DESC, id DESC LIMIT 1',
    last,
  )
  // Offsets before the oldest known term get the epoch of that term.
  if (!at) {
    const [epoch] = only(rows<[string]>('SELECT epoch FROM terms ORDER BY id LIMIT 1'))
    return () => epoch
  }
  if (at[1] < first) return () => at[0]
  const terms = rows<[string, number]>(
    `SELECT epoch, begin FROM terms WHERE begin < ?
      AND id >= coalesce((SELECT max(id) FROM terms WHERE begin < ?), 0) ORDER BY id`,
    last,
    first,
  )
  let index = 0
  return (offset) => {
    while ((terms[index + 1]?.[1] ?? Infinity) < offset) index++
    return terms[index]?.[0] ?? at[0]
  }
}

function newEpoch(): string {
  return randomBytes(6).toString('hex')
}
