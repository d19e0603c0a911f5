/** Opens the SQLite file of a log: creates it when it is new, refuses it when it is not ours. */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { LogError } from './event-log'
import { only, openConnection, type Connection } from './sqlite-connection'

const version = 1

/** How long opening waits for another process, which may be writing. The event loop stands still meanwhile. */
const openTimeoutMs = 5_000

// `data` has no affinity, so that bytes stay bytes and digits stay text. There is no index on time: it never decreases with the
// offset, so a time is found by halving. The log's only row outlives its events: no offset is given twice.
const schema = [
  `CREATE TABLE log (
    epoch TEXT NOT NULL, head INTEGER NOT NULL, time INTEGER NOT NULL,
    floor INTEGER NOT NULL, trimmed INTEGER NOT NULL
  )`,
  `CREATE TABLE topics (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    count INTEGER NOT NULL, trimmed INTEGER NOT NULL
  )`,
  `CREATE TABLE events (
    offset INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL,
    type TEXT NOT NULL, data BLOB NOT NULL, time INTEGER NOT NULL
  )`,
  'CREATE INDEX events_by_topic ON events (topic_id, offset)',
  `CREATE TABLE keys (
    id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, key TEXT NOT NULL,
    fingerprint TEXT NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL, time INTEGER NOT NULL,
    UNIQUE (topic_id, key)
  )`,
]

/**
 * Two connections: appends wait for other processes, reads never do.
 * @throws {LogError} `unavailable`, with the file's name, when it can't be opened and written, or is of another version
 */
export function openSqliteFile(file: string): { reading: Connection; writing: Connection } {
  const opened: Connection[] = []
  try {
    mkdirSync(dirname(file), { recursive: true })
    const writing = openConnection(file, openTimeoutMs)
    opened.push(writing)
    checkVersion(writing, file)
    writing.rows('PRAGMA journal_mode = WAL')
    writing.run('PRAGMA synchronous = NORMAL')
    // Written even when there is nothing to create: a file that can't be is found out now.
    writing.transaction('IMMEDIATE', () => {
      if (checkVersion(writing, file) === 0) createSchema(writing)
      else writing.run('UPDATE log SET head = head')
    })
    writing.stopWaiting()

    const reading = openConnection(file, openTimeoutMs)
    opened.push(reading)
    reading.rows('SELECT head FROM log')
    reading.stopWaiting()
    return { reading, writing }
  } catch (cause) {
    for (const connection of opened) connection.close()
    if (cause instanceof LogError) throw cause
    throw new LogError('unavailable', `The event log ${file} can't be opened and written.`, {
      cause,
    })
  }
}

function checkVersion(connection: Connection, file: string): number {
  // In one statement: between two, another process may create what was not there.
  const [found, tables] = only(
    connection.rows<[number, number]>(
      'SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version',
    ),
  )
  if (found === version || (found === 0 && tables === 0)) return found
  throw new LogError(
    'unavailable',
    `${file} is of version ${found}, and this program needs an event log of version ${version}. Move the file away, or choose another.`,
  )
}

function createSchema(connection: Connection): void {
  for (const statement of schema) connection.run(statement)
  const epoch = randomBytes(4).toString('hex')
  connection.run(
    'INSERT INTO log (epoch, head, time, floor, trimmed) VALUES (?, 0, 0, 0, 0)',
    epoch,
  )
  connection.run(`PRAGMA user_version = ${version}`)
}
