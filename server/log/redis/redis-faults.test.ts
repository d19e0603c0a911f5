import { Redis } from 'ioredis'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { startCuttingProxy } from '@/test/servers/cutting-proxy'
import { readerOf } from '@/test/readers/feed-reader'
import { findServer } from '@/test/programs/find-server'
import { startRedis, type RunningRedis } from '@/test/servers/start-redis'
import { formatCursor, type Cursor } from '@/protocol/cursor'
import type { NewEvent } from '@/protocol/event'
import type { EventLog, Retention } from '@/server/log/event-log'
import { createHub } from '@/server/hub/hub'
import { openRedisLog } from './redis-log'

const retention = { maxCount: 100_000, maxAgeMs: 3_600_000 }
const page = { limit: 100_000, maxBytes: 64 * 1024 * 1024 }
const unavailable = { name: 'LogError', code: 'unavailable' }

const running: RunningRedis[] = []
const logs: EventLog[] = []

async function start(...config: string[]): Promise<RunningRedis> {
  const redis = await startRedis(config)
  running.push(redis)
  return redis
}

function open(
  { port, password }: { port: number; password?: string },
  limits: Partial<Retention> = {},
): EventLog {
  const address = { host: '127.0.0.1', port, tls: false, password, database: 0 }
  const log = openRedisLog({ Redis, address, ...retention, ...limits })
  logs.push(log)
  return log
}

function event(data: string): NewEvent {
  return { type: 'message', data }
}

async function append(log: EventLog, topic: string, ...data: string[]): Promise<string[]> {
  return (await log.append(topic, data.map(event))).ids
}

/** Waits until the check passes. The timeout is long, because a machine may be busy. */
async function until(isSo: () => boolean): Promise<void> {
  await vi.waitUntil(isSo, { timeout: 15_000, interval: 20 })
}

