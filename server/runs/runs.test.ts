import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { joinPart } from '@/protocol/run'
import { LogError, type EventLog } from '@/server/log/event-log'
import { createMemoryLog } from '@/server/log/memory/memory-log'
import { journal } from '@/server/observe/journal'
import type { RunSource } from './local-run'
import { createRuns, type Runs } from './runs'
import type { RunLimits } from './run-values'

let log: EventLog
let runs: Runs
let journaled: ReturnType<typeof vi.spyOn>

function runsOn(
  limits: Partial<RunLimits> = {},
  untilWoken?: (offset: number) => Promise<void>,
): Runs {
  return createRuns({
    openLog: async () => log,
    openedLog: () => log,
    ...(untilWoken && { untilWoken }),
    limits: { eventMaxBytes: 65_536, ...limits },
  })
}

beforeEach(() => {
  log = createMemoryLog({ maxCount: 200_000, maxAgeMs: 3_600_000 })
  runs = runsOn()
  journaled = vi.spyOn(journal, 'error').mockImplementation(() => {})
})

afterEach(async () => {
  await runs.drain(0)
  await log.close()
  vi.restoreAllMocks()
})

/** The events of the topic: the type of each, and its data unless it is that of the run itself. */
async function span(topic = 'work'): Promise<unknown[]> {
  const { epoch } = await log.head()
  const after = { epoch, offset: 0 }
  const read = await log.read({ topics: [topic], after, limit: 200_000, maxBytes: 1e9 })
  return read.events.map(({ type, data }) =>
    type.startsWith('run.') && type !== 'run.part'
      ? { [type]: JSON.parse(data) as unknown }
      : (JSON.parse(data) as unknown),
  )
}

async function* count(to: number): AsyncGenerator<{ data: number }> {
  for (let n = 1; n <= to; n++) yield { data: n }
}

/** Waits until it is stopped. */
const untilStopped: RunSource = async function* ({ signal }) {
  yield { data: 'begun' }
  await sleep(60_000, undefined, { signal })
}

