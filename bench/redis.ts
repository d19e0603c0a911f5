import { Redis } from 'ioredis'
/**
 * What docs/operate.md reckons with: what Redis does for each append, and for each process that reads it.
 *
 * npx tsx bench/redis.ts
 */
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis, type RunningRedis } from '../test/servers/start-redis'
import type { EventLog } from '@/server/log/event-log'
import { openRedisLog } from '@/server/log/redis/redis-log'

const mebibyte = 1024 * 1024
const retention = { maxCount: 100_000, maxAgeMs: 86_400_000 }

async function main(): Promise<void> {
  const redis = await startRedis(['appendonly yes', 'appendfsync everysec'])
  try {
    const rows = []
    for (const readers of [0, 10, 50, 100]) rows.push(await publishTo(redis, readers))
    console.log('Redis: 100 events a second of 100 bytes, to as many processes as read them')
    console.table(rows)
  } finally {
    await redis.stop()
  }
}

/** 100 appends a second for ten seconds. Each reader is a log of its own that reads when it is told of new events, as a hub does. */
async function publishTo(redis: RunningRedis, readers: number): Promise<Record<string, number>> {
  const address = { host: '127.0.0.1', port: redis.port, tls: false, database: 0 }
  const openLog = (): EventLog => openRedisLog({ Redis, address, ...retention })
  const ended = new AbortController()
  setMaxListeners(0, ended.signal)
  const counts = Array.from({ length: readers }, () => 0)
  const logs = await Promise.all(
    counts.map(async (_, index) => {
      const log = openLog()
      let after = await log.head()
      let again = false
      let reading: Promise<void> | undefined
      const readOn = async (): Promise<void> => {
        do {
          again = false
          const { events, through } = await log.read({ after, limit: 1_000, maxBytes: mebibyte })
          counts[index] = (counts[index] ?? 0) + events.length
          after = through
        } while (again)
        reading = undefined
      }
      const onChange = (): void => {
        again = true
        reading ??= readOn()
      }
      log.watch(onChange, { signal: ended.signal })
      return log
    }),
  )
  const writer = openLog()
  await writer.head()
  await sleep(1_000)
  const before = await cpuOf(redis)
  const startedAt = performance.now()
  const event = { type: 'message', data: 'x'.repeat(100) }
  for (let sent = 0; sent < 1_000; sent++) {
    await writer.append('news', [event])
    const aheadMs = startedAt + sent * 10 - performance.now()
    if (aheadMs > 1) await sleep(aheadMs)
  }
  const seconds = (performance.now() - startedAt) / 1_000
  await sleep(500)
  const cpuMs = (await cpuOf(redis)) - before
  ended.abort()
  await Promise.all([...logs, writer].map((log) => log.close()))
  return {
    processes: readers,
    'events read': counts.reduce((sum, count) => sum + count, 0),
    'CPU of Redis, % of a core': round(cpuMs / (seconds * 10)),
    'for each event, µs': round(cpuMs),
  }
}

async function cpuOf(redis: RunningRedis): Promise<number> {
  const info = String(await redis.command('INFO', 'cpu'))
  const seconds = [...info.matchAll(/used_cpu_(?:sys|user):([\d.]+)/g)]
  return seconds.reduce((sum, [, value]) => sum + Number(value) * 1_000, 0)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

void main()
