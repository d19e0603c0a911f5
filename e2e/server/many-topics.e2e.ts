/** A log with `latest` for 300,000 topics, in each engine: what it keeps, and that publishing stays quick, also while all of it ages. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { expect, test } from 'playwright/test'
import { maxTopics } from '@/protocol/topics/topic'
import type { EventLog, TopicLimits } from '@/server/log/event-log'
import { createMemoryLog } from '@/server/log/memory/memory-log'
import { openRedisLog } from '@/server/log/redis/redis-log'
import { openSqliteLog } from '@/server/log/sqlite/sqlite-log'
import { startRedis } from '../../test/servers/start-redis'

// One after another: each fills a log.
test.describe.configure({ mode: 'default', timeout: 600_000 })

const topicCount = 300_000
const publishers = 64
const readers = 16
const samples = 2_000
const dayMs = 86_400_000
const limits: TopicLimits = { maxCount: 1_000, maxAgeMs: dayMs, latest: true }

/** Opens a log in a folder. Returns what ends its server too. */
type Open = (folder: string) => Promise<{ log: EventLog; end?: () => Promise<void> }>

const engines: Record<string, Open> = {
  memory: async () => ({ log: createMemoryLog(limits) }),
  sqlite: async (folder) => {
    await mkdir(folder, { recursive: true })
    return { log: openSqliteLog({ file: join(folder, 'events.db'), ...limits }) }
  },
  redis: async () => {
    const { port, stop: end } = await startRedis()
    const address = { host: '127.0.0.1', port, tls: false, database: 0 }
    return { log: openRedisLog({ address, Redis, ...limits }), end }
  },
}

const topicAt = (index: number): string => `price.${index % topicCount}`

/** Appends an event to each topic, or to each of several. */
async function fill(log: EventLog, text: string, step = 1): Promise<void> {
  let next = 0
  async function publish(): Promise<void> {
    while (next < topicCount) {
      const topic = topicAt(next)
      next += step
      await log.append(topic, [{ type: 'tick', data: text }])
    }
  }
  await Promise.all(Array.from({ length: publishers }, publish))
}

/** How many events there are, and how many of them have this text. */
async function count(log: EventLog, text: string): Promise<{ kept: number; newest: number }> {
  let [first, kept, newest] = [0, 0, 0]
  async function countOn(): Promise<void> {
    while (first < topicCount) {
      const begin = first
      first += maxTopics
      const topics = Array.from({ length: maxTopics }, (_, index) => topicAt(begin + index))
      const { after } = await log.locate(topics, { since: 0 })
      const { events } = await log.read({ topics, after, limit: 1_000, maxBytes: 1e6 })
      kept += events.length
      newest += events.filter(({ data }) => data === text).length
      // The driver of SQLite frees its statements when the event loop turns: otherwise the next append would wait for all of that.
      await setImmediate()
    }
  }
  // Several at a time: on a busy machine, every answer of Redis is long in coming.
  await Promise.all(Array.from({ length: readers }, countOn))
  return { kept, newest }
}

/** How long appends take one after another, in milliseconds. */
async function timeAppends(log: EventLog): Promise<{ median: number; longest: number }> {
  const took: number[] = []
  for (let index = 0; index < samples; index++) {
    const startedAt = performance.now()
    await log.append(topicAt(index * 149), [{ type: 'tick', data: 'late' }])
    took.push(performance.now() - startedAt)
  }
  took.sort((a, b) => a - b)
  return { median: took[samples / 2] ?? NaN, longest: took.at(-1) ?? NaN }
}

for (const [engine, open] of Object.entries(engines)) {
  test(
    `Of 300,000 topics with \`latest\`, ${engine} keeps the newest event each, and publishing does not wait for what has aged`,
    { tag: '@soak-only' },
    async ({}, testInfo) => {
      const { log, end } = await open(testInfo.outputDir)
      const realNow = Date.now
      try {
        const alone = await timeAppends(log)

        await fill(log, 'first')
        await fill(log, 'second', 10)

        expect(await count(log, 'second')).toEqual({ kept: topicCount, newest: topicCount / 10 })
        const among = await timeAppends(log)
        // From here on, all of it is too old, and each append removes a part.
        Date.now = () => realNow() + 2 * dayMs
        const aged = await timeAppends(log)
        for (const { median, longest } of [among, aged]) {
          expect(median).toBeLessThan(Math.max(1, 5 * alone.median))
          // Removing all of it takes several seconds.
          expect(longest).toBeLessThan(1_000)
        }
        const left = await count(log, 'late')
        expect(left.newest).toBe(left.kept)
      } finally {
        Date.now = realNow
        await log.close()
        await end?.()
      }
    },
  )
}
