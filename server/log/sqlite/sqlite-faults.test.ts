import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readerOf } from '@/test/readers/feed-reader'
import { formatCursor, type Cursor } from '@/protocol/cursor'
import type { NewEvent } from '@/protocol/event'
import { journal } from '@/server/observe/journal'
import type { EventLog } from '@/server/log/event-log'
import { createHub } from '@/server/hub/hub'
import { measuredLog } from '@/server/log/measured-log'
import { openConnection } from './sqlite-connection'
import { openSqliteLog } from './sqlite-log'
import { beginTerm } from './sqlite-terms'

const retention = { maxCount: 10_000, maxAgeMs: 100 * 365 * 86_400_000 }
const page = { limit: 10_000, maxBytes: 64 * 1024 * 1024 }
const unavailable = { name: 'LogError', code: 'unavailable' }

let folder: string
let file: string
const logs: EventLog[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-faults-'))
  file = join(folder, 'events.db')
})

afterEach(async () => {
  await Promise.all(logs.splice(0).map((log) => log.close()))
  rmSync(folder, { recursive: true })
  vi.restoreAllMocks()
})

function open(): EventLog {
  const log = measuredLog(openSqliteLog({ file, ...retention }))
  logs.push(log)
  return log
}

function events(count: number): NewEvent[] {
  return Array.from({ length: count }, (_, n) => ({ type: 'message', data: `event ${n + 1}` }))
}

async function beginning(log: EventLog): Promise<Cursor> {
  return { ...(await log.head()), offset: 0 }
}

describe('a file removed or replaced while it is open', () => {
  test.each([
    ['removed', () => rmSync(file)],
    ['moved away', () => renameSync(file, `${file}.old`)],
    [
      'replaced by a copy',
      () => {
        copyFileSync(file, `${file}.copy`)
        renameSync(`${file}.copy`, file)
      },
    ],
    ['left without its write-ahead log', () => rmSync(`${file}-wal`)],
  ])('%s, is unavailable, and nothing is acknowledged', async (_, takeAway) => {
    const told = vi.spyOn(journal, 'error').mockImplementation(() => {})
    const log = open()
    await log.append('a', events(1))
    const start = await beginning(log)

    takeAway()

    await expect(log.append('a', events(1))).rejects.toMatchObject(unavailable)
    await expect(log.append('a', events(1))).rejects.toMatchObject(unavailable)
    await expect(log.head()).rejects.toMatchObject(unavailable)
    await expect(log.read({ after: start, ...page })).rejects.toMatchObject({
      message: expect.stringContaining(file) as string,
    })
    // One line for failed writes, and one for failed reads.
    expect(told.mock.calls.map(([, message]) => message)).toEqual([
      "The event log can't be written.",
      "The event log can't be read.",
    ])
  })

  test('works again when it is put back', async () => {
    vi.spyOn(journal, 'error').mockImplementation(() => {})
    const log = open()
    renameSync(file, `${file}.old`)
    await expect(log.append('a', events(1))).rejects.toMatchObject(unavailable)

    renameSync(`${file}.old`, file)

    expect((await log.append('a', events(1))).ids).toHaveLength(1)
  })
})

describe('a damaged page', () => {
  const leafOfTable = 0x0d
  const leafOfIndex = 0x0a

  /** Overwrites a page that holds events, or entries of an index, in the middle of the file. */
  function damage(kind: number): void {
    const database = new Database(file)
    database.pragma('wal_checkpoint(TRUNCATE)')
    database.close()
    const bytes = readFileSync(file)
    const pages = Array.from({ length: bytes.length / 4096 }, (_, index) => index)
    const fitting = pages.filter((index) => bytes[index * 4096] === kind && index > 8)
    const chosen = fitting[fitting.length >>> 1]
    if (chosen === undefined) throw new Error('There is no such page.')
    const handle = openSync(file, 'r+')
    writeSync(handle, Buffer.alloc(4096, 0xff), 0, 4096, chosen * 4096)
    closeSync(handle)
  }

  test('is logged once, and readers hear which topics may have lost events, and get all readable events', async () => {
    const told = vi.spyOn(journal, 'error').mockImplementation(() => {})
    const writing = open()
    await writing.append('a', events(3_000))
    await writing.append('b', events(10))
    const start = await beginning(writing)
    await writing.close()
    damage(leafOfTable)
    const hub = createHub(open())

    const cursor = { ...start, text: formatCursor(start) }
    const feed = await hub.subscribe({ topics: ['a', 'b'], envelope: false, start: { cursor } })
    const reader = readerOf(feed)
    const got: string[] = []
    const resyncs: unknown[] = []
    while (got.at(-1) !== 'event 10') {
      for (const { event, data } of await reader.next()) {
        if (event === 'resync') resyncs.push(JSON.parse(data))
        else got.push(data)
      }
    }

    expect(resyncs).toMatchObject([{ reason: 'trimmed', topics: ['a', 'b'] }])
    expect(got.length).toBeGreaterThan(2_500)
    expect(got.length).toBeLessThan(3_010)
    expect(told.mock.calls.map(([, message]) => message)).toEqual([
      expect.stringContaining('damaged') as string,
    ])
    await feed.close()
  })

  test('of an index loses no events, reads are only slower', async () => {
    vi.spyOn(journal, 'error').mockImplementation(() => {})
    const writing = open()
    for (let round = 0; round < 30; round++) {
      await writing.append('a', events(100))
      await writing.append('b', events(100))
    }
    const start = await beginning(writing)
    await writing.close()
    damage(leafOfIndex)

    const log = open()
    const got: string[] = []
    let after = start
    for (let isLast = false; !isLast;) {
      const read = await log.read({ topics: ['b'], after, ...page })
      got.push(...read.events.map(({ data }) => data))
      isLast = read.through.offset === 6_000
      expect(read.removed).toEqual([0])
      after = read.through
    }

    expect(got).toHaveLength(3_000)
  })
})

