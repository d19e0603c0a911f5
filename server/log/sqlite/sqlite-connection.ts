/**
 * One connection to a SQLite file: SQL in, rows out, transactions that end. The binding's surprises stay in here.
 */
import Database from 'libsql'

/** Text comes back as a Buffer when it contains NUL: see `bindable`. */
export type Text = string | Buffer

export interface Connection {
  /** All rows of a query, as arrays of columns. Statements are prepared once. */
  rows: <Row extends unknown[]>(sql: string, ...values: Value[]) => Row[]
  /** Runs a statement; returns the id of the last row inserted. */
  run: (sql: string, ...values: Value[]) => number
  /** Everything `work` does is kept, or, when it throws, nothing. It holds the lock of writers. */
  transaction: <T>(work: () => T) => T
  /** All that `work` reads is of one moment. It may go on after a query that failed. */
  snapshot: <T>(work: () => T) => T
  close: () => void
}

type Value = string | number

/** Statements wait up to `busyTimeoutMs` for another connection's lock, which stops the event loop; later ones not at all. */
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
      // One array, because a Buffer as the only argument would be taken for named parameters, which ends the process.
      return Number(prepared(sql).run(values.map(bindable)).lastInsertRowid)
    },
    transaction(work) {
      database.exec('BEGIN IMMEDIATE')
      try {
        const result = work()
        database.exec('COMMIT')
        return result
      } catch (error) {
        // Not the binding's own transaction(): SQLite rolls back by itself when the disk is full, and then that one's
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
        // Not COMMIT, which fails once more for a query that has failed.
        if (database.inTransaction) database.exec('ROLLBACK')
      }
    },
    stopWaiting() {
      rows('PRAGMA busy_timeout = 0')
    },
    close() {
      // The binding cannot finalize a statement: the file is let go when the last one is collected.
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

/** True when there is no room: the disk is full, or a limit of the file's size is reached, which is told as a failed write. */
export function isFull(error: unknown): boolean {
  const code = resultCodeOf(error)
  return code === 13 || code === 10
}

/** True when a page of the file is not what SQLite has written. */
export function isDamaged(error: unknown): boolean {
  return resultCodeOf(error) === 11
}

/**
 * The low byte of the error's code, without what tells its kinds apart.
 * @see https://www.sqlite.org/rescode.html
 */
function resultCodeOf(error: unknown): number | undefined {
  return error instanceof Database.SqliteError ? (error.rawCode ?? 0) & 0xff : undefined
}

export function textOf(text: Text): string {
  return typeof text === 'string' ? text : text.toString()
}

/** The binding ends a string at its first NUL; as bytes it arrives whole. */
function bindable(value: Value): Value | Buffer {
  return typeof value === 'string' && value.includes('\0') ? Buffer.from(value) : value
}
