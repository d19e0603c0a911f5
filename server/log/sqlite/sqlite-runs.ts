/** The runs of a SQLite log. Call these functions inside a transaction or a snapshot. */
import type { RunReason } from '@/protocol/run'
import { LogError, type Retention } from '@/server/log/event-log'
import { limitsOf } from '@/server/log/retention'
import {
  decideRun,
  earlyStopMs,
  keptMs,
  maxEarlyStops,
  type RunChange,
  type RunOutcome,
  type RunState,
  type StoredRun,
} from '@/server/log/run-change'
import type { Connection } from './sqlite-connection'
import type { WriterMemory } from './writer-memory'

/** Created in any file that lacks them: a program that knows no runs can use the file at the same time. */
export const runTables = [
  `CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY, topic TEXT NOT NULL, id TEXT NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL, renewals INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER, ended INTEGER, UNIQUE (topic, id)
  )`,
  'CREATE INDEX IF NOT EXISTS runs_by_topic ON runs (topic, number)',
  'CREATE UNIQUE INDEX IF NOT EXISTS living_runs ON runs (topic) WHERE ended IS NULL',
  'CREATE INDEX IF NOT EXISTS runs_by_end ON runs (ended) WHERE ended IS NOT NULL',
  `CREATE TABLE IF NOT EXISTS early_stops (
    topic TEXT NOT NULL, id TEXT NOT NULL, time INTEGER NOT NULL, PRIMARY KEY (topic, id)
  )`,
]

type Columns = [
  topic: string,
  id: string,
  state: RunState,
  reason: RunReason | '',
  renewals: number,
  first: number,
  last: number | null,
]

const names = 'topic, id, state, reason, renewals, first, last'
const columns = `SELECT ${names} FROM runs`

/** An ended run is known until `ended` is older than this. */
function expiryOf(maxAgeMs: number): number {
  return Date.now() - maxAgeMs - keptMs
}

/** The run of the topic with this id, or the one that began last. */
export function findRun(
  { rows }: Connection,
  maxAgeMs: number,
  topic: string,
  id?: string,
): StoredRun | undefined {
  const known = 'topic = ? AND (ended IS NULL OR ended >= ?)'
  const expiry = expiryOf(maxAgeMs)
  const [found] =
    id === undefined
      ? rows<Columns>(`${columns} WHERE ${known} ORDER BY number DESC LIMIT 1`, topic, expiry)
      : rows<Columns>(`${columns} WHERE ${known} AND id = ?`, topic, expiry, id)
  return found && toRun(found)
}

export function livingRuns({ rows }: Connection): StoredRun[] {
  return rows<Columns>(`${columns} WHERE ended IS NULL`).map(toRun)
}

/** The offset at which the living run of the topic begins, or undefined when none lives. */
export function beginOfLiving({ rows }: Connection, topic: string): number | undefined {
  return rows<[number]>('SELECT first FROM runs WHERE topic = ? AND ended IS NULL', topic)[0]?.[0]
}

/** Decides about a change and writes it. Knows a run that it has found in `living`, and forgets it when its row changes otherwise. `first`, `last` and `time` are those of the events of the append. */
export function changeRun(
  connection: Connection,
  living: WriterMemory['runs'],
  maxAgeMs: number,
  topic: string,
  change: RunChange,
  appended: { first: number; last: number; time: number },
): RunOutcome | LogError {
  const { rows } = connection
  const { id, op } = change
  // By far the most frequent change: one statement.
  const renewed = op === 'renew' ? renew(connection, living, topic, change) : undefined
  if (renewed) return { applied: true, run: renewed }
  living.delete(topic)
  const known = {
    own: () => findRun(connection, maxAgeMs, topic, id),
    living: () =>
      rows<Columns>(`${columns} WHERE topic = ? AND ended IS NULL`, topic).map(toRun).at(0),
    isStopped: () =>
      rows(
        'SELECT 1 FROM early_stops WHERE topic = ? AND id = ? AND time >= ?',
        topic,
        id,
        Date.now() - earlyStopMs,
      ).length > 0,
  }
  const outcome = decideRun(topic, change, known, appended)
  if (outcome instanceof LogError) return outcome
  if (!outcome.run) rememberStop(connection, topic, id)
  else if (op === 'begin' && outcome.applied) insert(connection, outcome.run)
  else if (outcome.applied) update(connection, outcome.run, appended.time)
  return outcome
}