/** Calls `ask` until it succeeds. */
async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch {
      await sleep(20)
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

async function readTopic(log: EventLog, topic: string): Promise<{ id: string; data: string }[]> {
  const { epoch } = await log.head()
  const { events } = await log.read({ topics: [topic], after: { epoch, offset: 0 }, ...page })
  return events.map((stored) => ({ id: formatCursor(stored), data: stored.data }))
}

afterEach(async () => {
  await Promise.all(logs.splice(0).map((log) => log.close()))
  await Promise.all(running.splice(0).map((redis) => redis.stop()))
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe.skipIf(!findServer('redis'))('a log in Redis', () => {
  test('killed during a burst and restarted, has every acknowledged event once', async () => {
    const redis = await start('appendonly yes', 'appendfsync always')
    const log = open(redis)
    const acknowledged = new Map<string, string>()
    const failures: unknown[] = []
    let wanted = 300
    const publishers = Array.from({ length: 8 }, async (_, publisher) => {
      for (let n = 0; acknowledged.size < wanted; n++) {
        const data = `${publisher}-${n}`
        try {
          for (const id of await append(log, `t${publisher % 2}`, data)) acknowledged.set(id, data)
        } catch (error) {
          failures.push(error)
          await sleep(20)
        }
      }
    })
    await until(() => acknowledged.size > 100)
    wanted = Number.POSITIVE_INFINITY

    await redis.kill()
    await until(() => failures.length > 0)
    await redis.restart()
    wanted = acknowledged.size + 200
    await Promise.all(publishers)

    const kept = [...(await readTopic(log, 't0')), ...(await readTopic(log, 't1'))]
    const dataOf = new Map(kept.map(({ id, data }) => [id, data]))
    for (const [id, data] of acknowledged) expect(dataOf.get(id)).toBe(data)
    expect(new Set(dataOf.values()).size).toBe(kept.length)
    for (const failure of failures) expect(failure).toMatchObject(unavailable)
  })

  test('killed while many appends are on their way, settles each of them, and has those that it acknowledged, in order', async () => {
    const redis = await start('appendonly yes', 'appendfsync always')
    const log = open(redis)
    const acknowledged: string[] = []
    const settled: Promise<unknown>[] = []
    const failures: unknown[] = []
    const killed = new AbortController()
    for (let n = 0; n < 25 || !killed.signal.aborted; n++) {
      for (let publisher = 0; publisher < 200; publisher++) {
        const data = `${publisher}-${n}`
        const appending = append(log, `t${publisher % 2}`, data, `${data} too`)
        settled.push(
          appending.then(
            () => acknowledged.push(data, `${data} too`),
            (error: unknown) => failures.push(error),
          ),
        )
      }
      if (n === 20) void redis.kill().then(() => killed.abort())
      await nextTurn()
    }
    await Promise.all(settled)
    await redis.restart()
    await eventually(() => append(log, 't0', 'after'))

    const kept = [...(await readTopic(log, 't0')), ...(await readTopic(log, 't1'))]
    const texts = kept.map(({ data }) => data)
    expect(acknowledged.length).toBeGreaterThan(0)
    expect(failures.length).toBeGreaterThan(0)
    expect(texts).toEqual(expect.arrayContaining(acknowledged))
    expect(new Set(texts).size).toBe(texts.length)
    for (let publisher = 0; publisher < 200; publisher++) {
      const own = texts.filter((data) => data.startsWith(`${publisher}-`))
      const numbers = own.map((data) => Number(/-(\d+)/.exec(data)?.[1]))
      expect(numbers).toEqual(numbers.toSorted((one, two) => one - two))
      expect(own.length % 2).toBe(0)
    }
    for (const failure of failures) expect(failure).toMatchObject(unavailable)
  })

  test('that refuses one of the appends that come at once, adds the others', async () => {
    const redis = await start()
    const log = open(redis)
    await append(log, 'a', 'before')
    await redis.command('SET', '{sse}:t:broken', 'no stream')

    const settled = await Promise.allSettled([
      append(log, 'a', 'one'),
      append(log, 'broken', 'nothing'),
      append(log, 'a', 'two'),
    ])

    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(settled[1]).toMatchObject({ reason: unavailable })
    const kept = await readTopic(log, 'a')
    expect(kept.map(({ data }) => data)).toEqual(['before', 'one', 'two'])
    expect(kept.map(({ id }) => Number(id.split('.')[1]))).toEqual([1, 2, 3])
  })

  test('frozen for five seconds, is unavailable within two, and then recovers without gaps or duplicates', async () => {
    const redis = await start()
    const log = open(redis)
    await append(log, 'a', 'before')

    redis.freeze()
    const thawed = sleep(5_000).then(() => redis.thaw())
    const startedAt = performance.now()
    const lost = await Promise.allSettled([append(log, 'a', 'lost'), append(log, 'a', 'lost too')])
    const waitedMs = performance.now() - startedAt
    await expect(log.head()).rejects.toMatchObject(unavailable)
    await thawed
    await eventually(() => append(log, 'a', 'after'))

    for (const { status, ...rest } of lost) {
      expect(status).toBe('rejected')
      expect(rest).toMatchObject({ reason: unavailable })
    }
    expect(waitedMs).toBeGreaterThan(1_900)
    expect(waitedMs).toBeLessThan(4_500)
    const kept = (await readTopic(log, 'a')).map(({ data }) => data)
    expect(kept[0]).toBe('before')
    expect(kept).toContain('after')
    // These were sent before the freeze, so Redis may have run them later.
    expect(new Set(kept).size).toBe(kept.length)
  })

  test('takes 16 MiB at once while it does not answer; more is busy at once', async () => {
    const redis = await start()
    const log = open(redis)
    await append(log, 'a', 'before')
    const megabyte = Array.from({ length: 16 }, () => event('x'.repeat(64 * 1024 - 64)))

    redis.freeze()
    const sending = Array.from({ length: 16 }, () => log.append('a', megabyte))
    const refused = await append(log, 'a', 'too much').catch((error: unknown) => error)
    redis.thaw()

    expect(refused).toMatchObject({ name: 'LogError', code: 'busy' })
    await Promise.allSettled(sending)
    await eventually(() => append(log, 'a', 'after'))
  })

  test('flushed, is another log: watchers are notified, and old cursors are lost', async () => {
    const redis = await start()
    const log = open(redis)
    await append(log, 'a', 'before')
    const head = await log.head()
    const ended = new AbortController()
    const onChange = vi.fn<() => void>()
    log.watch(onChange, { signal: ended.signal })
    await expect
      .poll(() => redis.command('INFO', 'clients'), { timeout: 15_000 })
      .toContain('blocked_clients:1')
    onChange.mockClear()

    await redis.command('FLUSHALL')
    await until(() => onChange.mock.calls.length > 0)

    const read = await log.read({ after: head, ...page })
    const located = await log.locate(['a'], { cursor: head })
    expect(read).toMatchObject({ events: [], lost: 'epoch', through: { offset: 0 } })
    expect(located).toMatchObject({ after: read.through, lost: 'epoch' })
    expect((await log.head()).epoch).not.toBe(head.epoch)
    ended.abort()
  })

  test('flushed under an open stream, the stream gets resync and continues with the next events', async () => {
    const redis = await start()
    const hub = createHub(open(redis))
    const feed = await hub.subscribe({ topics: ['a'], envelope: false })
    const reader = readerOf(feed)
    await append(hub.log, 'a', 'before')
    const before = await reader.next()

    await redis.command('FLUSHALL')
    const flushed = await reader.next()
    await append(hub.log, 'a', 'after')
    const after = await reader.next()

    expect(before).toMatchObject([{ data: 'before' }])
    expect(flushed).toMatchObject([{ event: 'resync' }])
    expect(JSON.parse(flushed[0]?.data ?? '')).toMatchObject({ reason: 'epoch', oldest: null })
    expect(after).toMatchObject([{ data: 'after' }])
    await feed.close()
    await hub.close()
  })

  test('full, is unavailable: no append is partial, and appends work again when events have aged', async () => {
    const redis = await start('maxmemory 4mb', 'maxmemory-policy noeviction')
    const log = open(redis)
    vi.useFakeTimers({ toFake: ['Date'] })
    const ten = Array.from({ length: 10 }, (_, n) => event(`${n}`.padEnd(2_000, 'x')))
    let appended = 0
    const fill = async (): Promise<never> => {
      for (;;) {
        await log.append(`t${appended % 7}`, ten)
        appended += ten.length
      }
    }
    const error: unknown = await fill().catch((reason: unknown) => reason)
    const atOnce = Array.from({ length: 20 }, (_, n) => log.append(`t${n % 7}`, ten))
    for (const { status } of await Promise.allSettled(atOnce)) expect(status).toBe('rejected')
    const { events } = await log.read({ after: { ...(await log.head()), offset: 0 }, ...page })

    vi.setSystemTime(Date.now() + 2 * retention.maxAgeMs)
    const [id] = await eventually(() => append(log, 'a', 'room'))

    expect(error).toMatchObject(unavailable)
    expect(appended).toBeGreaterThan(0)
    expect(events).toHaveLength(appended)
    expect(id).toBe(`${(await log.head()).epoch}.${appended + 1}`)
  })

  test('when an answer is lost, the append is sent again, and the events are appended once', async () => {
    const redis = await start()
    const proxy = await startCuttingProxy(redis.url, () => Number.POSITIVE_INFINITY)
    const log = open(proxy)
    const [before] = await append(log, 'a', 'before')

    proxy.cutNextAnswer()
    const ids = await append(log, 'a', 'one', 'two')

    expect(proxy.cuts()).toBe(1)
    expect(await readTopic(log, 'a')).toEqual([
      { id: before, data: 'before' },
      { id: ids[0], data: 'one' },
      { id: ids[1], data: 'two' },
    ])
    await log.close()
    await proxy.close()
  })

  test('when the answer to several appends is lost, each of them is appended once', async () => {
    const redis = await start()
    const proxy = await startCuttingProxy(redis.url, () => Number.POSITIVE_INFINITY)
    const log = open(proxy)
    const idempotency = { key: 'key', fingerprint: 'print' }
    const run = { id: 'r1', op: 'begin' } as const
    await log.append('work', [event('begin')], { run })

    proxy.cutNextAnswer()
    const [one, replayed, renewed, last] = await Promise.all([
      log.append('a', [event('one')], { idempotency }),
      log.append('a', [event('one')], { idempotency }),
      log.append('work', [event('token')], { run: { ...run, op: 'renew', ifRenewals: 0 } }),
      log.append('a', [event('two')]),
    ])

    expect(proxy.cuts()).toBe(1)
    expect(replayed).toEqual({ ids: one.ids, replayed: true })
    expect(renewed).toMatchObject({ run: { applied: true, run: { renewals: 1 } } })
    expect(await readTopic(log, 'a')).toEqual([
      { id: one.ids[0], data: 'one' },
      { id: last.ids[0], data: 'two' },
    ])
    const span = (await readTopic(log, 'work')).map(({ data }) => data)
    expect(span).toEqual(['begin', 'token'])
    await log.close()
    await proxy.close()
  })

  describe('restarted without its newest events', () => {
    let redis: RunningRedis
    let log: EventLog
    let kept: Cursor
    let gone: Cursor

    beforeEach(async () => {
      redis = await start()
      log = open(redis)
      await append(log, 'a', 'kept')
      kept = await log.head()
      await redis.command('SAVE')
      await append(log, 'a', 'gone')
      gone = await log.head()
      await redis.kill()
      await redis.restart()
    })

    /** Readers up to the kept events miss nothing, readers beyond them hear of the loss, and no new event has the id of a lost one. */
    async function expectNewTerm(of: EventLog): Promise<void> {
      const held = await eventually(() => of.read({ topics: ['a'], after: kept, ...page }))
      const lost = await of.read({ topics: ['a'], after: gone, ...page })

      expect(held).toMatchObject({ lost: undefined, events: [{ data: 'next' }] })
      expect(lost.lost).toBe('future')
      expect(lost.events.map(({ data }) => data)).toEqual(['kept', 'next'])
      expect(lost.events.map(formatCursor)).not.toContain(formatCursor(gone))
    }

    test('begins a term with the next append of a running process', async () => {
      await eventually(() => append(log, 'a', 'next'))

      await expectNewTerm(log)
    })

    test('begins a term when a process that has seen lost events reads, and other readers continue', async () => {
      const read = await eventually(() => log.read({ topics: ['a'], after: gone, ...page }))
      await append(log, 'a', 'next')

      expect(read.lost).toBe('future')
      await expectNewTerm(log)
    })

    test('begins a term with an append of another process, and a process that has seen lost events joins it', async () => {
      await append(open(redis), 'b', 'in its place', 'and one more')

      await eventually(() => append(log, 'a', 'next'))

      await expectNewTerm(log)
      const { events } = await log.read({ topics: ['b'], after: kept, ...page })
      expect(events.map(({ data }) => data)).toEqual(['in its place', 'and one more'])
    })

    test('sends resync to an open stream, and continues it', async () => {
      const hub = createHub(log)
      const feed = await hub.subscribe({ topics: ['a'], envelope: false })
      const reader = readerOf(feed)
      await eventually(() => append(log, 'a', 'next'))
      const before = await reader.next()
      await redis.command('SAVE')
      await append(log, 'a', 'gone again')
      await reader.next()

      await redis.kill()
      await redis.restart()
      const told = await reader.next()

      expect(before).toMatchObject([{ data: 'next' }])
      expect(told.map((frame) => frame.event ?? frame.data)).toEqual(['resync', 'kept', 'next'])
      expect(JSON.parse(told[0]?.data ?? '')).toMatchObject({ reason: 'future', topics: ['a'] })
      await feed.close()
    })
  })

  test('keeps the newest ten thousand terms, and older ones that still have events', async () => {
    const redis = await start()
    const log = open(redis)
    await append(log, 'a', 'oldest')
    const oldest = await log.head()
    // The terms that ten thousand restarts leave behind.
    const client = new Redis(redis.port)
    const fill = client.pipeline()
    for (let n = 2; n <= 10_100; n++) {
      fill
        .xadd('{sse}:terms', `1-${n}`, 'epoch', `term${n}`)
        .hset('{sse}:term', `term${n}`, `1-${n}`)
    }
    await fill.exec()
    const other = open(redis)
    const [next] = await append(other, 'a', 'next')
    const { events } = await other.read({ topics: ['a'], after: { ...oldest, offset: 0 }, ...page })
    const held = await other.locate(['a'], { cursor: oldest })
    const ofNoEvent = await other.locate(['a'], { cursor: { epoch: 'term9000', offset: 1 } })

    const unpruned = await client.xlen('{sse}:terms')
    await append(open(redis, { maxAgeMs: 1 }), 'b', 'when all else is too old')
    await append(open(redis, { maxAgeMs: 1 }), 'b', 'once more')
    const pruned = await client.xlen('{sse}:terms')
    await client.quit()

    expect(unpruned).toBeGreaterThan(10_100)
    expect(pruned).toBeLessThan(unpruned)
    expect(pruned).toBeGreaterThanOrEqual(10_000)
    expect(events.map(formatCursor)).toEqual([formatCursor(oldest), next])
    expect(held.lost).toBeUndefined()
    expect(ofNoEvent.lost).toBeUndefined()
  })

  describe('the format', () => {
    const forLong: Partial<Retention> = { maxAgeMs: 100 * 365 * 86_400_000 }

    /** A Redis with the data of an earlier version. */
    async function startFrom(fixture: string): Promise<RunningRedis> {
      const redis = await start()
      await redis.kill()
      copyFileSync(join(__dirname, 'fixtures', fixture), join(redis.folder, 'dump.rdb'))
      await redis.restart()
      return redis
    }

    test('version 1 is upgraded, and keeps its events, ids and keys', async () => {
      const redis = await startFrom('redis-version-1.rdb')
      const log = open(redis, forLong)

      const head = await log.head()
      const after = { epoch: 'c6e12979', offset: 0 }
      const read = await log.read({ topics: ['orders', 'news', 'busy'], after, ...page })
      const paid = [{ type: 'order.paid', data: '{"amount":4200}' }]
      const idempotency = { key: 'first', fingerprint: 'print' }
      const again = await log.append('orders', paid, { idempotency })
      const [next] = await append(log, 'news', 'five')

      expect(head).toEqual({ epoch: 'c6e12979', offset: 1_535 })
      expect(read).toMatchObject({ lost: undefined, removed: [0, 0, 1_531] })
      expect(read.events.map((stored) => [formatCursor(stored), stored.data])).toEqual([
        ['c6e12979.1', '{"amount":4200}'],
        ['c6e12979.2', 'one'],
        ['c6e12979.3', 'two'],
        ['c6e12979.4', 'three\0'],
        ['c6e12979.1532', 'busy 2 507'],
        ['c6e12979.1533', 'busy 2 508'],
        ['c6e12979.1534', 'busy 2 509'],
        ['c6e12979.1535', 'four'],
      ])
      expect(again).toEqual({ ids: ['c6e12979.1'], replayed: true })
      expect(next).toMatch(/\.1536$/)
      expect(next).not.toContain('c6e12979')
    })

    test('version 2, as written by 0.1.0, works unchanged: ids, terms and keys are valid, and a reader resumes', async () => {
      const log = open(await startFrom('redis-version-2.rdb'), forLong)
      const topics = ['orders', 'news', 'busy']

      const read = await log.read({ topics, after: { epoch: '8b333c6d096d', offset: 2 }, ...page })
      const held = await log.locate(topics, { cursor: { epoch: '10367f382604', offset: 12 } })
      const paid = [{ type: 'order.paid', data: '{"amount":4200}' }]
      const idempotency = { key: 'first', fingerprint: 'print' }
      const again = await log.append('orders', paid, { idempotency })
      const [next] = await append(log, 'news', 'four')

      expect(read).toMatchObject({ lost: undefined, removed: [0, 0, 0] })
      expect(read.events.slice(0, 3).map((stored) => [formatCursor(stored), stored.data])).toEqual([
        ['8b333c6d096d.3', 'two'],
        ['10367f382604.4', 'three'],
        ['10367f382604.5', 'busy 1 1'],
      ])
      expect(read.events.at(-1)).toMatchObject({ offset: 14, type: 'order.shipped', data: '{}' })
      expect(held.lost).toBeUndefined()
      expect(again).toEqual({ ids: ['8b333c6d096d.1'], replayed: true })
      expect(next).toMatch(/\.15$/)
    })

    test('after an upgrade, a running program of version 1 fails, and neither loses nor adds anything', async () => {
      const redis = await startFrom('redis-version-1.rdb')
      // The command with which each script of version 1 begins.
      const begin = (): Promise<unknown> => redis.command('HMGET', '{sse}:log', 'epoch', 'head')
      expect(await begin()).toEqual(['c6e12979', '1535'])

      await open(redis, forLong).head()

      await expect(begin()).rejects.toThrow('WRONGTYPE')
    })

    test('a newer version is unavailable, and the error says so', async () => {
      const redis = await start()
      const log = open(redis)
      await append(log, 'a', 'one')
      await redis.command('SET', '{sse}:log', '3')

      const says = { ...unavailable, message: expect.stringContaining('format 3') as string }
      await expect(append(log, 'a', 'two')).rejects.toMatchObject(says)
      await expect(log.head()).rejects.toMatchObject(says)
    })
  })

  test('not running at the start, is unavailable until it runs', async () => {
    const redis = await start()
    await redis.kill()
    const log = open(redis)

    await expect(log.head()).rejects.toMatchObject(unavailable)
    await expect(append(log, 'a', 'one')).rejects.toMatchObject(unavailable)
    await redis.restart()
    await eventually(() => append(log, 'a', 'two'))

    expect((await readTopic(log, 'a')).map(({ data }) => data)).toEqual(['two'])
  })

  test('that refuses the password, is unavailable, and the error says why, without the password', async () => {
    const redis = await start('requirepass "right"')
    const log = open({ port: redis.port, password: 'wrong-one' })

    const error: unknown = await log.head().catch((reason: unknown) => reason)
    await expect(log.head()).rejects.toMatchObject(unavailable)

    expect(error).toMatchObject(unavailable)
    expect(inspect(error)).toContain(`127.0.0.1:${redis.port}`)
    expect(inspect(error)).toContain('WRONGPASS')
    expect(inspect(error)).not.toContain('wrong-one')
  })
})

describe.skipIf(!findServer('redis'))('two logs on one Redis', () => {
  test('readers of each get the events of both, in one order, once', async () => {
    const redis = await start()
    const topics = Array.from({ length: 20 }, (_, n) => `t${n}`)
    const writers = [open(redis), open(redis)]
    const total = 2 * 20 * 25
    const ended = new AbortController()
    const readers = [undefined, topics, topics.slice(0, 10)].flatMap((asked) =>
      writers.map((log) =>
        follow(
          log,
          asked,
          asked === undefined || asked.length === 20 ? total : total / 2,
          ended.signal,
        ),
      ),
    )

    await Promise.all(
      writers.flatMap((log, writer) =>
        topics.map(async (topic) => {
          for (let n = 0; n < 25; n++) await append(log, topic, `${writer} ${topic} ${n}`)
        }),
      ),
    )
    const [all, ...others] = await Promise.all(readers)
    ended.abort()

    expect(new Set(all).size).toBe(total)
    const half = all?.filter((data) => topics.slice(0, 10).includes(data.split(' ')[1] ?? ''))
    for (const got of others) expect(got).toEqual(got.length === total ? all : half)
    for (const topic of topics) {
      const own = all?.filter((data) => data.startsWith(`0 ${topic} `))
      expect(own).toEqual(Array.from({ length: 25 }, (_, n) => `0 ${topic} ${n}`))
    }
  })
})

/** Reads in small pages until there are `total` events. */
async function follow(
  log: EventLog,
  topics: string[] | undefined,
  total: number,
  signal: AbortSignal,
): Promise<string[]> {
  const seen: string[] = []
  let after: Cursor = { ...(await log.head()), offset: 0 }
  let wake = (): void => {}
  let hasChanged = true
  log.watch(
    () => {
      hasChanged = true
      wake()
    },
    { signal },
  )
  while (seen.length < total) {
    if (!hasChanged) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    hasChanged = false
    for (;;) {
      const { events, through, lost } = await log.read({ topics, after, limit: 7, maxBytes: 1_000 })
      if (lost) throw new Error(`lost: ${lost}`)
      seen.push(...events.map(({ data }) => data))
      const isEnd = events.at(-1)?.offset !== through.offset
      after = through
      if (isEnd) break
    }
  }
  return seen
}
