import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { findServer } from '@/test/programs/find-server'
import { startRedis, type RunningRedis } from '@/test/servers/start-redis'
import type { EventLog, Retention } from '@/server/log/event-log'
import { testEventLog } from '@/server/log/event-log.contract'
import { openRedisLog } from './redis-log'

/** Copies the contents of Redis. Resolves with a function that restores the copy. */
async function copyOf({ port }: RunningRedis): Promise<() => Promise<void>> {
  const client = new Redis(port)
  const names = await client.keys('*')
  const values = await Promise.all(names.map((name) => client.dumpBuffer(name)))
  return async () => {
    await client.flushall()
    await Promise.all(names.map((name, index) => client.restore(name, 0, values[index] ?? '')))
    client.disconnect()
  }
}

const defaults = { maxCount: 10_000, maxAgeMs: 3_600_000 }
const page = { limit: 100_000, maxBytes: 64 * 1024 * 1024 }

describe.skipIf(!findServer('redis'))('redis', () => {
  let redis: RunningRedis

  beforeAll(async () => {
    redis = await startRedis()
  })

  afterAll(async () => {
    await redis.stop()
  })

  function open(retention: Partial<Retention> = {}): EventLog {
    const address = { host: '127.0.0.1', port: redis.port, tls: false, database: 0 }
    return openRedisLog({ Redis, address, ...defaults, ...retention })
  }

  testEventLog('redis', async (retention) => {
    await redis.command('FLUSHALL')
    let log = open(retention)
    return {
      log,
      reopen: async (others = retention) => {
        await log.close()
        log = open(others)
        return log
      },
      openOther: (others = retention) => open(others),
      copy: () => copyOf(redis),
    }
  })

  describe('the contents of Redis', () => {
    let log: EventLog

    async function append(topic: string, count = 1): Promise<void> {
      const events = Array.from({ length: count }, (_, n) => ({ type: 'message', data: `${n}` }))
      await log.append(topic, events)
    }

    async function keys(): Promise<string[]> {
      return ((await redis.command('KEYS', '*')) as string[]).toSorted()
    }

    beforeEach(async () => {
      await redis.command('FLUSHALL')
      vi.useFakeTimers({ toFake: ['Date'] })
      log = open()
    })

    afterEach(async () => {
      await log.close()
      vi.useRealTimers()
    })

    test('are in one slot of a cluster, and idempotency keys and append tokens expire', async () => {
      await log.append('a', [{ type: 'message', data: '' }], {
        idempotency: { key: 'once', fingerprint: 'print' },
      })

      const all = await keys()
      const [token, remembered] = all.filter((key) => /:[ak]:/.test(key))

      expect(all).toHaveLength(11)
      for (const key of all) expect(key).toMatch(/^\{sse\}:/)
      expect(await redis.command('PTTL', token ?? '')).toBeGreaterThan(0)
      expect(await redis.command('PTTL', remembered ?? '')).toBeGreaterThan(defaults.maxAgeMs)
    })

    test('are removed when too old, a few topics with each append, until nothing of a topic is left', async () => {
      for (let n = 0; n < 100; n++) await append(`t${n}`, 5)
      vi.setSystemTime(Date.now() + 2 * defaults.maxAgeMs)

      for (let n = 0; n < 10; n++) await append('last')

      const left = (await keys()).filter((key) => !key.includes(':a:'))
      expect(left).toEqual(
        ['ages', 'live', 'log', 'state', 't:last', 'term', 'terms', 'trimmed'].map(
          (key) => `{sse}:${key}`,
        ),
      )
      expect(await redis.command('HLEN', '{sse}:trimmed')).toBe(1)
      expect(await redis.command('ZCARD', '{sse}:ages')).toBe(1)
    })

    test('a topic far over its limit is trimmed in steps', async () => {
      await append('a', 5_000)
      await log.close()
      log = open({ maxCount: 1_000 })

      const lengths: unknown[] = []
      for (let n = 0; n < 9; n++) {
        await append('a')
        lengths.push(await redis.command('XLEN', '{sse}:t:a'))
      }

      expect(lengths[0]).toBe(4_500)
      expect(lengths.at(-1)).toBeLessThanOrEqual(1_100)
    })

    test('a reader of all topics that falls behind the live stream hears of it; a reader of some topics misses nothing', async () => {
      const start = await log.head()
      await append('quiet')
      for (let round = 0; round < 120; round++) {
        await Promise.all(Array.from({ length: 100 }, (_, n) => append(`t${n % 3}`)))
      }

      const all = await log.read({ after: start, ...page })
      const some = await log.read({ topics: ['quiet', 't0', 't1', 't2'], after: start, ...page })

      expect(some).toMatchObject({ lost: undefined, removed: [0, 0, 0, 0] })
      expect(some.events).toHaveLength(12_001)
      expect(all.events).toEqual(some.events.slice(-all.events.length))
      expect(all.events.length).toBeGreaterThanOrEqual(10_000)
      expect(all.removed).toEqual([(all.events[0]?.offset ?? 0) - 1])
    })

    test('appends that come at once share a few scripts, each of a bounded size', async () => {
      await append('a')
      const scripts = async (): Promise<number> =>
        Number(/evalsha:calls=(\d+)/.exec(String(await redis.command('INFO', 'commandstats')))?.[1])
      const before = await scripts()

      await Promise.all(Array.from({ length: 1_000 }, (_, n) => append(`t${n}`)))
      const small = await scripts()
      await Promise.all(Array.from({ length: 10 }, (_, n) => append(`t${n}`, 1_000)))
      const big = await scripts()

      expect(small - before).toBeGreaterThanOrEqual(1_000 / 64)
      expect(small - before).toBeLessThan(1_000 / 16)
      expect(big - small).toBe(10)
    })

    test('a batch of 10,000 is one append, and pages may begin in the middle of it', async () => {
      const start = await log.head()
      await append('a', 10_000)

      const first = await log.read({ after: start, limit: 4_321, maxBytes: page.maxBytes })
      const rest = await log.read({ after: first.through, ...page })

      expect(first.through.offset).toBe(4_321)
      expect([...first.events, ...rest.events].map(({ data }) => data)).toEqual(
        Array.from({ length: 10_000 }, (_, n) => `${n}`),
      )
      expect(await redis.command('XLEN', '{sse}:live')).toBe(1)
    })
  })
})
