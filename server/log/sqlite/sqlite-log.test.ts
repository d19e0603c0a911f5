import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import type { Cursor } from '@/protocol/cursor'
import type { NewEvent } from '@/protocol/event'
import { testEventLog } from '@/server/log/event-log.contract'
import type { EventLog } from '@/server/log/event-log'
import { openSqliteLog } from './sqlite-log'

const retention = { maxCount: 10_000, maxAgeMs: 3_600_000 }
const page = { limit: 1_000, maxBytes: 1024 * 1024 }
const folder = mkdtempSync(join(tmpdir(), 'sqlite-log-'))
const opened: { close: () => unknown }[] = []
let files = 0

afterEach(async () => {
  vi.useRealTimers()
  for (const each of opened.splice(0)) await each.close()
})

afterAll(() => rmSync(folder, { recursive: true }))

testEventLog('SQLite', async (limits) => {
  const file = newFile()
  let log = openSqliteLog({ file, ...limits })
  return {
    log,
    reopen: async (others = limits) => {
      await log.close()
      log = openSqliteLog({ file, ...others })
      return log
    },
    openOther: (others = limits) => openSqliteLog({ file, ...others }),
    copy: async () => {
      const copy = join(folder, `${++files}.db`)
      const source = holdFile(file)
      source.exec(`VACUUM INTO '${copy}'`)
      source.close()
      return async () => putBack(copy, file)
    },
  }
})

/** Overwrites the pages of the file with those of the copy, like `.restore` of the sqlite3 shell. */
function putBack(copy: string, file: string): void {
  const database = holdFile(file)
  const tables = ['log', 'terms', 'topics', 'events', 'keys', 'runs', 'early_stops']
  database.exec(`ATTACH '${copy}' AS copy; BEGIN IMMEDIATE`)
  for (const table of tables) {
    database.exec(`DELETE FROM ${table}; INSERT INTO ${table} SELECT * FROM copy.${table}`)
  }
  database.exec('COMMIT')
  database.close()
}

describe('openSqliteLog', () => {
  test.each([
    ['a folder in its place', (file: string) => mkdirSync(file)],
    ['something else in its place', (file: string) => writeFileSync(file, 'x'.repeat(5_000))],
  ])('refuses a file with %s, and names the file', (_, occupy) => {
    const file = join(folder, `${++files}.db`)
    occupy(file)

    expect(() => openSqliteLog({ file, ...retention })).toThrow(
      expect.objectContaining({
        code: 'unavailable',
        message: expect.stringContaining(file) as string,
        cause: expect.any(Error) as Error,
      }),
    )
  })

  test('refuses a folder that can not be created, and names the file', () => {
    const notAFolder = join(folder, `${++files}`)
    writeFileSync(notAFolder, '')
    const file = join(notAFolder, 'events.db')

    expect(() => openSqliteLog({ file, ...retention })).toThrow(
      expect.objectContaining({
        code: 'unavailable',
        message: expect.stringContaining(file) as string,
      }),
    )
  })

  test('refuses a file of another version, names both versions, and leaves the file alone', () => {
    const file = join(folder, `${++files}.db`)
    const other = holdFile(file)
    other.exec('PRAGMA user_version = 7')

    expect(() => openSqliteLog({ file, ...retention })).toThrow(/\.db is of version 7.* version 2/)
    expect(other.pragma('journal_mode')).toMatchObject([{ journal_mode: 'delete' }])
  })

  test('refuses a database of something else', () => {
    const file = join(folder, `${++files}.db`)
    holdFile(file).exec('CREATE TABLE customers (id)')

    expect(() => openSqliteLog({ file, ...retention })).toThrow(/\.db is of version 0/)
  })
})