describe('the format of the file', () => {
  test('version 1 is upgraded, and keeps its events, ids and keys', async () => {
    copyFileSync(join(__dirname, 'fixtures/sqlite-version-1.db'), file)
    const log = open()

    const head = await log.head()
    const after = { epoch: '0f97027b', offset: 0 }
    const read = await log.read({ topics: ['orders', 'news', 'busy'], after, ...page })
    const again = await log.append('orders', [{ type: 'order.paid', data: '{"amount":4200}' }], {
      idempotency: { key: 'first', fingerprint: 'print' },
    })
    const { ids } = await log.append('news', events(1))

    expect(head).toEqual({ epoch: '0f97027b', offset: 1_535 })
    expect(read).toMatchObject({ lost: undefined, removed: [0, 2, 1_531] })
    expect(read.events.map((stored) => [formatCursor(stored), stored.data])).toEqual([
      ['0f97027b.1', '{"amount":4200}'],
      ['0f97027b.3', 'two'],
      ['0f97027b.4', 'three\0'],
      ['0f97027b.1532', 'busy 2 507'],
      ['0f97027b.1533', 'busy 2 508'],
      ['0f97027b.1534', 'busy 2 509'],
      ['0f97027b.1535', 'four'],
    ])
    expect(again).toEqual({ ids: ['0f97027b.1'], replayed: true })
    expect(ids[0]).toMatch(/\.1536$/)
    expect(ids[0]).not.toContain('0f97027b')
  })

  test('version 2, as written by 0.1.0, works unchanged: ids, terms and keys are valid, and a reader resumes', async () => {
    copyFileSync(join(__dirname, 'fixtures/sqlite-version-2.db'), file)
    const log = open()
    const topics = ['orders', 'news', 'busy']

    const read = await log.read({ topics, after: { epoch: '500035c6c053', offset: 2 }, ...page })
    const held = await log.locate(topics, { cursor: { epoch: '9090293d5bed', offset: 12 } })
    const again = await log.append('orders', [{ type: 'order.paid', data: '{"amount":4200}' }], {
      idempotency: { key: 'first', fingerprint: 'print' },
    })
    const { ids } = await log.append('news', events(1))

    expect(read).toMatchObject({ lost: undefined, removed: [0, 0, 9] })
    expect(read.events.map((stored) => [formatCursor(stored), stored.data])).toEqual([
      ['500035c6c053.3', 'two'],
      ['9090293d5bed.4', 'three'],
      ['9090293d5bed.10', 'busy 2 3'],
      ['9090293d5bed.11', 'busy 3 1'],
      ['9090293d5bed.12', 'busy 3 2'],
      ['9090293d5bed.13', 'busy 3 3'],
      ['9090293d5bed.14', '{}'],
    ])
    expect(held.lost).toBeUndefined()
    expect(again).toEqual({ ids: ['500035c6c053.1'], replayed: true })
    expect(ids[0]).toMatch(/\.15$/)
  })

  test('after an upgrade, a running program of version 1 fails, and neither loses nor adds anything', () => {
    copyFileSync(join(__dirname, 'fixtures/sqlite-version-1.db'), file)
    const older = new Database(file)
    const read = older.prepare('SELECT epoch, head, time FROM log')
    const write = older.prepare('UPDATE log SET head = ?, time = ?')
    expect(read.all()).toHaveLength(1)

    open()

    // The query with which each transaction of version 1 begins.
    expect(() => read.all()).toThrow('no such column: epoch')
    expect(write).toBeDefined()
    older.close()
  })

  test('upgraded by a newer program while open, is unavailable, and nothing is acknowledged', async () => {
    vi.spyOn(journal, 'error').mockImplementation(() => {})
    const log = open()
    await log.append('a', events(1))
    const newer = new Database(file)
    newer.exec('PRAGMA user_version = 3')
    newer.close()

    const says = { ...unavailable, message: expect.stringContaining('version 3') as string }
    await expect(log.append('a', events(1))).rejects.toMatchObject(says)
    await expect(log.head()).rejects.toMatchObject(says)
  })
})

test('the newest ten thousand terms are kept, and older ones that still have events', async () => {
  const log = open()
  await log.append('a', events(1))
  const oldest = await log.head()
  const connection = openConnection(file, 1_000)
  connection.transaction(() => {
    for (let n = 0; n < 10_100; n++) beginTerm(connection, 1)
  })
  const countTerms = (): number =>
    connection.rows<[number]>('SELECT count(*) FROM terms')[0]?.[0] ?? 0
  const unpruned = countTerms()

  const held = await log.locate(['a'], { cursor: oldest })
  connection.run('DELETE FROM events')
  connection.transaction(() => beginTerm(connection, 1))
  const pruned = countTerms()
  connection.close()

  expect(held.lost).toBeUndefined()
  // The term in which the file was created has no events, so it is gone already.
  expect(unpruned).toBe(10_101)
  expect(pruned).toBe(10_000)
})
