/** The tests that every log engine must pass. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { formatCursor, parseCursor, type Cursor } from '@/protocol/cursor'
import type { NewEvent, StoredEvent } from '@/protocol/event'
import { journal } from '@/server/observe/journal'
import { LogError, type EventLog, type TopicLimits, type Retention } from './event-log'
import { disconnectTopic } from './retention'
import { testRuns } from './runs.contract'

/** The optional functions are for engines whose events outlive the process. */
export interface OpenedLog {
  log: EventLog
  /** Closes the log and opens the same events again, as a restarted process does: by default with the same limits. */
  reopen?: (retention?: Retention) => Promise<EventLog>
  /** Opens the same events at the same time, as another process does: by default with the same limits. */
  openOther?: (retention?: Retention) => EventLog
  /** Copies the events. Resolves with a function that restores the copy while other processes have the log open. */
  copy?: () => Promise<() => Promise<void>>
}

const retention = { maxCount: 10_000, maxAgeMs: 3_600_000 }
const page = { limit: 1_000, maxBytes: 1024 * 1024 }
/** More events than a topic limited to ten can hold before it is trimmed. */
const overflow = 600
const noon = Date.UTC(2026, 0, 1, 12)
const minute = 60_000

export function testEventLog(
  name: string,
  openLog: (retention: Retention) => Promise<OpenedLog>,
): void {
  testRuns(name, openLog)

  let log: EventLog
  let opened: OpenedLog
  let start: Cursor
  let passedMs: number

  /** Time goes on: both the clock and what `performance.now` measures. `vi.setSystemTime` moves only the clock. */
  function pass(ms: number): void {
    passedMs += ms
    vi.setSystemTime(Date.now() + ms)
  }

  async function open(limits: Partial<Retention> = {}): Promise<void> {
    opened = await openLog({ ...retention, ...limits })
    log = opened.log
    start = await log.head()
  }

  async function append(topic: string, ...data: string[]): Promise<Cursor[]> {
    const { ids } = await log.append(topic, events(...data))
    return ids.map(cursorOf)
  }

  async function fill(topic: string, count: number): Promise<Cursor[]> {
    return await append(topic, ...Array.from({ length: count }, (_, n) => `${topic} ${n + 1}`))
  }

  /** Appends twice, because only appends remove the surplus. */
  async function flood(topic: string): Promise<void> {
    await fill(topic, overflow)
    await fill(topic, overflow)
    await fill(topic, 1)
  }

  async function idsAfter(topics: string[] | undefined, after: Cursor): Promise<Cursor[]> {
    const { events: found, lost } = await log.read({ topics, after, ...page })
    expect(lost).toBeUndefined()
    return found.map(({ epoch, offset }) => ({ epoch, offset }))
  }

  async function dataOf(topics: string[] | undefined, after = start): Promise<string[]> {
    const { events: found } = await log.read({ topics, after, ...page })
    return found.map(({ data }) => data)
  }

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: noon })
    passedMs = 0
    const now = performance.now.bind(performance)
    vi.spyOn(performance, 'now').mockImplementation(() => now() + passedMs)
    await open()
  })

  afterEach(async () => {
    await log.close()
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  describe(`${name}: append and read`, () => {
    test('returns appended events in order, with consecutive offsets', async () => {
      const ids = await append('news', 'one', 'two')
      await append('news', 'three')

      const { events: found, through, lost } = await log.read({ after: start, ...page })

      const from = start.offset
      const { epoch } = await log.head()
      expect(found).toEqual([
        { topic: 'news', type: 'message', data: 'one', epoch, offset: from + 1, time: noon },
        { topic: 'news', type: 'message', data: 'two', epoch, offset: from + 2, time: noon },
        { topic: 'news', type: 'message', data: 'three', epoch, offset: from + 3, time: noon },
      ])
      expect(ids).toEqual([
        { epoch, offset: from + 1 },
        { epoch, offset: from + 2 },
      ])
      expect(through).toEqual(await log.head())
      expect(lost).toBeUndefined()
    })

    test('reads the requested topics, or all', async () => {
      await append('a', 'a1')
      await append('b', 'b1')
      await append('c', 'c1')
      await append('a', 'a2')

      expect(await dataOf(['a'])).toEqual(['a1', 'a2'])
      expect(await dataOf(['c', 'a'])).toEqual(['a1', 'c1', 'a2'])
      expect(await dataOf(['nobody'])).toEqual([])
      expect(await dataOf(undefined)).toEqual(['a1', 'b1', 'c1', 'a2'])
    })

    test('appending no events returns no ids', async () => {
      expect(await log.append('news', [])).toEqual({ ids: [], replayed: false })
      expect(await log.head()).toEqual(start)
    })

    test('an answer cut by the limit is complete up to its last event, any other up to the head', async () => {
      const [first, second] = await append('a', 'a1', 'a2')
      await append('b', 'b1')

      const cut = await log.read({ topics: ['a'], after: start, ...page, limit: 1 })
      const whole = await log.read({ topics: ['a'], after: cut.through, ...page })

      expect(cut.through).toEqual(first)
      expect(whole.events.map(({ offset }) => offset)).toEqual([second?.offset])
      expect(whole.through).toEqual(await log.head())
    })

    test('returns at most maxBytes, counted as UTF-8, but at least one event', async () => {
      const [first, second] = await append('a', 'éé', 'éé', 'éé')

      const two = await log.read({ after: start, limit: 9, maxBytes: 11 })
      const one = await log.read({ after: start, limit: 9, maxBytes: 1 })

      expect(two.events).toHaveLength(2)
      expect(two.through).toEqual(second)
      expect(one.events).toHaveLength(1)
      expect(one.through).toEqual(first)
    })

    test('a reader that continues from `through` gets every event of its topics once, in order', async () => {
      const topic = fc.constantFrom('a', 'b', 'c', 'd')
      const batch = fc.tuple(topic, fc.array(fc.string({ maxLength: 40 }), { maxLength: 70 }))
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(batch, { maxLength: 4 }), { maxLength: 6 }),
          fc.option(fc.uniqueArray(topic, { minLength: 1 }), { nil: undefined }),
          fc.record({ limit: fc.integer({ min: 1, max: 120 }), maxBytes: fc.nat(2_000) }),
          async (rounds, topics, size) => {
            let after = await log.head()
            const expected: string[] = []
            const got: StoredEvent[] = []

            for (const round of rounds) {
              await Promise.all(round.map(([name_, data]) => log.append(name_, events(...data))))
              for (const [name_, data] of round) {
                if (topics?.includes(name_) ?? true) expected.push(...data)
              }
              // Reads one page per round, so that reads and appends alternate.
              const read = await log.read({ topics, after, ...size })
              got.push(...read.events)
              after = read.through
            }
            got.push(...(await readAll(log, topics, after, size)))

            expect(got.map(({ data }) => data)).toEqual(expected)
          },
        ),
        { numRuns: 40 },
      )
    })

    test.each([
      ['NUL', 'a\0b\0'],
      ['nothing', ''],
      ['emoji', '👩‍👩‍👧‍👦 é \u{10FFFF}'],
      ['line ends', '\r\n\n\r'],
      ['what looks like a number', '0123'],
      ['quotes', `'"\\;--`],
      ['64 KiB', 'x'.repeat(64 * 1024)],
    ])('carries %s', async (_, data) => {
      await append('news', data)

      expect(await dataOf(['news'])).toEqual([data])
    })

    test('__proto__ is a topic and a type like any other', async () => {
      await log.append('__proto__', [{ type: '__proto__', data: 'x' }])
      await append('constructor', 'y')

      const { events: found } = await log.read({ topics: ['__proto__'], after: start, ...page })

      expect(found).toMatchObject([{ topic: '__proto__', type: '__proto__', data: 'x' }])
    })

    test('the events of concurrent appends do not mix, and keep the order of the calls', async () => {
      const appends = Array.from({ length: 20 }, (_, n) => [`${n} a`, `${n} b`, `${n} c`])

      await Promise.all(appends.map((data, n) => append(`t${n % 3}`, ...data)))

      expect(await dataOf(undefined)).toEqual(appends.flat())
    })

    test('of appends that come at once, one that is refused or changes nothing affects no other', async () => {
      const idempotency = { key: 'key', fingerprint: 'print' }
      await log.append('a', events('a0'), { idempotency })
      const another = { idempotency: { ...idempotency, fingerprint: 'another' } }

      const settled = await Promise.allSettled([
        log.append('a', events('a1')),
        log.append('a', events('conflict'), another),
        log.append('work', events('begin'), { run: { id: 'r1', op: 'begin' } }),
        log.append('work', events('begin again'), { run: { id: 'r1', op: 'begin' } }),
        log.append('work', events('of no run'), { run: { id: 'r2', op: 'renew' } }),
        log.append('work', events('token'), { run: { id: 'r1', op: 'renew' } }),
        log.append('a', events('a0'), { idempotency }),
        log.append('work', [], { run: { id: 'r1', op: 'stop' } }),
        log.append('work', events('end'), { run: { id: 'r1', op: 'end', status: 'stopped' } }),
        log.append('work', events('too late'), { run: { id: 'r1', op: 'renew' } }),
        log.append('a', events('a2', 'a3')),
      ])

      const outcomes = settled.map((one) => {
        if (one.status === 'rejected') return (one.reason as LogError).code
        const { ids, replayed, run } = one.value
        const offsets = ids.map((id) => cursorOf(id).offset - start.offset)
        return [offsets, replayed ? 'replayed' : run?.applied, run?.run?.state]
      })
      expect(outcomes).toEqual([
        [[2], undefined, undefined],
        'idempotency-conflict',
        [[3], true, 'running'],
        [[], false, 'running'],
        'run-ended',
        [[4], true, 'running'],
        [[1], 'replayed', undefined],
        [[], true, 'stopping'],
        [[5], true, 'stopped'],
        'run-ended',
        [[6, 7], undefined, undefined],
      ])
      expect(await dataOf(undefined)).toEqual(['a0', 'a1', 'begin', 'token', 'end', 'a2', 'a3'])
    })

    test('time never decreases, even when the clock does', async () => {
      await append('a', 'one')
      vi.setSystemTime(noon - 60_000)
      await append('b', 'two')
      vi.setSystemTime(noon + 5)
      await append('a', 'three')

      const { events: found } = await log.read({ after: start, ...page })

      expect(found.map(({ time }) => time)).toEqual([noon, noon, noon + 5])
    })
  })

  describe(`${name}: locate`, () => {
    test('a valid cursor is the start', async () => {
      const [first] = await append('a', 'a1', 'a2')
      const head = await log.head()

      expect(await log.locate(['a'], { cursor: first ?? start })).toMatchObject({
        after: first,
        lost: undefined,
      })
      expect(await log.locate(['a'], { cursor: head })).toMatchObject({
        after: head,
        lost: undefined,
      })
      expect(await log.locate(['nobody'], { cursor: start })).toMatchObject({
        after: start,
        lost: undefined,
      })
    })

    test('last starts before the newest events of those topics', async () => {
      await append('a', 'a1', 'a2')
      await append('b', 'b1')
      await append('a', 'a3')
      await append('c', 'c1')

      async function lastOf(topics: string[], last: number): Promise<string[]> {
        const { after } = await log.locate(topics, { last })
        return await dataOf(topics, after)
      }

      expect(await lastOf(['a'], 2)).toEqual(['a2', 'a3'])
      expect(await lastOf(['a', 'b'], 2)).toEqual(['b1', 'a3'])
      expect(await lastOf(['a', 'b'], 99)).toEqual(['a1', 'a2', 'b1', 'a3'])
      expect(await lastOf(['a'], 0)).toEqual([])
      expect(await lastOf(['nobody'], 5)).toEqual([])
    })

    test('since starts before the first event of that time or later', async () => {
      await append('a', 'a1')
      vi.setSystemTime(noon + 1_000)
      await append('b', 'b1')
      await append('a', 'a2')
      vi.setSystemTime(noon + 2_000)
      await append('a', 'a3')

      async function sinceOf(topics: string[], since: number): Promise<string[]> {
        const { after } = await log.locate(topics, { since })
        return await dataOf(topics, after)
      }

      expect(await sinceOf(['a'], 0)).toEqual(['a1', 'a2', 'a3'])
      expect(await sinceOf(['a', 'b'], noon + 1)).toEqual(['b1', 'a2', 'a3'])
      expect(await sinceOf(['a'], noon + 1_000)).toEqual(['a2', 'a3'])
      expect(await sinceOf(['a'], noon + 2_001)).toEqual([])
      expect(await sinceOf(['nobody'], 0)).toEqual([])
    })
  })

  describe(`${name}: losses`, () => {
    test('a cursor of another log gets all kept events', async () => {
      const [first] = await append('a', 'a1', 'a2')
      const after = { epoch: 'another', offset: first?.offset ?? 0 }

      const read = await log.read({ topics: ['a'], after, ...page })
      const located = await log.locate(['a'], { cursor: after })

      expect(read).toMatchObject({ lost: 'epoch', removed: [0], through: await log.head() })
      expect(read.events.map(({ data }) => data)).toEqual(['a1', 'a2'])
      expect(located).toMatchObject({ lost: 'epoch', removed: [0], after: beforeOf(first) })
    })

    test('a cursor in the future gets all kept events', async () => {
      const [first] = await append('a', 'a1')
      const head = await log.head()
      const after = { ...head, offset: head.offset + 1 }

      const read = await log.read({ topics: ['a'], after, ...page })
      const located = await log.locate(['a'], { cursor: after })

      expect(read).toMatchObject({ lost: 'future', removed: [0], events: [{ data: 'a1' }] })
      expect(located).toMatchObject({ lost: 'future', removed: [0], after: beforeOf(first) })
    })

    test('keeps the newest events of each topic, and says up to which offset it trimmed', async () => {
      await log.close()
      await open({ maxCount: 10 })

      await flood('busy')

      const read = await log.read({ topics: ['busy'], after: start, ...page })
      const [oldest] = read.events
      const removed = [(oldest?.offset ?? 0) - 1]
      expect(read.events.length).toBeGreaterThanOrEqual(10)
      expect(read.events.length).toBeLessThanOrEqual(510)
      expect(read.events.at(-1)?.offset).toBe((await log.head()).offset)
      expect(read).toMatchObject({ lost: undefined, removed })
      expect(await log.locate(['busy'], { cursor: start })).toMatchObject({ after: start, removed })
    })

    test('says what was removed from each requested topic, in the order requested', async () => {
      await log.close()
      await open({ maxCount: 10 })
      const [quiet] = await append('quiet', 'q1', 'q2')
      await flood('busy')
      await flood('busier')

      const busy = await log.read({ topics: ['busy'], after: start, ...page })
      const busier = await log.read({ topics: ['busier'], after: start, ...page })
      const three = ['busier', 'quiet', 'busy']
      const read = await log.read({ topics: three, after: start, ...page })
      const located = await log.locate(three, { since: 0 })
      const all = await log.read({ after: start, ...page })

      const removed = [...busier.removed, 0, ...busy.removed]
      expect(read.removed).toEqual(removed)
      expect(located).toMatchObject({ removed, after: beforeOf(quiet) })
      expect(all.removed).toEqual(busier.removed)
      expect(busy.removed[0]).toBeGreaterThan(0)
      expect(busier.removed[0]).toBeGreaterThan(busy.removed[0] ?? 0)
      expect(read.events.slice(0, 2).map(({ data }) => data)).toEqual(['q1', 'q2'])
      expect(all.events).toEqual(read.events)
    })

    test('events older than the age limit are not read, and count as removed', async () => {
      const [, second] = await append('a', 'a1', 'a2')
      await append('b', 'b1')
      vi.setSystemTime(noon + retention.maxAgeMs)
      await append('a', 'a3')
      expect(await dataOf(['a'])).toEqual(['a1', 'a2', 'a3'])

      vi.setSystemTime(noon + retention.maxAgeMs + 1)

      const read = await log.read({ topics: ['a'], after: start, ...page })
      expect(read.events.map(({ data }) => data)).toEqual(['a3'])
      expect(read).toMatchObject({ lost: undefined, removed: [second?.offset] })
      const { after, removed } = await log.locate(['a'], { since: 0 })
      expect(removed).toEqual([second?.offset])
      expect(await dataOf(['a'], after)).toEqual(['a3'])
      expect(await log.locate(['a'], { last: 9 })).toMatchObject({ after })
    })

    test('a log whose events have all aged out assigns no offset twice', async () => {
      const [, last] = await append('a', 'a1', 'a2')
      vi.setSystemTime(noon + 2 * retention.maxAgeMs)

      const aged = await log.read({ topics: ['a'], after: start, ...page })
      await append('b', 'b1')
      const [next] = await append('a', 'a3')

      expect(aged).toMatchObject({ events: [], through: last, removed: [last?.offset] })
      expect(next?.offset).toBe((last?.offset ?? 0) + 2)
      expect(await dataOf(['a'])).toEqual(['a3'])
    })

    test('a cursor from before a topic was forgotten still gets the loss', async () => {
      const [last] = await append('a', 'a1')
      vi.setSystemTime(noon + 2 * retention.maxAgeMs)
      await append('b', 'b1')
      await append('b', 'b2')

      expect(await log.locate(['a'], { cursor: last ?? start })).toMatchObject({
        after: last,
        lost: undefined,
        removed: [last?.offset],
      })
    })

    test('a clock that is wrong for a moment does not make events age too soon', async () => {
      await append('a', 'before')
      vi.setSystemTime(noon - 2 * retention.maxAgeMs)
      await append('a', 'two hours late')
      vi.setSystemTime(noon + minute)
      await append('a', 'now')

      const { events: found, removed } = await log.read({ topics: ['a'], after: start, ...page })

      expect(found.map(({ time }) => (time - noon) / minute)).toEqual([0, 0, 1])
      expect(removed).toEqual([0])
    })

    test('after a clock jumped ahead and came back, events still age', async () => {
      await append('a', 'before')
      vi.setSystemTime(noon + retention.maxAgeMs)
      await append('a', 'an hour early')
      await append('b', 'an hour early, too')
      vi.setSystemTime(noon)
      await append('a', 'perhaps it is this one that is wrong')
      pass(minute * 11)
      const [now] = await append('a', 'now')

      const { events: found } = await log.read({ after: start, ...page })
      const recent = await log.locate(['a', 'b'], { since: noon + minute * 11 + 1 })
      pass(retention.maxAgeMs + 1)
      const aged = await log.read({ topics: ['a'], after: start, ...page })
      await append('c', 'c1')
      await append('c', 'c2')

      expect(found.map(({ time }) => (time - noon) / minute)).toEqual([0, 11, 11, 11, 11])
      expect(recent.after).toEqual(now)
      expect(aged).toMatchObject({ events: [], removed: [now?.offset] })
      expect(await dataOf(undefined)).toEqual(['c1', 'c2'])
    })

    test('a clock that is in doubt is not believed because it jumps ahead', async () => {
      vi.setSystemTime(noon + retention.maxAgeMs)
      await append('a', 'an hour early')
      vi.setSystemTime(noon)
      await append('a', 'in doubt')
      vi.setSystemTime(noon + minute * 20)
      await append('a', 'twenty minutes early')
      vi.setSystemTime(noon)
      await append('a', 'still in doubt')

      const { events: found } = await log.read({ after: start, ...page })

      expect(found.map(({ time }) => (time - noon) / minute)).toEqual([60, 60, 60, 60])
    })

    test('what has aged stays removed when another clock jumped ahead and came back', async () => {
      async function jumpAhead(ms: number, count: number): Promise<void> {
        vi.setSystemTime(Date.now() + ms)
        await fill('a', count)
        vi.setSystemTime(Date.now() - ms)
        await append('b', 'perhaps it is this one that is wrong')
        pass(minute * 11)
        await append('b', 'now')
      }

      // More than a few appends can remove.
      await jumpAhead(retention.maxAgeMs * 2, 2_000)
      pass(retention.maxAgeMs + 1)
      const aged = await dataOf(['a'])
      await jumpAhead(retention.maxAgeMs * 5, 1)

      const { events: found } = await log.read({ topics: ['a'], after: start, ...page })
      expect(aged).toEqual([])
      expect(found.map(({ time }) => Date.now() - time)).toEqual([0])
    })
  })

  describe(`${name}: limits of a topic`, () => {
    const hour = 3_600_000
    const ownLimits = limitsBy({
      long: { maxCount: 10_000, maxAgeMs: 10 * hour },
      short: { maxCount: 10_000, maxAgeMs: minute },
      few: { maxCount: 10, maxAgeMs: hour },
    })

    async function openWithOwn(): Promise<void> {
      await log.close()
      await open({ ownLimits })
    }

    test('a topic keeps its events for as long as its own limit says', async () => {
      await openWithOwn()
      const [, long] = [await append('a', 'a1'), await append('long', 'l1')]
      const [short] = await append('short', 's1')

      vi.setSystemTime(noon + minute + 1)
      const minuteLater = await log.read({
        topics: ['a', 'long', 'short'],
        after: start,
        ...page,
      })
      vi.setSystemTime(noon + hour + 1)
      // Appends remove what is too old.
      for (let n = 0; n < 3; n++) await append('other', 'x')
      const hourLater = await log.read({ topics: ['short', 'long', 'a'], after: start, ...page })
      vi.setSystemTime(noon + 10 * hour + 1)
      for (let n = 0; n < 3; n++) await append('other', 'x')
      const tenHoursLater = await log.read({ topics: ['long'], after: start, ...page })

      expect(minuteLater.events.map(({ data }) => data)).toEqual(['a1', 'l1'])
      expect(minuteLater.removed).toEqual([0, 0, short?.offset])
      expect(hourLater.events.map(({ data }) => data)).toEqual(['l1'])
      expect(hourLater.removed[0]).toBeGreaterThanOrEqual(short?.offset ?? 0)
      expect(hourLater.removed[1]).toBe(0)
      expect(tenHoursLater).toMatchObject({ events: [], removed: [expect.any(Number)] })
      expect(tenHoursLater.removed[0]).toBeGreaterThanOrEqual(long[0]?.offset ?? 0)
    })

    test('old events of one topic do not keep those of others from being removed', async () => {
      await openWithOwn()
      await fill('long', overflow)
      await fill('a', overflow)
      vi.setSystemTime(noon + hour + 1)

      await fill('long', overflow)
      await fill('long', 1)
      await fill('long', 1)

      const read = await log.read({
        topics: ['a', 'long'],
        after: start,
        limit: 9_999,
        maxBytes: page.maxBytes,
      })
      expect(read.events.every(({ topic }) => topic === 'long')).toBe(true)
      expect(read.events).toHaveLength(2 * overflow + 2)
    })

    test('the newest events of several topics are found, whatever their limits', async () => {
      await openWithOwn()
      await append('long', 'l1', 'l2', 'l3')
      await append('short', 's1', 's2', 's3')
      vi.setSystemTime(noon + minute + 1)

      const { after } = await log.locate(['short', 'long'], { last: 2 })

      expect(await dataOf(['short', 'long'], after)).toEqual(['l2', 'l3'])
    })

    test('of all topics, an event older than its own topic allows is not read, and counts as removed', async () => {
      await openWithOwn()
      await append('a', 'a1')
      const [short] = await append('short', 's1')
      await append('long', 'l1')
      vi.setSystemTime(noon + minute + 1)

      const read = await log.read({ after: start, ...page })

      expect(read.events.map(({ data }) => data)).toEqual(['a1', 'l1'])
      expect(read.removed[0]).toBeGreaterThanOrEqual(short?.offset ?? 0)
      expect(read.through).toEqual(await log.head())
    })

    test('a topic keeps as many events as its own limit says', async () => {
      await openWithOwn()

      await flood('few')
      await flood('many')

      expect((await dataOf(['few'])).length).toBeLessThanOrEqual(510)
      expect((await dataOf(['many'])).length).toBe(1_000)
    })

    test('an idempotency key is kept as long as the events of its topic', async () => {
      await openWithOwn()
      const idempotency = { key: 'key', fingerprint: 'print' }
      const first = await log.append('long', events('one'), { idempotency })
      await log.append('short', events('one'), { idempotency })

      vi.setSystemTime(noon + hour + 1)
      await append('other', 'x')
      const again = await log.append('long', events('one'), { idempotency })
      const short = await log.append('short', events('one'), { idempotency })

      expect(again).toEqual({ ids: first.ids, replayed: true })
      expect(short.replayed).toBe(false)
    })

    test('the limits of the process that appends count for every process', async ({ skip }) => {
      const { openOther } = opened
      if (!openOther) return skip('this engine has one process')
      await openWithOwn()
      const other = opened.openOther?.(retention) ?? log
      await append('long', 'mine')
      await other.append('short', events('theirs'))

      vi.setSystemTime(noon + minute + 1)
      for (let n = 0; n < 3; n++) await other.append('other', events('x'))
      const first = await dataOf(['long', 'short'])
      vi.setSystemTime(noon + hour + 1)
      for (let n = 0; n < 3; n++) await other.append('other', events('x'))
      const theirs = await other.read({ topics: ['long', 'short'], after: start, ...page })

      expect(first).toEqual(['mine', 'theirs'])
      expect(theirs.events.map(({ data }) => data)).toEqual(['mine'])
      await other.close()
    })

    test('a limit that changes between starts takes effect with the next append', async ({
      skip,
    }) => {
      if (!opened.reopen) return skip('this engine forgets')
      await openWithOwn()
      await append('long', 'l1')
      await append('b', 'b1')
      log = await opened.reopen({
        ...retention,
        ownLimits: limitsBy({ b: { maxCount: 9, maxAgeMs: 2 * hour } }),
      })
      vi.setSystemTime(noon + hour)
      await append('b', 'b2')
      vi.setSystemTime(noon + hour + 1)
      await append('other', 'x')

      const before = await dataOf(['long', 'b'])
      await append('long', 'l2')
      await append('other', 'y')

      expect(before).toEqual(['l1', 'b1', 'b2'])
      expect(await dataOf(['long', 'b'])).toEqual(['b1', 'b2', 'l2'])
    })

    test('disconnects are kept for an hour, whatever the limits', async () => {
      await log.close()
      await open({ maxCount: 1, maxAgeMs: 1_000, ownLimits: () => ({ maxCount: 1, maxAgeMs: 1 }) })
      await append(disconnectTopic, ...Array.from({ length: overflow }, (_, n) => `${n}`))
      await append(disconnectTopic, 'last')

      vi.setSystemTime(noon + hour)
      for (let n = 0; n < 3; n++) await append('other', 'x')
      const within = await log.read({ topics: [disconnectTopic], after: start, ...page })
      vi.setSystemTime(noon + hour + 1)
      const beyond = await log.read({ topics: [disconnectTopic], after: start, ...page })

      expect(within.events).toHaveLength(overflow + 1)
      expect(within.removed).toEqual([0])
      expect(beyond).toMatchObject({ events: [], removed: [within.events.at(-1)?.offset] })
    })
  })

  describe(`${name}: the newest event of a topic`, () => {
    const latest = { maxCount: 10_000, maxAgeMs: retention.maxAgeMs, latest: true }
    const ownLimits = (topic: string): TopicLimits | undefined =>
      topic.startsWith('price') ? latest : undefined

    beforeEach(async () => {
      await log.close()
      await open({ ownLimits })
    })

    test('is all that is kept, and what it replaced is no loss', async () => {
      const [first] = await append('price', 'p1')
      await append('a', 'a1')
      await append('price', 'p2', 'p3')
      const [, last] = await append('price', 'p4', 'p5')

      const read = await log.read({ topics: ['price', 'a'], after: start, ...page })
      const all = await log.read({ after: start, ...page })
      const located = await log.locate(['price'], { cursor: first ?? start })
      const lastTen = await log.locate(['price'], { last: 10 })

      expect(read.events.map(({ data }) => data)).toEqual(['a1', 'p5'])
      expect(read.events.at(-1)).toMatchObject(last ?? {})
      expect(read).toMatchObject({ lost: undefined, removed: [0, 0], through: await log.head() })
      expect(all).toMatchObject({ events: read.events, removed: [0] })
      expect(located).toMatchObject({ after: first, lost: undefined, removed: [0] })
      expect(await dataOf(['price'], lastTen.after)).toEqual(['p5'])
    })

    test('a reader that continues from `through` gets at least the newest, in order and once', async () => {
      const seen: string[] = []
      let after = start
      for (let n = 1; n <= 30; n++) {
        await append('price', `p${n}`)
        if (n % 7 !== 0) continue
        const {
          events: found,
          through,
          lost,
          removed,
        } = await log.read({
          topics: ['price'],
          after,
          ...page,
        })
        expect({ lost, removed }).toEqual({ lost: undefined, removed: [0] })
        seen.push(...found.map(({ data }) => data))
        after = through
      }

      expect(seen).toEqual(['p7', 'p14', 'p21', 'p28'])
    })

    test('ages like any other, and that is a loss', async () => {
      await append('price', 'p1')
      const [last] = await append('price', 'p2')
      vi.setSystemTime(noon + retention.maxAgeMs + 1)
      for (let n = 0; n < 3; n++) await append('a', 'x')

      const read = await log.read({ topics: ['price'], after: start, ...page })

      expect(read).toMatchObject({ events: [], removed: [last?.offset] })
    })

    test('does not age before its time, however old the first event of the topic was', async () => {
      await append('price', 'p1')
      vi.setSystemTime(noon + retention.maxAgeMs)
      await append('price', 'p2')
      vi.setSystemTime(noon + retention.maxAgeMs + 2 * minute)
      for (let n = 0; n < 3; n++) await append('a', 'x')

      expect(await dataOf(['price'])).toEqual(['p2'])
      vi.setSystemTime(noon + 2 * retention.maxAgeMs + 3 * minute)
      for (let n = 0; n < 3; n++) await append('a', 'x')
      const { removed } = await log.read({ topics: ['price'], after: start, ...page })
      expect(removed[0]).toBeGreaterThan(0)
    })

    test('an append that is repeated does not bring back an older event', async () => {
      const idempotency = { key: 'key', fingerprint: 'print' }
      const first = await log.append('price', events('p1'), { idempotency })
      await append('price', 'p2')

      const again = await log.append('price', events('p1'), { idempotency })
      vi.setSystemTime(noon + retention.maxAgeMs + 1)
      await append('price', 'p3')
      const aged = await log.append('price', events('p1'), { idempotency })

      expect(again).toEqual({ ids: first.ids, replayed: true })
      expect(aged.replayed).toBe(false)
    })

    test('a topic that had many events keeps one from the next append on, and one that gets many again keeps them', async ({
      skip,
    }) => {
      if (!opened.reopen) return skip('this engine forgets')
      log = await opened.reopen(retention)
      const [first] = await fill('price', overflow)

      log = await opened.reopen({ ...retention, ownLimits })
      const before = await dataOf(['price'])
      for (let n = 0; n < 3; n++) await append('price', `p${n}`)
      const after = await log.read({ topics: ['price'], after: first ?? start, ...page })
      log = await opened.reopen(retention)
      await append('price', 'p3', 'p4')

      expect(before).toHaveLength(overflow)
      expect(after.events.map(({ data }) => data)).toEqual(['p2'])
      expect(after).toMatchObject({ lost: undefined, removed: [0] })
      expect(await dataOf(['price'])).toEqual(['p2', 'p3', 'p4'])
    })

    test('of two processes, what the one that appends says counts', async ({ skip }) => {
      if (!opened.openOther) return skip('this engine has one process')
      const other = opened.openOther(retention)
      await append('price', 'p1')
      await other.append('price', events('p2'))
      await other.append('price', events('p3'))
      const theirs = await dataOf(['price'])
      await append('price', 'p4')

      expect(theirs).toEqual(['p1', 'p2', 'p3'])
      expect(await dataOf(['price'])).toEqual(['p4'])
      await other.close()
    })
  })

  describe(`${name}: terms`, () => {
    test('a process begins a term with its first append, and cursors stay valid', async ({
      skip,
    }) => {
      const { reopen } = opened
      if (!reopen) return skip('this engine forgets')
      const [first] = await append('a', 'a1')

      log = await reopen()
      const found = await log.head()
      await log.read({ topics: ['a'], after: start, ...page })
      const [second, third] = await append('a', 'a2', 'a3')
      const [fourth] = await append('b', 'b1')

      expect(found).toEqual(first)
      expect(second?.epoch).not.toBe(first?.epoch)
      expect([third?.epoch, fourth?.epoch]).toEqual([second?.epoch, second?.epoch])
      expect(await idsAfter(['a'], start)).toEqual([first, second, third])
      expect(await idsAfter(undefined, start)).toEqual([first, second, third, fourth])
      expect(await idsAfter(['a'], first ?? start)).toEqual([second, third])
      for (const cursor of [start, first, second, third, fourth]) {
        expect(await log.locate(['a'], { cursor: cursor ?? start })).toMatchObject({
          after: cursor,
          lost: undefined,
        })
      }
    })

    test('changing a run without an event is no first append', async ({ skip }) => {
      const { reopen } = opened
      if (!reopen) return skip('this engine forgets')
      const run = { id: 'r1', op: 'begin' } as const
      const begun = await log.append('work', events('begin'), { run })

      log = await reopen()
      await log.append('work', [], { run: { ...run, op: 'renew' } })
      const [next] = await append('a', 'a1')

      expect(next?.epoch).not.toBe(cursorOf(begun.ids[0] ?? '').epoch)
    })

    test('a cursor is valid up to the end of its term, and in the future beyond it', async ({
      skip,
    }) => {
      if (!opened.reopen) return skip('this engine forgets')
      const ends: Cursor[] = []
      for (let term = 0; term < 5; term++) {
        ends.push(...(await append('a', `${term} one`, `${term} two`)).slice(-1))
        log = await opened.reopen()
      }

      for (const [term, end] of ends.entries()) {
        const at = await log.read({ topics: ['a'], after: end, ...page })
        const beyond = await log.locate(['a'], { cursor: { ...end, offset: end.offset + 1 } })
        expect(at.lost).toBeUndefined()
        expect(at.events).toHaveLength(2 * (ends.length - term - 1))
        expect(beyond.lost).toBe('future')
      }
    })

    test('a repeated append returns the original ids, even in a later term', async ({ skip }) => {
      const { reopen } = opened
      if (!reopen) return skip('this engine forgets')
      const idempotency = { key: 'key', fingerprint: 'print' }
      const first = await log.append('a', events('one', 'two'), { idempotency })

      log = await reopen()
      await append('a', 'three')
      const again = await log.append('a', events('one', 'two'), { idempotency })

      expect(again).toEqual({ ids: first.ids, replayed: true })
    })

    test('after a restored copy, no id names two events, and readers ahead of the copy hear of the loss', async ({
      skip,
    }) => {
      const { copy, reopen } = opened
      if (!copy || !reopen) return skip('this engine forgets')
      const [, kept] = await append('a', 'a1', 'a2')
      const restore = await copy()
      const [, gone] = await append('a', 'gone', 'gone too')
      await log.close()
      await restore()
      log = await reopen()

      const before = await log.locate(['a'], { cursor: gone ?? start })
      const [next] = await append('a', 'a3', 'a4', 'a5')
      const after = await log.locate(['a'], { cursor: gone ?? start })
      const holding = await log.read({ topics: ['a'], after: kept ?? start, ...page })

      expect(before.lost).toBe('future')
      expect(after.lost).toBe('future')
      expect(next).toMatchObject({ offset: (kept?.offset ?? 0) + 1 })
      expect(next?.epoch).not.toBe(gone?.epoch)
      expect(holding.lost).toBeUndefined()
      expect(holding.events.map(({ data }) => data)).toEqual(['a3', 'a4', 'a5'])
    })

    test('a copy restored under a running process invalidates its term', async ({ skip }) => {
      const { copy } = opened
      if (!copy) return skip('this engine forgets')
      const [first] = await append('a', 'a1')
      const restore = await copy()
      const [gone] = await append('a', 'gone')
      await restore()

      const [next] = await append('a', 'a2')

      expect(next?.offset).toBe(gone?.offset)
      expect(next?.epoch).not.toBe(gone?.epoch)
      for (const cursor of [first, gone]) {
        expect((await log.locate(['a'], { cursor: cursor ?? start })).lost).toBe('epoch')
      }
      // The kept events of the term get the new epoch, so a reader hears of the loss once, not with every reconnect.
      const { events: found } = await log.read({ topics: ['a'], after: first ?? start, ...page })
      expect(found.map(({ data }) => data)).toEqual(['a1', 'a2'])
      for (const { epoch, offset } of found) {
        expect(epoch).toBe(next?.epoch)
        expect(await log.locate(['a'], { cursor: { epoch, offset } })).toMatchObject({
          after: { epoch, offset },
          lost: undefined,
        })
      }
    })

    test('two processes that start at once agree on the past, and all their ids are valid', async ({
      skip,
    }) => {
      const { openOther } = opened
      if (!openOther) return skip('this engine has one process')
      const other = openOther()
      const ids = await Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          const one = await (n % 2 === 0 ? log : other).append('a', events(`${n}`))
          return one.ids.map(cursorOf)
        }),
      )

      const mine = await idsAfter(['a'], start)
      const { events: theirs } = await other.read({ topics: ['a'], after: start, ...page })

      expect(theirs.map(({ epoch, offset }) => ({ epoch, offset }))).toEqual(mine)
      expect(mine).toEqual(ids.flat().toSorted((one, two) => one.offset - two.offset))
      for (const cursor of mine) {
        expect((await log.locate(['a'], { cursor })).lost).toBeUndefined()
        expect((await other.locate(['a'], { cursor })).lost).toBeUndefined()
      }
      await other.close()
    })
  })

  describe(`${name}: idempotency`, () => {
    const idempotency = { key: 'key', fingerprint: 'print' }

    test('a repeated key appends nothing and returns the same ids', async () => {
      const first = await log.append('a', events('one', 'two'), { idempotency })

      const again = await log.append('a', events('one', 'two'), { idempotency })

      expect(first.replayed).toBe(false)
      expect(again).toEqual({ ids: first.ids, replayed: true })
      expect(await dataOf(['a'])).toEqual(['one', 'two'])
    })

    test('a key belongs to one topic', async () => {
      await log.append('a', events('one'), { idempotency })

      const other = await log.append('b', events('one'), { idempotency })

      expect(other.replayed).toBe(false)
    })

    test('the same key with other events is a conflict, and appends nothing', async () => {
      await log.append('a', events('one'), { idempotency })

      const conflict = log.append('a', events('two'), {
        idempotency: { ...idempotency, fingerprint: 'other' },
      })

      await expect(conflict).rejects.toMatchObject({
        name: 'LogError',
        code: 'idempotency-conflict',
      })
      expect(await dataOf(['a'])).toEqual(['one'])
    })

    test('two concurrent appends with one key append once, and a conflicting third one fails alone', async () => {
      const settled = await Promise.allSettled([
        log.append('a', events('one'), { idempotency }),
        log.append('a', events('one'), { idempotency }),
        log.append('a', events('two'), { idempotency: { ...idempotency, fingerprint: 'other' } }),
        log.append('a', events('three')),
      ])

      expect(settled.map(({ status }) => status)).toEqual([
        'fulfilled',
        'fulfilled',
        'rejected',
        'fulfilled',
      ])
      expect(await dataOf(['a'])).toEqual(['one', 'three'])
    })

    test('a key is removed together with the events of its append', async () => {
      await log.close()
      await open({ maxCount: 10 })
      const kept = { key: 'kept', fingerprint: 'print' }
      await log.append('a', events('one'), { idempotency })
      await log.append('quiet', events('one'), { idempotency: kept })

      await flood('a')
      const again = await log.append('a', events('one'), { idempotency })
      const quiet = await log.append('quiet', events('one'), { idempotency: kept })

      expect(again.replayed).toBe(false)
      expect(quiet.replayed).toBe(true)
    })

    test('a key is kept as long as its events', async () => {
      await log.append('a', events('one'), { idempotency })

      vi.setSystemTime(noon + retention.maxAgeMs)
      const within = await log.append('a', events('one'), { idempotency })
      vi.setSystemTime(noon + retention.maxAgeMs + 1)
      const beyond = await log.append('a', events('one'), { idempotency })
      const again = await log.append('a', events('one'), { idempotency })

      expect(within.replayed).toBe(true)
      expect(beyond.replayed).toBe(false)
      expect(again).toEqual({ ids: beyond.ids, replayed: true })
    })
  })

  describe(`${name}: watch`, () => {
    test('reports appends until the signal aborts', async () => {
      const leaving = new AbortController()
      const staying = new AbortController()
      const left = vi.fn<() => void>()
      const heard = listener()
      log.watch(left, { signal: leaving.signal })
      log.watch(heard.onChange, { signal: staying.signal })

      await append('a', 'one')
      await heard.next()
      const before = left.mock.calls.length
      leaving.abort()
      await append('a', 'two')
      await heard.next()

      expect(before).toBeGreaterThan(0)
      expect(left.mock.calls.length).toBe(before)
      staying.abort()
    })

    test('a watcher that throws affects neither the append nor the other watchers', async () => {
      const logged = vi.spyOn(journal, 'error').mockImplementation(() => {})
      const ended = new AbortController()
      const failing = vi.fn<() => void>(() => {
        throw new Error('the watcher is broken')
      })
      const heard = listener()
      log.watch(failing, { signal: ended.signal })
      log.watch(heard.onChange, { signal: ended.signal })

      await append('a', 'one')
      await heard.next()

      expect(failing).toHaveBeenCalled()
      expect(logged).toHaveBeenCalled()
      ended.abort()
    })

    test('leaves no listener on the signal after abort or close', async () => {
      const ended = new AbortController()
      const { signal } = ended
      const added = vi.spyOn(signal, 'addEventListener')
      const removed = vi.spyOn(signal, 'removeEventListener')

      log.watch(() => {}, { signal })
      await log.close()

      expect(added).toHaveBeenCalledOnce()
      expect(removed.mock.calls).toEqual(added.mock.calls)
    })

    test('watching with an aborted signal does nothing', async () => {
      const onChange = vi.fn<() => void>()
      const heard = listener()
      const staying = new AbortController()

      log.watch(onChange, { signal: AbortSignal.abort() })
      log.watch(heard.onChange, { signal: staying.signal })
      await append('a', 'one')
      await heard.next()

      expect(onChange).not.toHaveBeenCalled()
      staying.abort()
    })
  })

  describe(`${name}: close`, () => {
    test('waits for appends in progress', async () => {
      const appending = append('a', 'one')

      await log.close()

      expect(await appending).toHaveLength(1)
    })

    test('afterwards every call fails, and closing again is harmless', async () => {
      await log.close()
      await log.close()

      const closed = { name: 'LogError', code: 'closed' }
      await expect(append('a', 'one')).rejects.toMatchObject(closed)
      await expect(dataOf(['a'])).rejects.toMatchObject(closed)
      await expect(log.locate(['a'], { last: 1 })).rejects.toMatchObject(closed)
      await expect(log.head()).rejects.toMatchObject(closed)
      expect(() => log.watch(() => {}, { signal: new AbortController().signal })).toThrow(LogError)
    })

    test('events, trimmed offsets and keys are still there after reopening', async ({ skip }) => {
      if (!opened.reopen) return skip('this engine forgets')
      const idempotency = { key: 'key', fingerprint: 'print' }
      const [lastAged] = await append('aged', 'gone')
      vi.setSystemTime(noon + 2 * retention.maxAgeMs)
      const first = await log.append('a', events('one'), { idempotency })
      await append('a', 'two')
      const head = await log.head()

      log = await opened.reopen()

      expect(await log.head()).toEqual(head)
      const again = await log.append('a', events('one'), { idempotency })
      expect(again).toEqual({ ids: first.ids, replayed: true })
      const { events: found, removed } = await log.read({ after: start, ...page })
      expect(found.map(({ data }) => data)).toEqual(['one', 'two'])
      expect(removed).toEqual([lastAged?.offset])
    })
  })
}