describe('a lock held by another connection', () => {
  test('delays appends, which then share a transaction, and blocks neither reads nor the event loop', async () => {
    const { log, file } = await openLog()
    const start = await log.head()
    const ended = new AbortController()
    const onChange = vi.fn<() => void>()
    log.watch(onChange, { signal: ended.signal })
    const other = holdFile(file)
    other.exec('BEGIN IMMEDIATE')

    const settled = vi.fn<() => void>()
    const appends = ['one', 'two', 'three'].map((data) =>
      log.append('a', events(data)).then(settled),
    )
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
    const meanwhile = await log.read({ after: start, ...page })
    expect(settled).not.toHaveBeenCalled()
    other.exec('ROLLBACK')
    await Promise.all(appends)

    expect(meanwhile.events).toEqual([])
    expect(await dataOf(log, start)).toEqual(['one', 'two', 'three'])
    expect(onChange).toHaveBeenCalledOnce()
    ended.abort()
  })

  test('for more than five seconds makes appends fail as busy, and nothing is appended', async () => {
    const { log, file } = await openLog()
    const start = await log.head()
    const other = holdFile(file)
    other.exec('BEGIN IMMEDIATE')
    vi.useFakeTimers()

    const refused = vi.fn<(error: unknown) => void>()
    const appending = log.append('a', events('one')).catch(refused)
    await vi.advanceTimersByTimeAsync(4_900)
    expect(refused).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(200)
    await appending

    expect(refused).toHaveBeenCalledWith(expect.objectContaining({ code: 'busy' }))
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
    other.exec('ROLLBACK')
    await log.append('a', events('two'))
    expect(await dataOf(log, start)).toEqual(['two'])
  })

  test('lets 8 MiB wait, and makes further appends fail as busy at once', async () => {
    const { log, file } = await openLog()
    const other = holdFile(file)
    other.exec('BEGIN IMMEDIATE')
    const megabyte = events('x'.repeat(1_000_000))

    const waiting = Array.from({ length: 8 }, () => log.append('a', megabyte))
    await expect(log.append('a', megabyte)).rejects.toMatchObject({ code: 'busy' })
    other.exec('ROLLBACK')

    await expect(Promise.all(waiting)).resolves.toHaveLength(8)
    await expect(log.append('a', megabyte)).resolves.toMatchObject({ replayed: false })
  })
})

describe('two logs on one file', () => {
  test('each notices the appends of the other', async () => {
    const { log: one, file } = await openLog()
    const { log: other } = await openLog(file)
    const start = await one.head()

    const heard = Promise.all([nextChange(one), nextChange(other)])
    await other.append('a', events('from the other'))
    await heard

    expect(await dataOf(one, start)).toEqual(['from the other'])
  })

  test('count the events of a topic together, and read those of all topics in their order', async () => {
    const { log: one, file } = await openLog()
    const { log: other } = await openLog(file)
    const start = await one.head()
    const counted = holdFile(file).prepare('SELECT count FROM topics').raw()

    for (const turn of [1, 2, 3]) {
      await one.append('a', events(`one ${turn}`))
      expect(await dataOf(one, start)).toHaveLength(2 * turn - 1)
      await other.append('a', events(`other ${turn}`))
    }

    const all = ['one 1', 'other 1', 'one 2', 'other 2', 'one 3', 'other 3']
    expect(await dataOf(one, start)).toEqual(all)
    expect(await dataOf(other, start)).toEqual(all)
    expect(counted.all()).toEqual([[6]])
  })

  test('a watcher is called once for an append of its own log, and leaves no timer', async () => {
    const { log } = await openLog()
    const ended = new AbortController()
    const onChange = vi.fn<() => void>()
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })

    log.watch(onChange, { signal: ended.signal })
    await log.append('a', events('one'))
    vi.advanceTimersByTime(1_000)

    expect(onChange).toHaveBeenCalledOnce()
    expect(vi.getTimerCount()).toBe(1)
    ended.abort()
    expect(vi.getTimerCount()).toBe(0)
  })
})

function newFile(): string {
  return join(folder, `${++files}`, 'events.db')
}

async function openLog(file = newFile()): Promise<{ log: EventLog; file: string }> {
  const log = openSqliteLog({ file, ...retention })
  opened.push(log)
  return { log, file }
}

/** A second connection, separate from the log's own. */
function holdFile(file: string): Database.Database {
  const database = new Database(file)
  opened.push(database)
  return database
}

function events(...data: string[]): NewEvent[] {
  return data.map((each) => ({ type: 'message', data: each }))
}

async function dataOf(log: EventLog, after: Cursor): Promise<string[]> {
  const { events: found } = await log.read({ after, ...page })
  return found.map(({ data }) => data)
}

function nextChange(log: EventLog): Promise<void> {
  const ended = new AbortController()
  return new Promise((resolve) => {
    log.watch(
      () => {
        ended.abort()
        resolve()
      },
      { signal: ended.signal },
    )
  })
}