/** Renews the living run. Undefined when there is none, or its renewals are others than `ifRenewals`. */
function renew(
  { rows, run: execute }: Connection,
  living: WriterMemory['runs'],
  topic: string,
  { id, ifRenewals }: { id: string; ifRenewals?: number | undefined },
): StoredRun | undefined {
  let known = living.get(topic)
  if (known?.run.id !== id) {
    const [row] = rows<[number, ...Columns]>(
      `SELECT number, ${names} FROM runs WHERE topic = ? AND id = ? AND ended IS NULL`,
      topic,
      id,
    )
    if (!row) return undefined
    const [number, ...columnsOfRun] = row
    known = { number, run: toRun(columnsOfRun) }
  }
  const { number, run } = known
  if (run.renewals !== (ifRenewals ?? run.renewals)) return undefined
  const renewed = { ...run, renewals: run.renewals + 1 }
  execute('UPDATE runs SET renewals = ? WHERE number = ?', renewed.renewals, number)
  living.set(topic, { number, run: renewed })
  return renewed
}

function insert(
  { run }: Connection,
  { topic, id, state, reason, renewals, first }: StoredRun,
): void {
  // Replaces a run of this id whose state has expired.
  run(
    'INSERT OR REPLACE INTO runs (topic, id, state, reason, renewals, first) VALUES (?, ?, ?, ?, ?, ?)',
    topic,
    id,
    state,
    reason ?? '',
    renewals,
    first,
  )
}

function update(
  { run }: Connection,
  { topic, id, state, reason, renewals, last }: StoredRun,
  time: number,
): void {
  const own = 'WHERE topic = ? AND id = ?'
  run(
    `UPDATE runs SET state = ?, reason = ?, renewals = ? ${own}`,
    state,
    reason ?? '',
    renewals,
    topic,
    id,
  )
  if (last === undefined) return
  run(`UPDATE runs SET last = ?, ended = ? ${own}`, last, time, topic, id)
  // The trimmer kept the events of the run.
  run('UPDATE topics SET due = 0 WHERE name = ? AND due IS NOT NULL', topic)
}

function rememberStop({ run }: Connection, topic: string, id: string): void {
  const now = Date.now()
  run('DELETE FROM early_stops WHERE time < ?', now - earlyStopMs)
  run('INSERT OR REPLACE INTO early_stops (topic, id, time) VALUES (?, ?, ?)', topic, id, now)
  run(
    `DELETE FROM early_stops WHERE topic = ? AND rowid NOT IN
      (SELECT rowid FROM early_stops WHERE topic = ? ORDER BY rowid DESC LIMIT ?)`,
    topic,
    topic,
    maxEarlyStops,
  )
}

/** Removes at most `limit` runs whose state has expired. Returns how many. */
export function trimRuns({ rows, run }: Connection, retention: Retention, limit: number): number {
  const ended = rows<[number, string, number]>(
    `SELECT number, topic, ended FROM runs WHERE ended < ? AND
      ended + coalesce((SELECT max_age FROM topics WHERE name = runs.topic), 0) < ? ORDER BY ended LIMIT ?`,
    expiryOf(retention.maxAgeMs),
    expiryOf(0),
    limit,
  )
  const expired = ended.filter(
    ([, topic, time]) => time < expiryOf(limitsOf(retention, topic).maxAgeMs),
  )
  for (const [number] of expired) run('DELETE FROM runs WHERE number = ?', number)
  return expired.length
}

function toRun([topic, id, state, reason, renewals, first, last]: Columns): StoredRun {
  return { topic, id, state, reason: reason || undefined, renewals, first, last: last ?? undefined }
}