describe('run', () => {
  test('writes the values between a beginning and an end', async () => {
    const run = await runs.run('work', () => count(3), { id: 'r1' })
    const { epoch } = await log.head()

    expect(run).toMatchObject({ id: 'r1', topic: 'work', joined: false, cursor: `${epoch}.0` })
    expect(await run.ended).toEqual({ status: 'done' })
    const me = { run: 'r1' }
    expect(await span()).toEqual([
      { 'run.begin': me },
      1,
      2,
      3,
      { 'run.end': { ...me, status: 'done' } },
    ])
    expect(await runs.find('work')).toEqual({
      id: 'r1',
      topic: 'work',
      status: 'done',
      cursor: `${epoch}.0`,
    })
  })

  test('writes the first value after a pause at once, and then at most every 50 ms', async () => {
    const append = vi.spyOn(log, 'append')
    const heard: number[] = []
    let begunAt = 0
    log.watch(() => heard.push(performance.now()), { signal: new AbortController().signal })

    const run = await runs.run('work', async function* () {
      begunAt = performance.now()
      yield { data: 'first' }
      await sleep(200)
      for (let n = 0; n < 200; n++) {
        yield { data: n }
        if (n % 10 === 0) await sleep(5)
      }
    })
    await run.ended

    // The beginning, the first value, and the end of 100 ms and more of values.
    expect((heard[1] ?? 0) - begunAt).toBeLessThan(40)
    expect(append.mock.calls.length).toBeLessThan(15)
    expect(await span()).toHaveLength(203)
  })

  test('a source that is faster than the log waits, and lets others have their turn', async () => {
    let inTurn = 0
    let mostInTurn = 0
    const turns = setInterval(() => {
      inTurn = 0
    }, 1)
    const append = vi.spyOn(log, 'append')

    const run = await runs.run('work', async function* () {
      for await (const value of count(50_000)) {
        mostInTurn = Math.max(mostInTurn, ++inTurn)
        yield value
      }
    })
    await run.ended
    clearInterval(turns)

    const largest = Math.max(...append.mock.calls.map(([, events]) => events.length))
    expect(largest).toBeLessThanOrEqual(1_001)
    expect(mostInTurn).toBeLessThan(5_000)
    expect(await span()).toHaveLength(50_002)
  })

  test('what comes before the readers were woken for the last batch waits, and is written as one', async () => {
    let wake = (): void => {}
    const waitedFor: number[] = []
    runs = runsOn({}, async (offset) => {
      waitedFor.push(offset)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    })
    const append = vi.spyOn(log, 'append')

    const run = await runs.run('work', async function* () {
      yield { data: 'first' }
      for (let n = 0; n < 10; n++) {
        await sleep(15)
        yield { data: n }
      }
      expect(append).toHaveBeenCalledTimes(2)
      wake()
      await vi.waitFor(() => expect(append).toHaveBeenCalledTimes(3))
      wake()
    })

    expect(await run.ended).toEqual({ status: 'done' })
    expect(append.mock.calls.map(([, events]) => events.length)).toEqual([1, 1, 10, 1])
    expect(waitedFor).toEqual([2, 12])
  })

  test('the longer a batch takes to reach the readers, the later comes the next: after half a second at most', async () => {
    let wakeMs = 60
    runs = runsOn({}, () => sleep(wakeMs))
    const begunAt: number[] = []
    const append = log.append.bind(log)
    vi.spyOn(log, 'append').mockImplementation((...options) => {
      begunAt.push(performance.now())
      return append(...options)
    })

    const run = await runs.run('work', async function* () {
      for (let n = 0; begunAt.length < 6; n++) {
        if (begunAt.length === 4) wakeMs = 300
        yield { data: n }
        await sleep(5)
      }
    })
    await run.ended

    // Of the beginning, and of batches that take 60, 60, 300 and 300 ms.
    const distances = begunAt.slice(1).map((at, index) => at - (begunAt[index] ?? 0))
    const [, second, third, , fifth] = distances
    expect(Math.min(second ?? 0, third ?? 0)).toBeGreaterThanOrEqual(175)
    expect(fifth).toBeGreaterThanOrEqual(475)
    expect(fifth).toBeLessThan(880)
  })

  test('an append that fails is repeated, and no value is doubled', async () => {
    const append = log.append.bind(log)
    let calls = 0
    vi.spyOn(log, 'append').mockImplementation(async (...call) => {
      const result = await append(...call)
      if (++calls % 2 === 0) throw new LogError('unavailable', 'The answer was lost.')
      return result
    })

    const run = await runs.run('work', async function* () {
      yield* count(3)
      await sleep(100)
      yield* count(3)
    })

    expect(await run.ended).toEqual({ status: 'done' })
    expect((await span()).slice(1, -1)).toEqual([1, 2, 3, 1, 2, 3])
  })

  test('sampled types are written at most so often, the newest before whatever follows and at the end', async () => {
    const run = await runs.run(
      'work',
      async function* () {
        for (let n = 0; n < 10; n++) yield { type: 'progress', data: n }
        yield { type: 'row', data: 'a row' }
        for (let n = 10; n < 20; n++) yield { type: 'progress', data: n }
        await sleep(300)
        yield { type: 'progress', data: 20 }
        yield { type: 'progress', data: 21 }
      },
      { sample: { progress: 100 } },
    )
    await run.ended

    expect((await span()).slice(1, -1)).toEqual([0, 9, 'a row', 19, 20, 21])
  })

  test('the source does not see the request that began it', async () => {
    const request = new AsyncLocalStorage<string>()
    const seen: unknown[] = []

    const run = await request.run('a request', () =>
      runs.run('work', async function* () {
        seen.push(request.getStore())
        yield { data: 1 }
        await sleep(1)
        seen.push(request.getStore())
      }),
    )
    await run.ended

    expect(seen).toEqual([undefined, undefined])
  })

  test('a used id answers its run, and does not call the source', async () => {
    const source = vi.fn<RunSource>(() => count(1))
    const first = await runs.run('work', source, { id: 'r1' })
    await first.ended

    const again = await runs.run('work', source, { id: 'r1' })

    expect(again).toMatchObject({ id: 'r1', joined: true, cursor: first.cursor })
    expect(await again.ended).toEqual({ status: 'done' })
    expect(source).toHaveBeenCalledOnce()
  })

  test('a run that was asked to stop is not joined, but waited for', async () => {
    let release = (): void => {}
    const stored = new Promise<void>((resolve) => {
      release = resolve
    })
    const first = await runs.run('work', async function* ({ signal }) {
      try {
        yield* untilStopped({ signal, id: 'r1', topic: 'work' })
      } finally {
        await stored
      }
    })
    await runs.stop('work')

    const next = runs.run('work', () => count(1), { id: 'r2' })
    setTimeout(release, 20)

    expect(await next).toMatchObject({ id: 'r2', joined: false })
    expect(await first.ended).toEqual({ status: 'stopped' })
    expect(await (await next).ended).toEqual({ status: 'done' })
  })

  test('while a run lives, another joins it, is refused, or replaces it, as asked', async () => {
    const first = await runs.run('work', untilStopped, { id: 'r1' })

    const joined = await runs.run('work', untilStopped, { id: 'r2' })
    const refused = runs.run('work', untilStopped, { id: 'r3', onLiving: 'refuse' })
    await expect(refused).rejects.toMatchObject({ name: 'RunError', code: 'run-living' })
    const replacing = await runs.run('work', () => count(1), { id: 'r4', onLiving: 'replace' })

    const ending = { status: 'stopped', reason: 'replaced' }
    expect(joined).toMatchObject({ id: 'r1', joined: true })
    expect(await first.ended).toEqual(ending)
    expect(await joined.ended).toEqual(ending)
    expect(replacing).toMatchObject({ id: 'r4', joined: false })
    expect(await replacing.ended).toEqual({ status: 'done' })
  })

  test.each(['', 'a b', '.hidden', 'x'.repeat(65), 'ä'])('refuses the id %j', async (id) => {
    const refused = { name: 'RunError', code: 'invalid-id' }
    await expect(runs.run('work', untilStopped, { id })).rejects.toMatchObject(refused)
    await expect(runs.stop('work', { id })).rejects.toMatchObject(refused)
  })

  test('refuses what is not a topic', async () => {
    const refused = { name: 'PublishError', code: 'invalid-topic' }
    await expect(runs.run('a b', untilStopped)).rejects.toMatchObject(refused)
    await expect(runs.stop('a b')).rejects.toMatchObject(refused)
    await expect(runs.find('a b')).rejects.toMatchObject(refused)
  })
})

