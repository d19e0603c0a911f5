import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { ready, readerOf } from '@/test/readers/feed-reader'
import { cursorOf, parseCursor } from '@/protocol/cursor'
import type { EventLog, Retention } from '@/server/log/event-log'
import { createMemoryLog } from '@/server/log/memory/memory-log'
import { disconnectTopic } from '@/server/log/retention'
import { openSqliteLog } from '@/server/log/sqlite/sqlite-log'
import type { Feed } from '@/server/stream/feed'
import { appendDisconnect, readTarget, type DisconnectTarget } from './disconnects'
import { createHub, type Hub } from '@/server/hub/hub'
import type { Subscription } from '@/server/hub/locate-start'

const retention = { maxCount: 10_000, maxAgeMs: 60_000 }
const hour = 3_600_000

let log: EventLog
let hub: Hub
const opened: { close: () => Promise<void> }[] = []

const engines: Record<string, (limits: Retention) => EventLog> = {
  memory: createMemoryLog,
  SQLite: (limits) => openSqliteLog({ file: join(folder, `${++files}.db`), ...limits }),
}
const folder = mkdtempSync(join(tmpdir(), 'disconnects-'))
let files = 0
let openLog = createMemoryLog

beforeEach(() => {
  log = openLog(retention)
  hub = createHub(log)
})

afterAll(() => rmSync(folder, { recursive: true }))

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
  await hub.close()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

async function publish(data: string, topic = 'news'): Promise<string> {
  const { ids } = await log.append(topic, [{ type: 'message', data }])
  return ids[0] ?? ''
}

async function disconnect(target: DisconnectTarget): Promise<void> {
  await appendDisconnect(log, readTarget(target))
}

interface Asked extends Partial<Pick<Subscription, 'topics' | 'start'>> {
  subject?: string
  sessionKey?: string
  on?: Hub
}

/** Takes the mark, as a route does before it asks who may read. Resolves with what opens the stream. */
async function grant({ subject, sessionKey, topics = ['news'], start, on = hub }: Asked) {
  const since = await on.mark()
  const right = { grantee: { subject, sessionKey }, since }
  return async (): Promise<Feed> => {
    const feed = await on.subscribe({ topics, envelope: false, start, right })
    opened.push(feed)
    return feed
  }
}

async function open(asked: Asked): Promise<Feed> {
  return await (
    await grant(asked)
  )()
}

/** The data of the events, until the stream ends for a reason or has `count` of them. */
async function readUntilLeft(feed: Feed, count = Infinity): Promise<string[]> {
  const reader = readerOf(feed)
  const all: string[] = []
  while (all.length < count) {
    for (const { event, data } of await reader.next()) {
      all.push(event === 'leave' ? `left: ${data}` : data)
      if (event === 'leave') return all
    }
  }
  return all
}

type Read = Parameters<EventLog['read']>[0]

/** From now on, the log answers no such read until the returned function is called. */
function holdReads(isHeld: (request: Read) => boolean = () => true): () => void {
  const read = log.read.bind(log)
  let release = (): void => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  vi.spyOn(log, 'read').mockImplementation(async (request) => {
    if (isHeld(request)) await released
    return await read(request)
  })
  return release
}

/** Joins the hub, as a stream does with its first look. */
async function started(feed: Feed): Promise<Feed> {
  await ready(feed)
  return feed
}

