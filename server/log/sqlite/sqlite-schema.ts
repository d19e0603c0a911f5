/** Opens the SQLite file of a log: creates a new file, upgrades a file of an earlier version, and refuses any other file. */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { LogError } from '@/server/log/event-log'
import { only, openConnection, type Connection } from './sqlite-connection'
import { runTables } from './sqlite-runs'

/** Stored in `user_version`. `readLogRow` checks it again, in case a newer program upgrades the file while this process has it open. */
export const formatVersion = 2
/** How long opening waits for another process that is writing. This blocks the event loop. */
const openTimeoutMs = 5_000

// `data` has no affinity, so that bytes stay bytes and digits stay text. There is no index on time: it never decreases with the
// offset, so a binary search finds a time. The head is stored in the log's only row, not derived from the events, so that no
// offset is assigned again when all events are removed.
const tables = [
  `CREATE TABLE log (
    head INTEGER NOT NULL, time INTEGER NOT NULL, floor INTEGER NOT NULL, trimmed INTEGER NOT NULL
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
  'INSERT INTO log (head, time, floor, trimmed) VALUES (0, 0, 0, 0)',
]

/** Added in version 2. A term lasts until the next one begins. */
const termTables = [
  'CREATE TABLE terms (id INTEGER PRIMARY KEY, epoch TEXT NOT NULL UNIQUE, begin INTEGER NOT NULL)',
  'CREATE INDEX terms_by_begin ON terms (begin)',
  'CREATE INDEX keys_by_event ON keys (topic_id, first)',
]

/**
 * Added later. Programs that don't know these columns can use the file meanwhile, so the version is the same. `max_age` is the age
 * limit of a topic that has its own, in milliseconds. `due` is when the trimmer looks at the topic by itself: null for a topic whose
 * events age with those of others.
 */
const topicLimits = [
  'ALTER TABLE topics ADD COLUMN max_age INTEGER',
  'ALTER TABLE topics ADD COLUMN due INTEGER',
  'CREATE INDEX topics_by_due ON topics (due) WHERE due IS NOT NULL',
]

/** Upgrades a file from version 1 to version 2. A running process of version 1 then fails with an error, because it can't use the file. */
const fromVersion1 = [
  ...termTables,
  'INSERT INTO terms (epoch, begin) SELECT epoch, 0 FROM log',
  'ALTER TABLE log DROP COLUMN epoch',
  `DELETE FROM keys WHERE first + count - 1 <=
    (SELECT trimmed FROM topics WHERE topics.id = keys.topic_id)`,
]

/**
 * Two connections: appends wait for other processes, reads never do.
 * @throws {LogError} `unavailable`, with the file's name, when it can't be opened and written, or is of a version unknown here
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
    // In KiB. A thousand runs write to as many pages of the index by topic at the same time.
    writing.rows('PRAGMA cache_size = -16384')
    // In pages: the log beside the file grows to 16 MiB before it is moved into the file, which takes a while each time.
    writing.rows('PRAGMA wal_autocheckpoint = 4000')
    // Always write something: this detects now that a file is read-only.
    writing.transaction(() => {
      const found = checkVersion(writing, file)
      if (found === 0) createTables(writing)
      else if (found === 1) upgrade(writing)
      else writing.run('UPDATE log SET head = head')
      for (const statement of runTables) writing.run(statement)
      addTopicLimits(writing)
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
  // One statement for both: between two statements, another process may create the tables.
  const [found, objects] = only(
    connection.rows<[number, number]>(
      'SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version',
    ),
  )
  if (found === 0 ? objects === 0 : found > 0 && found <= formatVersion) return found
  throw new LogError(
    'unavailable',
    `${file} is of version ${found}, and this program needs an event log of version ${formatVersion}. Move the file away, or choose another.`,
  )
}

function createTables(connection: Connection): void {
  for (const statement of [...tables, ...termTables]) connection.run(statement)
  connection.run('INSERT INTO terms (epoch, begin) VALUES (?, 0)', randomBytes(6).toString('hex'))
  connection.run(`PRAGMA user_version = ${formatVersion}`)
}

function upgrade(connection: Connection): void {
  for (const statement of fromVersion1) connection.run(statement)
  connection.run(`PRAGMA user_version = ${formatVersion}`)
}

function addTopicLimits({ rows, run }: Connection): void {
  const found = rows("SELECT 1 FROM pragma_table_info('topics') WHERE name = 'max_age'")
  if (found.length === 0) for (const statement of topicLimits) run(statement)
}