describe('a source that fails', () => {
  const failed = { status: 'failed', reason: 'error' }

  test.each<[string, RunSource]>([
    [
      'throws before its first value',
      () => {
        throw new Error('secret')
      },
    ],
    [
      'throws after a value',
      async function* () {
        yield { data: 1 }
        throw new Error('secret')
      },
    ],
    ['is no iterable', () => 5 as never],
    [
      'yields what is no JSON',
      async function* () {
        yield { data: undefined }
      },
    ],
    [
      'yields nothing at all',
      async function* () {
        yield undefined as never
      },
    ],
    [
      'yields a reserved type',
      async function* () {
        yield { type: 'run.end', data: {} }
      },
    ],
    [
      'yields a type with a line end',
      async function* () {
        yield { type: 'a\nb', data: {} }
      },
    ],
  ])('and %s ends the run as failed, once, and tells readers no more', async (_, source) => {
    const run = await runs.run('work', source, { id: 'r1' })

    expect(await run.ended).toEqual(failed)
    const events = await span()
    expect(events.at(-1)).toEqual({ 'run.end': { run: 'r1', ...failed } })
    expect(JSON.stringify(events)).not.toContain('secret')
    expect(events.filter((event) => Object.hasOwn(event as object, 'run.end'))).toHaveLength(1)
    expect(journaled).toHaveBeenCalled()
  })

  test('does what it has to at its end before the run ends', async () => {
    const ended: unknown[] = []
    const run = await runs.run('work', async function* ({ signal }) {
      try {
        yield { data: 'x'.repeat(9 * 1024 * 1024) }
      } finally {
        await sleep(20)
        ended.push(signal.aborted, (await runs.find('work'))?.status)
      }
    })

    expect(await run.ended).toEqual({ status: 'failed', reason: 'too-large' })
    expect(ended).toEqual([true, 'running'])
  })
})

describe('limits', () => {
  test('a value larger than an event comes in parts, which make the value again', async () => {
    runs = runsOn({ eventMaxBytes: 1_024 })
    const value = { text: '👩‍👩‍👧‍👦"\\\n€'.repeat(500) }

    const run = await runs.run('work', async function* () {
      yield { type: 'big', data: value }
      yield { type: 'small', data: 1 }
    })
    await run.ended

    const { events } = await log.read({
      topics: ['work'],
      after: { ...(await log.head()), offset: 0 },
      limit: 1_000,
      maxBytes: 1e9,
    })
    const parts = events.filter(({ type }) => type === 'run.part')
    let texts: readonly string[] = []
    const joined = parts.map(({ data }) => {
      const result = joinPart(texts, data)
      ;({ texts } = result)
      return result.value
    })
    expect(parts.length).toBeGreaterThan(10)
    for (const { data } of parts) expect(Buffer.byteLength(data)).toBeLessThanOrEqual(1_024)
    expect(joined.at(-1)).toEqual({ type: 'big', data: JSON.stringify(value) })
    expect(joined.slice(0, -1).every((one) => one === undefined)).toBe(true)
    expect(events.map(({ type }) => type).slice(-2)).toEqual(['small', 'run.end'])
  })

  test.each<[string, Partial<RunLimits>, string]>([
    ['too many events', { maxEvents: 10 }, 'too-long'],
    ['too many bytes', { maxBytes: 10 }, 'too-large'],
    ['a value too large', { valueMaxBytes: 1 }, 'too-large'],
  ])('a run with %s fails, and keeps what came before', async (_, limits, reason) => {
    runs = runsOn(limits)

    const run = await runs.run('work', () => count(20))

    expect(await run.ended).toEqual({ status: 'failed', reason })
    expect((await span()).slice(1, 4)).toEqual([1, 2, 3])
  })
})