describe.each(Object.keys(engines))('on %s', (engine) => {
  beforeAll(() => {
    openLog = engines[engine] ?? openLog
  })

  describe('a disconnect', () => {
    test.each<[string, Asked, DisconnectTarget]>([
      ['a user', { subject: 'ana' }, { subject: 'ana' }],
      ['a login', { subject: 'ana', sessionKey: 'phone' }, { sessionKey: 'phone' }],
      ['a topic', { subject: 'ana', topics: ['a', 'news'] }, { topics: ['news'] }],
      ['topics by a pattern', { topics: ['orders.eu', 'news'] }, { topics: ['orders.*'] }],
      ['every topic', {}, { topics: ['*'] }],
    ])('of %s ends its streams, and no event after it reaches them', async (_, asked, target) => {
      const feed = await started(await open(asked))
      await publish('before')
      expect(await readUntilLeft(feed, 1)).toEqual(['before'])

      await disconnect(target)
      await publish('after')

      expect(await readUntilLeft(feed)).toEqual(['left: revoked'])
      expect(feed.take(1_000)).toEqual({ leave: 'revoked' })
    })

    test.each<[string, Asked, DisconnectTarget]>([
      ['of another user', { subject: 'bob' }, { subject: 'ana' }],
      ['of another login of the same user', { sessionKey: 'laptop' }, { sessionKey: 'phone' }],
      ['of a login whose key is the id of a user', { sessionKey: 'ana' }, { subject: 'ana' }],
      ['of a user that is not known', {}, { subject: 'ana' }],
      ['of another topic', { subject: 'ana' }, { topics: ['news.eu', 'news.*'] }],
    ])('leaves the streams %s alone', async (_, asked, target) => {
      const feed = await started(await open(asked))

      await disconnect(target)
      await publish('after')

      expect(await readUntilLeft(feed, 1)).toEqual(['after'])
    })

    test('leaves streams of public topics alone, whatever it names', async () => {
      const feed = await hub.subscribe({ topics: ['news'], envelope: false })
      opened.push(await started(feed))

      await disconnect({ topics: ['*'] })
      await publish('after')

      expect(await readUntilLeft(feed, 1)).toEqual(['after'])
    })

    test('does not end streams that are granted after it', async () => {
      await disconnect({ subject: 'ana' })

      const feed = await open({ subject: 'ana', start: { last: 5 } })
      await publish('after')

      expect(await readUntilLeft(feed, 1)).toEqual(['after'])
    })

    test('ends a stream that takes nothing, when it takes again', async () => {
      const feed = await started(await open({ subject: 'ana' }))
      await publish('unread')
      await disconnect({ subject: 'ana' })
      await publish('after')
      const other = await open({ subject: 'bob', start: { last: 1 } })
      expect(await readUntilLeft(other, 1)).toEqual(['after'])

      expect(await readUntilLeft(feed)).toEqual(['left: revoked'])
    })

    test('wakes the streams that it means, and looks at no others', async () => {
      const woken = new Set<number>()
      for (let n = 0; n < 10_000; n++) {
        const feed = await started(await open({ subject: `user ${n}`, topics: [`t${n % 100}`] }))
        feed.whenReady(() => woken.add(n))
      }
      const tenth = await started(await open({ subject: 'user 10', topics: ['t7'] }))
      tenth.whenReady(() => woken.add(-10))

      await disconnect({ subject: 'user 10' })

      await vi.waitFor(() => expect(woken.size).toBe(2), 10_000)
      const marker = await open({ topics: ['marker'] })
      await started(marker)
      await publish('x', 'marker')
      await readUntilLeft(marker, 1)
      expect([...woken].toSorted((one, other) => one - other)).toEqual([-10, 10])
    })

    test('by a newer program, which this one can not read, ends every stream that can end', async () => {
      const feed = await started(await open({ subject: 'ana' }))
      const everyone = await hub.subscribe({ topics: ['news'], envelope: false })
      opened.push(await started(everyone))

      await log.append(disconnectTopic, [{ type: 'disconnect', data: '{"device":"x"}' }])
      await publish('after')

      expect(await readUntilLeft(feed)).toEqual(['left: expired'])
      expect(await readUntilLeft(everyone, 1)).toEqual(['after'])
    })
  })

  describe('a stream that opens while its user is disconnected', () => {
    test.each([
      ['is the first of the process', false],
      ['is not the first', true],
    ])('and %s gets nothing that was appended after', async (_, hasOthers) => {
      if (hasOthers) await started(await open({ subject: 'bob', topics: ['other'] }))
      await publish('before')
      const openNow = await grant({ subject: 'ana' })
      const openPast = await grant({ subject: 'ana', start: { last: 10 } })
      await disconnect({ subject: 'ana' })
      await publish('after')

      const now = await openNow()
      const past = await openPast()
      await publish('later')

      expect(await readUntilLeft(now)).toEqual(['left: revoked'])
      expect(await readUntilLeft(past)).toEqual(['left: revoked'])
    })

    test('takes nothing before its right is judged, even when it is asked to', async () => {
      await hub.close()
      log = openLog(retention)
      // The tail keeps one event: only the log still has the disconnect.
      hub = createHub(log, { tailBytes: 500 })
      const other = await started(await open({ subject: 'bob' }))
      const openIt = await grant({ subject: 'ana' })
      await disconnect({ subject: 'ana' })
      await publish('one')
      await publish('two')
      await readUntilLeft(other, 2)
      const release = holdReads(({ topics }) => topics?.[0] === disconnectTopic)
      const feed = await openIt()
      const joined = ready(feed)
      await publish('after')
      expect(await readUntilLeft(other, 1)).toEqual(['after'])

      expect(feed.take(1_000)).toBeUndefined()
      release()
      await joined

      expect(feed.take(1_000)).toEqual({ leave: 'revoked' })
    })
  })

  describe('a stream far behind', () => {
    test('gets no page that goes beyond what this process knows of disconnects', async () => {
      await hub.close()
      log = openLog(retention)
      hub = createHub(log, { tailBytes: 1 })
      const start = await log.head()
      const cursor = { ...start, text: `${start.epoch}.${start.offset}` }
      const other = await started(await open({ subject: 'bob', topics: ['news', 'other'] }))
      await publish('one')
      await publish('two')
      await readUntilLeft(other, 2)
      const feed = await started(await open({ subject: 'ana', start: { cursor } }))
      const release = holdReads(({ topics }) => topics === undefined)

      await disconnect({ subject: 'ana' })
      await publish('after')
      expect(await readUntilLeft(feed, 2)).toEqual(['one', 'two'])
      const left = readUntilLeft(feed)
      await sleep(20)
      release()

      expect(await left).toEqual(['left: revoked'])
      expect(await readUntilLeft(other, 1)).toEqual(['after'])
    })
  })

  describe('an instance', () => {
    test('that is cut off from the log ends the stream when it is back, before it sends anything newer', async () => {
      const feed = await started(await open({ subject: 'ana' }))
      const stays = await started(await open({ subject: 'bob' }))
      const comeBack = holdReads()

      await publish('before')
      await disconnect({ subject: 'ana' })
      await publish('after')
      comeBack()

      expect(await readUntilLeft(feed)).toEqual(['left: revoked'])
      expect(await readUntilLeft(stays, 2)).toEqual(['before', 'after'])
    })

    test('that another process tells by the log alone ends the stream, on one SQLite file', async () => {
      const file = join(folder, `${++files}.db`)
      const [mine, theirs] = [1, 2].map(() => openSqliteLog({ file, ...retention })) as [
        EventLog,
        EventLog,
      ]
      const own = createHub(mine)
      const feed = await started(await open({ subject: 'ana', on: own }))
      const stays = await started(await open({ subject: 'bob', on: own }))

      await appendDisconnect(theirs, readTarget({ subject: 'ana' }))
      await theirs.append('news', [{ type: 'message', data: 'after' }])

      expect(await readUntilLeft(feed)).toEqual(['left: revoked'])
      expect(await readUntilLeft(stays, 1)).toEqual(['after'])
      await Promise.all([feed.close(), stays.close()])
      await own.close()
      await theirs.close()
    })

    test('that fell behind what a topic keeps still finds the disconnects, and ends no other stream', async () => {
      await hub.close()
      log = openLog({ maxCount: 10, maxAgeMs: 60_000 })
      hub = createHub(log)
      const feed = await started(await open({ subject: 'ana' }))
      const stays = await started(await open({ subject: 'bob' }))
      const release = holdReads()

      await publish('before')
      await disconnect({ subject: 'ana' })
      for (let n = 0; n < 3; n++) {
        const many = Array.from({ length: 600 }, () => ({ type: 'message', data: 'x' }))
        await log.append('news', many)
      }
      release()

      expect(await readUntilLeft(feed)).toEqual(['left: revoked'])
      const [resync] = await readerOf(stays).next()
      expect(resync?.event).toBe('resync')
    })

    test('that was cut off for longer than disconnects are kept asks every reader to come back', async () => {
      vi.useFakeTimers({ toFake: ['Date'] })
      const feed = await started(await open({ subject: 'ana' }))
      const everyone = await hub.subscribe({ topics: ['news'], envelope: false })
      opened.push(await started(everyone))
      const release = holdReads()

      await disconnect({ subject: 'bob' })
      vi.setSystemTime(Date.now() + hour + 1)
      await publish('after')
      release()

      expect(await readUntilLeft(feed)).toEqual(['left: expired'])
      expect(await readUntilLeft(everyone, 1)).toContain('after')
    })

    test('whose log was replaced by an older copy asks every reader to come back', async () => {
      const feed = await started(await open({ subject: 'ana' }))
      const openLater = await grant({ subject: 'ana' })
      const read = log.read.bind(log)
      vi.spyOn(log, 'read').mockImplementation(async (request) => {
        const page = await read(request)
        return request.after.epoch === before.epoch ? { ...page, lost: 'epoch' } : page
      })
      const before = await log.head()

      await publish('after')

      expect(await readUntilLeft(feed)).toEqual(['left: expired'])
      expect(await readUntilLeft(await openLater())).toEqual(['left: expired'])
    })
  })
})

