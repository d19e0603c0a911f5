/** The tests of runs that every log engine must pass: part of event-log.contract.ts. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseCursor, type Cursor } from '@/protocol/cursor'
import type { NewEvent } from '@/protocol/event'
import type { AppendResult, EventLog, Retention } from './event-log'
import type { OpenedLog } from './event-log.contract'
import { earlyStopMs, keptMs, maxEarlyStops, type RunChange } from './run-change'

const retention = { maxCount: 10_000, maxAgeMs: 3_600_000 }
const page = { limit: 10_000, maxBytes: 8 * 1024 * 1024 }
const noon = Date.UTC(2026, 0, 1, 12)
const runEnded = { name: 'LogError', code: 'run-ended' }

export function testRuns(
  name: string,
  openLog: (retention: Retention) => Promise<OpenedLog>,
): void {
  let log: EventLog
  let opened: OpenedLog
  let start: Cursor

  async function open(limits: Partial<Retention> = {}): Promise<void> {
    opened = await openLog({ ...retention, ...limits })
    log = opened.log
    start = await log.head()
  }

  async function change(asked: RunChange, ...data: string[]): Promise<AppendResult> {
    return await log.append('work', events(...data), { run: asked })
  }

  const begin = (id: string): Promise<AppendResult> => change({ id, op: 'begin' }, `begin ${id}`)
  const renew = (id: string, ...data: string[]): Promise<AppendResult> =>
    change({ id, op: 'renew' }, ...data)
  const stop = (id: string): Promise<AppendResult> => change({ id, op: 'stop' }, `stop ${id}`)
  const end = (id: string): Promise<AppendResult> =>
    change({ id, op: 'end', status: 'done' }, `end ${id}`)

  async function dataOf(topic = 'work', after = start): Promise<string[]> {
    const { events: found } = await log.read({ topics: [topic], after, ...page })
    return found.map(({ data }) => data)
  }

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: noon })
    await open()
  })

  afterEach(async () => {
    await log.close()
    vi.useRealTimers()
  })

  describe(`${name}: runs`, () => {
    test('a run is a span of its topic, from its first event to its last', async () => {
      const begun = await begin('r1')
      await log.append('work', events('another publisher'))
      const renewed = await renew('r1', 'one', 'two')
      const ended = await end('r1')

      const first = offsetOf(begun)
      const run = { id: 'r1', topic: 'work', reason: undefined, first, last: undefined }
      expect(begun.run).toEqual({
        applied: true,
        run: { ...run, state: 'running', renewals: 0 },
      })
      expect(renewed.run).toEqual({ applied: true, run: { ...run, state: 'running', renewals: 1 } })
      expect(renewed.ids).toHaveLength(2)
      const over = { ...run, state: 'done', renewals: 1, last: first + 4 }
      expect(ended.run).toEqual({ applied: true, run: over })
      expect(await log.findRun('work')).toEqual(over)
      expect(await log.findRun('work', 'r1')).toEqual(over)
      expect(await dataOf()).toEqual(['begin r1', 'another publisher', 'one', 'two', 'end r1'])
    })

    test('where there is no run, none is found', async () => {
      await begin('r1')

      expect(await log.findRun('other')).toBeUndefined()
      expect(await log.findRun('work', 'r2')).toBeUndefined()
    })

    test('beginning twice with one id begins once', async () => {
      await begin('r1')
      const again = await begin('r1')
      await end('r1')
      const afterwards = await begin('r1')

      expect(again).toMatchObject({ ids: [], run: { applied: false, run: { state: 'running' } } })
      expect(afterwards).toMatchObject({ ids: [], run: { applied: false, run: { state: 'done' } } })
      expect(await dataOf()).toEqual(['begin r1', 'end r1'])
    })

    test('while a run lives, another of its topic does not begin, and is told of the living one', async () => {
      await begin('r1')
      const other = await begin('r2')
      const elsewhere = await log.append('other', events('begin'), {
        run: { id: 'r2', op: 'begin' },
      })
      await end('r1')
      const next = await begin('r2')

      expect(other.run).toMatchObject({ applied: false, run: { id: 'r1', state: 'running' } })
      expect(elsewhere.run).toMatchObject({ applied: true, run: { topic: 'other' } })
      expect(next.run).toMatchObject({ applied: true, run: { id: 'r2' } })
      expect(await log.findRun('work')).toMatchObject({ id: 'r2' })
      expect(await log.findRun('work', 'r1')).toMatchObject({ id: 'r1', state: 'done' })
    })

    test('of two processes that begin at once, one does', async () => {
      const other = opened.openOther?.() ?? log

      const both = await Promise.all(
        [log, other].map((each, n) =>
          each.append('work', events(`begin ${n}`), { run: { id: `r${n}`, op: 'begin' } }),
        ),
      )

      expect(both.filter(({ run }) => run?.applied)).toHaveLength(1)
      const [one, two] = both.map(({ run }) => run?.run)
      expect(one).toEqual(two)
      expect(await dataOf()).toHaveLength(1)
      if (other !== log) await other.close()
    })

    test('a producer whose run has ended, or was never begun, can not append', async () => {
      await begin('r1')
      await change({ id: 'r1', op: 'end', status: 'lost' }, 'lost')
      await begin('r2')

      await expect(renew('r1', 'late')).rejects.toMatchObject(runEnded)
      await expect(renew('r1')).rejects.toMatchObject(runEnded)
      await expect(renew('r3', 'never begun')).rejects.toMatchObject(runEnded)
      await expect(end('r3')).rejects.toMatchObject(runEnded)
      expect(await dataOf()).toEqual(['begin r1', 'lost', 'begin r2'])
    })

    test('a producer that writes without pause is fenced at once when another process ends its run', async () => {
      const other = opened.openOther?.() ?? log
      await begin('r1')
      await renew('r1', 'one')
      await renew('r1', 'two')
      const { run: seen } = await other.append('work', [], { run: { id: 'r1', op: 'renew' } })
      const renewals = seen?.run?.renewals

      const given = { id: 'r1', op: 'end', status: 'lost', ifRenewals: renewals } as const
      await other.append('work', events('lost'), { run: given })

      expect(renewals).toBe(3)
      await expect(renew('r1', 'late')).rejects.toMatchObject(runEnded)
      expect(await log.findRun('work', 'r1')).toMatchObject({ state: 'lost', renewals: 3 })
      expect(await dataOf()).toEqual(['begin r1', 'one', 'two', 'lost'])
      if (other !== log) await other.close()
    })

    test('a refused append spoils none of those that wait with it', async () => {
      await begin('r1')

      const [late, first, plain, second] = await Promise.allSettled([
        log.append('work', events('late'), { run: { id: 'r0', op: 'renew' } }),
        renew('r1', 'one'),
        log.append('elsewhere', events('plain')),
        renew('r1', 'two'),
      ])

      expect(late).toMatchObject({ status: 'rejected', reason: runEnded })
      expect(first).toMatchObject({ value: { run: { run: { renewals: 1 } } } })
      expect(plain).toMatchObject({ status: 'fulfilled' })
      expect(second).toMatchObject({ value: { run: { run: { renewals: 2 } } } })
      expect(await dataOf()).toEqual(['begin r1', 'one', 'two'])
      expect(await dataOf('elsewhere')).toEqual(['plain'])
    })

    test('renewing without events counts, and appends nothing', async () => {
      await begin('r1')
      const head = await log.head()

      await renew('r1')
      const twice = await renew('r1')

      expect(twice).toMatchObject({ ids: [], run: { applied: true, run: { renewals: 2 } } })
      expect(await log.head()).toEqual(head)
    })

    test('an append whose answer was lost can be repeated on condition of the renewals', async () => {
      await begin('r1')
      const once = { id: 'r1', op: 'renew', ifRenewals: 0 } as const
      const first = await change(once, 'one')

      const again = await change(once, 'one')

      expect(first.run).toMatchObject({ applied: true, run: { renewals: 1 } })
      expect(again).toMatchObject({ ids: [], run: { applied: false, run: { renewals: 1 } } })
      expect(await dataOf()).toEqual(['begin r1', 'one'])
    })

    test('the first end wins', async () => {
      await begin('r1')
      const failed = await change(
        { id: 'r1', op: 'end', status: 'failed', reason: 'error' },
        'failed',
      )
      const done = await end('r1')

      const standing = { state: 'failed', reason: 'error' }
      expect(failed.run).toMatchObject({ applied: true, run: standing })
      expect(done).toMatchObject({ ids: [], run: { applied: false, run: standing } })
      expect(await dataOf()).toEqual(['begin r1', 'failed'])
    })

    test('an end on condition of the renewals ends only a run that was not renewed since', async () => {
      await begin('r1')
      const { run } = await renew('r1', 'one')
      await renew('r1', 'two')
      const giveUp = (ifRenewals: number | undefined): Promise<AppendResult> =>
        change({ id: 'r1', op: 'end', status: 'lost', ifRenewals }, 'lost')

      const tooLate = await giveUp(run?.run?.renewals)
      const inTime = await giveUp(2)

      expect(tooLate.run).toMatchObject({ applied: false, run: { state: 'running', renewals: 2 } })
      expect(inTime.run).toMatchObject({ applied: true, run: { state: 'lost' } })
    })

    test('a run that is asked to stop goes on until it ends', async () => {
      await begin('r1')
      const stopped = await change({ id: 'r1', op: 'stop', reason: 'replaced' }, 'stop')
      const again = await stop('r1')
      const renewed = await renew('r1', 'last words')
      await change({ id: 'r1', op: 'end', status: 'stopped', reason: 'replaced' }, 'stopped')
      const tooLate = await stop('r1')

      const stopping = { state: 'stopping', reason: 'replaced' }
      expect(stopped.run).toMatchObject({ applied: true, run: stopping })
      expect(again).toMatchObject({ ids: [], run: { applied: false, run: stopping } })
      expect(renewed.run).toMatchObject({ applied: true, run: { ...stopping, renewals: 1 } })
      expect(tooLate).toMatchObject({ ids: [], run: { applied: false, run: { state: 'stopped' } } })
      expect(await dataOf()).toEqual(['begin r1', 'stop', 'last words', 'stopped'])
    })

    test('a stop that comes before its run is remembered for that id, and for a while', async () => {
      const early = await stop('r1')
      await stop('r2')
      const other = await begin('r0')
      await end('r0')
      const stopped = await begin('r1')
      await end('r1')
      vi.setSystemTime(noon + earlyStopMs + 1)
      const forgotten = await begin('r2')

      expect(early).toEqual({
        ids: [],
        replayed: false,
        run: { applied: false, run: undefined },
      })
      expect(other.run?.run?.state).toBe('running')
      expect(stopped.run).toMatchObject({ applied: true, run: { state: 'stopping' } })
      expect(forgotten.run?.run?.state).toBe('running')
      expect(await dataOf()).toEqual(['begin r0', 'end r0', 'begin r1', 'end r1', 'begin r2'])
    })

    test('remembers only the newest stops of a topic', async () => {
      for (let n = 0; n <= maxEarlyStops; n++) {
        await stop(`r${n}`)
        vi.setSystemTime(noon + n + 1)
      }

      const oldest = await begin('r0')
      await end('r0')
      const second = await begin('r1')

      expect(oldest.run?.run?.state).toBe('running')
      expect(second.run?.run?.state).toBe('stopping')
    })

    test('lists the living runs of all topics', async () => {
      await begin('over')
      await end('over')
      await begin('r1')
      await log.append('other', events('begin'), { run: { id: 'r2', op: 'begin' } })
      await log.append('other', events('stop'), { run: { id: 'r2', op: 'stop' } })

      const living = await log.livingRuns()

      expect(living.toSorted((one, two) => (one.id < two.id ? -1 : 1))).toMatchObject([
        { id: 'r1', topic: 'work', state: 'running' },
        { id: 'r2', topic: 'other', state: 'stopping' },
      ])
    })

    test('a repeated append with a key neither renews nor appends', async () => {
      await begin('r1')
      const idempotency = { key: 'key', fingerprint: 'print' }
      const options = { idempotency, run: { id: 'r1', op: 'renew' } } as const
      const first = await log.append('work', events('one'), options)

      const again = await log.append('work', events('one'), options)

      expect(again).toMatchObject({ ids: first.ids, replayed: true })
      expect(await log.findRun('work')).toMatchObject({ renewals: 1 })
    })

    test('a full topic keeps every event of the living run, until it has ended', async () => {
      await log.close()
      await open({ maxCount: 10 })
      await fill(700)
      await begin('r1')
      for (let n = 0; n < 4; n++) await renew('r1', ...numbered(400))
      await fill(700)

      const during = await dataOf()
      await end('r1')
      await fill(700)
      for (let n = 0; n < 12; n++) await fill(1)
      const afterwards = await dataOf()

      const from = during.indexOf('begin r1')
      expect(during.slice(from, from + 1_601)).toEqual([
        'begin r1',
        ...Array.from({ length: 4 }, () => numbered(400)).flat(),
      ])
      expect(from).toBeLessThan(700)
      expect(afterwards.length).toBeLessThan(600)
    })

    test('the events of a living run do not age, and hold up neither older events nor other topics', async () => {
      await log.append('work', events('before'))
      await begin('r1')
      await renew('r1', ...numbered(600))
      await log.append(
        'other',
        numbered(600).map((data) => ({ type: 'message', data })),
      )
      vi.setSystemTime(noon + retention.maxAgeMs + 90_000)
      await renew('r1', 'now')
      for (let n = 0; n < 30; n++) await log.append('third', events('x'))

      const { events: found, removed } = await log.read({ topics: ['work'], after: start, ...page })
      const { after } = await log.locate(['work'], { since: 0 })
      const other = await log.read({ topics: ['other'], after: start, ...page })
      expect(found.map(({ data }) => data)).toEqual(['begin r1', ...numbered(600), 'now'])
      expect(removed).toEqual([start.offset + 1])
      expect(await dataOf('work', after)).toEqual(['begin r1', ...numbered(600), 'now'])
      expect(other).toMatchObject({ events: [], removed: [start.offset + 1_202] })

      await end('r1')
      for (let n = 0; n < 30; n++) await log.append('third', events('x'))

      expect(await dataOf()).toEqual(['now', 'end r1'])
    })

    test('the state of a run outlives the age limit of its events by seven days', async () => {
      await begin('r1')
      vi.setSystemTime(noon + 60_000)
      await end('r1')
      const expiry = noon + 60_000 + retention.maxAgeMs + keptMs

      vi.setSystemTime(expiry)
      await log.append('other', events('x'))
      const within = await log.findRun('work')
      vi.setSystemTime(expiry + 1)
      const beyond = [await log.findRun('work'), await log.findRun('work', 'r1')]
      await log.append('other', events('x'))
      const again = await begin('r1')

      expect(within).toMatchObject({ id: 'r1', state: 'done' })
      expect(await dataOf()).toEqual(['begin r1'])
      expect(beyond).toEqual([undefined, undefined])
      expect(again.run?.applied).toBe(true)
    })

    test('and that of a topic with an age limit of its own outlives that limit', async () => {
      await log.close()
      const longMs = 30 * 86_400_000
      await open({ ownLimits: () => ({ maxCount: 10_000, maxAgeMs: longMs }) })
      await begin('r1')
      await end('r1')

      vi.setSystemTime(noon + longMs + keptMs)
      for (let n = 0; n < 3; n++) await log.append('other', events('x'))
      const within = await log.findRun('work')
      vi.setSystemTime(noon + longMs + keptMs + 20_000)
      for (let n = 0; n < 3; n++) await log.append('other', events('x'))

      expect(within).toMatchObject({ id: 'r1', state: 'done' })
      expect(await log.findRun('work')).toBeUndefined()
    })

    test('runs are still there after reopening, and for other processes', async ({ skip }) => {
      const { reopen } = opened
      if (!reopen) return skip('this engine forgets')
      await begin('r1')
      await end('r1')
      await begin('r2')
      await renew('r2', 'one')
      const [r1, r2] = [await log.findRun('work', 'r1'), await log.findRun('work')]

      log = await reopen()

      expect(await log.findRun('work', 'r1')).toEqual(r1)
      expect(await log.livingRuns()).toEqual([r2])
      expect(await end('r2')).toMatchObject({ run: { applied: true } })
    })

    test('a closed log fails', async () => {
      await log.close()

      const closed = { name: 'LogError', code: 'closed' }
      await expect(begin('r1')).rejects.toMatchObject(closed)
      await expect(log.findRun('work')).rejects.toMatchObject(closed)
      await expect(log.livingRuns()).rejects.toMatchObject(closed)
    })
  })

  async function fill(count: number): Promise<void> {
    await log.append(
      'work',
      numbered(count).map((data) => ({ type: 'message', data })),
    )
  }
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${n}`)
}

function events(...data: string[]): NewEvent[] {
  return data.map((text) => ({ type: 'message', data: text }))
}

function offsetOf({ ids: [id] }: AppendResult): number {
  return parseCursor(id)?.offset ?? 0
}
