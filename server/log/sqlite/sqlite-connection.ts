/**
 * One connection to a SQLite file: runs SQL, returns rows, and always ends its transactions. Hides the quirks of the binding.
 */
import Database from 'libsql'

/** Text comes back as a Buffer when it contains NUL: see `bindable`. */
export type Text = string | Buffer

export interface Connection {
  /** All rows of a query, as arrays of columns. Statements are prepared once. */
  rows: <Row extends unknown[]>(sql: string, ...values: Value[]) => Row[]
  /** Runs a statement; returns the id of the last row inserted. */
  run: (sql: string, ...values: Value[]) => number
  /** Runs `work` in a transaction that holds the write lock. When `work` throws, all its changes are undone. */
  transaction: <T>(work: () => T) => T
  /** Runs `work` on one snapshot: later writes of other connections are invisible. `work` may continue after a failed query. */
  snapshot: <T>(work: () => T) => T
  close: () => void
}

type Value = string | number | null

/** Statements wait up to `busyTimeoutMs` for another connection's lock, which blocks the event loop. After `stopWaiting`, they fail at once. */
export function openConnection(
  file: string,
  busyTimeoutMs: number,
): Connection & { stopWaiting(): void } {
  const database = new Database(file, { timeout: busyTimeoutMs })
  const statements = new Map<string, Database.Statement>()

  function prepared(sql: string): Database.Statement {
    let statement = statements.get(sql)
    if (!statement) {
      statement = database.prepare(sql)
      if (statement.reader) statement.raw()
      statements.set(sql, statement)
    }
    return statement
  }

  function rows<Row extends unknown[]>(sql: string, ...values: Value[]): Row[] {
    // Never `get`: it leaves the statement open, and that pins the connection to its snapshot.
    return prepared(sql).all(values.map(bindable)) as Row[]
  }

  return {
    rows,
    run(sql, ...values) {
      // Pass one array: the binding would take a single Buffer for named parameters, and crash the process.
      return Number(prepared(sql).run(values.map(bindable)).lastInsertRowid)
    },
    transaction(work) {
      database.exec('BEGIN IMMEDIATE')
      try {
        const result = work()
        database.exec('COMMIT')
        return result
      } catch (error) {
        // The binding's own transaction() is not used: on a full disk SQLite rolls back by itself, so the binding's
        // ROLLBACK fails and hides the cause.
        if (database.inTransaction) database.exec('ROLLBACK')
        throw error
      }
    },
    snapshot(work) {
      database.exec('BEGIN')
      try {
        return work()
      } finally {
        // ROLLBACK instead of COMMIT: after a failed query, COMMIT would fail too.
        if (database.inTransaction) database.exec('ROLLBACK')
      }
    },
    stopWaiting() {
      rows('PRAGMA busy_timeout = 0')
    },
    close() {
      // The binding can't finalize a statement: the file is released when the last statement is garbage-collected.
      statements.clear()
      database.close()
    },
  }
}

/** The row of a query that always has one. */
export function only<Row>([first]: Row[]): Row {
  if (!first) throw new Error('The query has no row.')
  return first
}

/** True when another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  return resultCodeOf(error) === 5
}

/** True when there is no space: the disk is full, or the file has reached a size limit, which SQLite reports as a failed write. */
export function isFull(error: unknown): boolean {
  const code = resultCodeOf(error)
  return code === 13 || code === 10
}

/** True when a page of the file is corrupt. */
export function isDamaged(error: unknown): boolean {
  return resultCodeOf(error) === 11
}

/**
 * The primary result code: the low byte of the extended code.
 * @see https://www.sqlite.org/rescode.html
 */
function resultCodeOf(error: unknown): number | undefined {
  return error instanceof Database.SqliteError ? (error.rawCode ?? 0) & 0xff : undefined
}

export function textOf(text: Text): string {
  return typeof text === 'string' ? text : text.toString()
}

/** The binding cuts a string at its first NUL character, but stores a Buffer completely. */
function bindable(value: Value): Value | Buffer {
  return typeof value === 'string' && value.includes('\0') ? Buffer.from(value) : value
}