describe('whatever happens at once', () => {
  const subjects = ['ana', 'bob']

  interface Reader {
    feed: Feed
    /** How many things had happened when it was granted. */
    grantedAt: number
    subject: string
    seen: number[]
    left: boolean
  }

  const steps = fc.array(
    fc.oneof(
      fc.record({ publish: fc.integer({ min: 1, max: 30 }) }),
      fc.record({ disconnect: fc.constantFrom(...subjects) }),
      fc.record({
        grant: fc.constantFrom(...subjects),
        from: fc.constantFrom('now', 'last', 'old'),
      }),
      fc.record({ open: fc.constant(true) }),
      fc.record({ read: fc.nat(5) }),
      fc.record({ turn: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ lag: fc.integer({ min: 0, max: 8 }) }),
    ),
    { minLength: 10, maxLength: 60 },
  )

  test('no event after a disconnect reaches a stream granted before it; all others get everything', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const memory = createMemoryLog({ maxCount: 100_000, maxAgeMs: hour })
        let lag = 0
        const slow: EventLog = {
          ...memory,
          async read(request) {
            // The tail lags behind the log, and so behind the pages of others.
            for (let turn = request.topics ? 0 : lag; turn > 0; turn--) await sleep(0)
            return await memory.read(request)
          },
        }
        const own = createHub(slow, { tailBytes: 10_000 })
        const disconnects: { subject: string; offset: number }[] = []
        const published: number[] = []
        const granted: (() => Promise<void>)[] = []
        const readers: Reader[] = []
        const first = await memory.head()

        for (const step of plan) {
          if ('publish' in step) {
            const events = Array.from({ length: step.publish }, () => ({ type: 'm', data: 'x' }))
            const { ids } = await memory.append('news', events)
            published.push(...ids.map((id) => parseCursor(id)?.offset ?? 0))
          } else if ('disconnect' in step) {
            await appendDisconnect(memory, readTarget({ subject: step.disconnect }))
            disconnects.push({ subject: step.disconnect, offset: (await memory.head()).offset })
          } else if ('grant' in step) {
            const since = await own.mark()
            const grantedAt = (await memory.head()).offset
            const cursor = { ...cursorOf(first), text: `${first.epoch}.${first.offset}` }
            const start = { now: undefined, last: { last: 20 }, old: { cursor } }[step.from]
            const right = { grantee: { subject: step.grant, sessionKey: undefined }, since }
            granted.push(async () => {
              const feed = await own.subscribe({ topics: ['news'], envelope: false, start, right })
              readers.push({ feed, grantedAt, subject: step.grant, seen: [], left: false })
            })
          } else if ('open' in step) {
            await granted.shift()?.()
          } else if ('read' in step) {
            const reader = readers[step.read]
            if (reader) takeOnce(reader)
          } else if ('turn' in step) {
            for (let n = 0; n < step.turn; n++) await sleep(0)
          } else {
            lag = step.lag
          }
        }
        for (const openIt of granted) await openIt()
        const isDue = ({ subject, grantedAt }: Reader): boolean =>
          disconnects.some((one) => one.subject === subject && one.offset > grantedAt)
        const isDone = (reader: Reader): boolean =>
          reader.left || (!isDue(reader) && reader.seen.at(-1) === published.at(-1))
        await vi.waitFor(
          () => {
            for (const reader of readers) takeOnce(reader)
            const waiting = readers.filter(
              (reader) => !isDone(reader) && (isDue(reader) || reader.seen.length > 0),
            )
            expect(waiting).toHaveLength(0)
          },
          { timeout: 5_000, interval: 1 },
        )

        for (const { subject, grantedAt, seen, left } of readers) {
          const ended = disconnects.find((one) => one.subject === subject && one.offset > grantedAt)
          expect(seen.filter((offset) => offset > (ended?.offset ?? Infinity))).toEqual([])
          expect(new Set(seen).size).toBe(seen.length)
          expect(left || !ended).toBe(true)
        }
        await Promise.all(readers.map(({ feed }) => feed.close()))
        await own.close()
      }),
      { numRuns: 60 },
    )
  })

  const waiting = new WeakSet<Feed>()

  /** Takes what is there, as a stream does: never waits twice at once. */
  function takeOnce(reader: Reader): void {
    const { feed } = reader
    if (reader.left || waiting.has(feed)) return
    const chunk = feed.take(300)
    if (chunk && chunk !== 'end' && 'leave' in chunk) reader.left = true
    else if (chunk instanceof Uint8Array) {
      const text = new TextDecoder().decode(chunk)
      if (text.startsWith('event: ping')) return
      for (const [, id] of text.matchAll(/^id: (.+)$/gm)) {
        reader.seen.push(parseCursor(id)?.offset ?? 0)
      }
    } else {
      waiting.add(feed)
      feed.whenReady(() => waiting.delete(feed))
    }
  }
})