function limitsBy(own: Record<string, TopicLimits>): (topic: string) => TopicLimits | undefined {
  return (topic) => (Object.hasOwn(own, topic) ? own[topic] : undefined)
}

function events(...data: string[]): NewEvent[] {
  return data.map((text) => ({ type: 'message', data: text }))
}

function beforeOf(cursor: Cursor | undefined): Cursor {
  return { epoch: cursor?.epoch ?? '', offset: (cursor?.offset ?? 0) - 1 }
}

function cursorOf(id: string): Cursor {
  const cursor = parseCursor(id)
  if (!cursor || formatCursor(cursor) !== id) throw new Error(`Not a cursor: ${id}`)
  return cursor
}

async function readAll(
  log: EventLog,
  topics: string[] | undefined,
  from: Cursor,
  size: { limit: number; maxBytes: number },
): Promise<StoredEvent[]> {
  const all: StoredEvent[] = []
  let after = from
  for (;;) {
    const { events: found, through } = await log.read({ topics, after, ...size })
    all.push(...found)
    if (through.offset === after.offset) return all
    after = through
  }
}

/** `next` resolves once `onChange` has been called since the last `next`. */
function listener(): { onChange: () => void; next: () => Promise<void> } {
  let calls = 0
  let wake: (() => void) | undefined
  return {
    onChange() {
      calls++
      wake?.()
    },
    async next() {
      if (calls === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      calls = 0
    },
  }
}