describe('stop', () => {
  test('aborts the source, and the run ends after what the source does at its end', async () => {
    const run = await runs.run(
      'work',
      async function* ({ signal }) {
        try {
          yield { data: 1 }
          await sleep(60_000, undefined, { signal })
        } finally {
          await sleep(50)
          yield { data: 'stored' }
        }
      },
      { id: 'r1' },
    )

    const info = await runs.stop('work')

    expect(info).toMatchObject({ id: 'r1', status: 'running' })
    expect(await run.ended).toEqual({ status: 'stopped' })
    expect((await span()).slice(1)).toEqual([
      1,
      { 'run.stop': { run: 'r1' } },
      'stored',
      { 'run.end': { run: 'r1', status: 'stopped' } },
    ])
    expect(journaled).not.toHaveBeenCalled()
  })

  test.each<[string, RunSource]>([
    [
      'never yields and ignores its signal',
      () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
    ],
    [
      'goes on yielding',
      async function* () {
        for (let n = 0; ; n++) {
          await sleep(10)
          yield { data: n }
        }
      },
    ],
  ])('a source that %s is left alone after the grace time', async (_, source) => {
    const run = await runs.run('work', source, { graceMs: 100 })
    await runs.stop('work')

    expect(await run.ended).toEqual({ status: 'stopped' })
    const events = await span()
    await sleep(100)
    expect(await span()).toEqual(events)
  })

  test('reaches a run that another process produces, within a second', async () => {
    const other = runsOn()
    const aborted = deferred<number>()
    const run = await runs.run('work', async function* ({ signal }) {
      signal.addEventListener('abort', () => aborted.resolve(performance.now()))
      yield { data: 1 }
      await sleep(60_000, undefined, { signal })
    })

    const askedAt = performance.now()
    await other.stop('work')

    expect((await aborted.promise) - askedAt).toBeLessThan(1_000)
    expect(await run.ended).toEqual({ status: 'stopped' })
  })

  test('before the beginning ends the run with that id as soon as it begins', async () => {
    await runs.stop('work', { id: 'r1' })
    const source = vi.fn<RunSource>(() => count(1))

    const run = await runs.run('work', source, { id: 'r1' })

    expect(await run.ended).toEqual({ status: 'stopped' })
    expect(source).not.toHaveBeenCalled()
    expect(await span()).toHaveLength(2)
  })

  test('where nothing lives, does nothing', async () => {
    expect(await runs.stop('work')).toBeUndefined()
    const run = await runs.run('work', () => count(1))
    await run.ended

    expect(await runs.stop('work')).toMatchObject({ status: 'done' })
    expect(await span()).toHaveLength(3)
  })
})

describe('a run that was given up', () => {
  test('can write nothing more, and its source is aborted', async () => {
    const values: number[] = []
    const run = await runs.run(
      'work',
      async function* ({ signal }) {
        for (let n = 0; !signal.aborted; n++) {
          await sleep(20)
          values.push(n)
          yield { data: n }
        }
      },
      { id: 'r1' },
    )
    await sleep(100)
    await log.append('work', [{ type: 'run.end', data: '{}' }], {
      run: { id: 'r1', op: 'end', status: 'lost' },
    })

    expect(await run.ended).toEqual({ status: 'lost' })
    expect((await span()).at(-1)).toEqual({ 'run.end': {} })
  })
})

describe('drain', () => {
  test('waits for runs, and ends those that take too long', async () => {
    const short = await runs.run('short', async function* () {
      await sleep(50)
      yield { data: 1 }
    })
    const long = await runs.run('long', untilStopped)

    const startedAt = performance.now()
    await runs.drain(200)

    expect(performance.now() - startedAt).toBeGreaterThan(190)
    expect(await short.ended).toEqual({ status: 'done' })
    expect(await long.ended).toEqual({ status: 'failed', reason: 'drain' })
    expect((await span('long')).slice(1, -1)).toEqual(['begun'])
  })
})

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
