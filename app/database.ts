/** The app's own data: a SQLite file, which all processes of the app share. The library's log is another file. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'libsql'

/** A row has one property for each column. */
type Row = Record<string, string | number | null>

let open: Database.Database | undefined

/** All rows of a query. */
export function query<R extends Row>(sql: string, ...values: (string | number)[]): R[] {
  return database().prepare(sql).all(values) as R[]
}

/** Runs a statement. Returns the id of the row that it inserted, if it inserted one. */
export function change(sql: string, ...values: (string | number)[]): number {
  return Number(database().prepare(sql).run(values).lastInsertRowid)
}

function database(): Database.Database {
  if (open) return open
  const file = process.env['APP_DATABASE'] || '.data/app.db'
  mkdirSync(dirname(file), { recursive: true })
  const opened = new Database(file, { timeout: 5_000 })
  opened.exec('PRAGMA journal_mode = WAL')
  opened.exec(`
    CREATE TABLE IF NOT EXISTS device (
      id TEXT PRIMARY KEY, account TEXT NOT NULL, agent TEXT NOT NULL, signed_in INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS price (item TEXT PRIMARY KEY, cents INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS shop_order (
      id INTEGER PRIMARY KEY, item TEXT NOT NULL, quantity INTEGER NOT NULL, cents INTEGER NOT NULL,
      placed_at INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS chat (id TEXT PRIMARY KEY, messages TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS product (
      code TEXT PRIMARY KEY, name TEXT NOT NULL, cents INTEGER NOT NULL
    );
  `)
  open = opened
  return opened
}
