import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Retention } from '@/server/log/event-log'
import type { Connection } from './sqlite-connection'
import { openSqliteFile } from './sqlite-schema'
import { createRecentEvents } from './recent-events'
import { createSqliteWriter, type Append, type SqliteWriter } from './sqlite-writer'

const retention = { maxCount: 100, maxAgeMs: 60_000 }
let folder: string
let reading: Connection
let writing: Connection

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
  folder = mkdtempSync(join(tmpdir(), 'sqlite-writer-'))
  ;({ reading, writing } = openSqliteFile(join(folder, 'events.db')))
})

afterEach(() => {
  writing.close()
  reading.close()
  rmSync(folder, { recursive: true })
  vi.useRealTimers()
})

function createWriter(limits: Partial<Retention> = {}): SqliteWriter {
  return createSqliteWriter(writing, { ...retention, ...limits }, createRecentEvents())
}

function countOf(table: 'events' | 'keys' | 'topics'): number {
  return reading.rows<[number]>(`SELECT count(*) FROM ${table}`)[0]?.[0] ?? 0
}

function appendOf(topic: string, count: number, key?: string): Append {
  const events = Array.from({ length: count }, () => ({ type: 'message', data: 'x' }))
  return { topic, events, idempotency: key === undefined ? undefined : { key, fingerprint: '' } }
}

describe('trim', () => {
  test('removes at most 500 rows in one step, and says when there may be more', () => {
    const writer = createWriter()
    const { topicIds } = writer.write([appendOf('a', 700), appendOf('b', 600)])

    const steps: [boolean, number][] = []
    for (let n = 0; n < 4; n++) steps.push([writer.trim(topicIds), countOf('events')])

    expect(steps).toEqual([
      [true, 800],
      [true, 300],
      [false, 200],
      [false, 200],
    ])
  })

  test('removes the keys of appends with their events', () => {
    const writer = createWriter({ maxCount: 10_000 })
    const appends = Array.from({ length: 400 }, (_, n) => appendOf('a', 1, `key ${n}`))
    const { rows, topicIds } = writer.write(appends)
    vi.advanceTimersByTime(retention.maxAgeMs + 1)

    const more = writer.trim(topicIds)

    expect(rows).toBe(800)
    expect(more).toBe(false)
    expect(countOf('events') + countOf('keys')).toBe(0)
  })

  test('forgets a topic once it has neither events nor keys', () => {
    const writer = createWriter()
    const topics = Array.from({ length: 200 }, (_, n) => appendOf(`topic ${n}`, 1, 'key'))
    writer.write(topics)
    vi.advanceTimersByTime(retention.maxAgeMs + 1)
    const { topicIds } = writer.write([appendOf('new', 1)])

    while (writer.trim(topicIds));

    expect(countOf('topics')).toBe(1)
    expect(countOf('events')).toBe(1)
    expect(countOf('keys')).toBe(0)
  })
})
