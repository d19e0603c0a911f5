/**
 * What `latest` costs: appends to topics that keep their newest event alone, beside plain appends, on one engine after the other.
 * `npx tsx bench/latest.ts [--topics 10000] [--updates 100] [--engine sqlite|redis|memory]`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { maxTopics } from '@/protocol/topics/topic'
import type { EventLog, Retention } from '@/server/log/event-log'
import { openLog, type LogAddress } from '@/server/log/open-log'
import { findServer } from '@/test/programs/find-server'
import { startRedis } from '@/test/servers/start-redis'

const { values } = parseArgs({
  options: {
    topics: { type: 'string', default: '10000' },
    updates: { type: 'string', default: '100' },
    engine: { type: 'string' },
  },
})
const [topicCount, updates] = [Number(values.topics), Number(values.updates)]
const others = { maxCount: 100_000, maxAgeMs: 86_400_000 }
const rule = { ...others, latest: true }
const latest: Retention = { ...others, ownLimits: () => rule }
const warmUps = 20_000
/** As many publishers wait at once. */
const publishers = 64
const data = JSON.stringify({ symbol: 'ACME', bid: 101.25, ask: 101.5, time: 1_767_621_801_002 })

interface Figures {
  /** Microseconds of time and of this process's CPU for each append. */
  wall: number
  cpu: number
  kept: number
}

async function measure(log: EventLog, total = topicCount * updates): Promise<Figures> {
  let next = 0
  async function publish(): Promise<void> {
    while (next < total) {
      const topic = `price.${next++ % topicCount}`
      await log.append(topic, [{ type: 'tick', data }])
    }
  }
  const [startedAt, usage] = [performance.now(), process.cpuUsage()]
  await Promise.all(Array.from({ length: publishers }, publish))
  const wall = ((performance.now() - startedAt) * 1_000) / total
  const { user, system } = process.cpuUsage(usage)
  return { wall, cpu: (user + system) / total, kept: await countKept(log) }
}

async function countKept(log: EventLog): Promise<number> {
  let count = 0
  for (let first = 0; first < topicCount; first += maxTopics) {
    const size = Math.min(maxTopics, topicCount - first)
    const topics = Array.from({ length: size }, (_, index) => `price.${first + index}`)
    let { after } = await log.locate(topics, { since: 0 })
    for (;;) {
      const page = await log.read({ topics, after, limit: 10_000, maxBytes: 64 * 1024 * 1024 })
      count += page.events.length
      if (page.events.at(-1)?.offset !== page.through.offset) break
      after = page.through
    }
  }
  return count
}

async function compare(name: string, address: (run: string) => LogAddress): Promise<void> {
  const figures: Record<string, Figures> = {}
  const first = await openLog({ engine: 'memory' }, latest)
  await measure(first, warmUps)
  await first.close()
  for (const [run, retention] of Object.entries({ plain: others, latest })) {
    const log = await openLog(address(run), retention)
    // The first appends of a process are slower than all others.
    await measure(log, warmUps)
    figures[run] = await measure(log)
    await log.close()
  }
  for (const [run, { wall, cpu, kept }] of Object.entries(figures)) {
    console.log(
      `${name} ${run}: ${wall.toFixed(1)} µs an append, ${cpu.toFixed(1)} µs of CPU, ${kept.toLocaleString('en')} events kept`,
    )
  }
  const ratio = (figures['latest']?.wall ?? 0) / (figures['plain']?.wall ?? 1)
  console.log(`${name}: ${ratio.toFixed(2)} times the cost of a plain append`)
}

async function main(): Promise<void> {
  const isWanted = (engine: string): boolean => (values.engine ?? engine) === engine
  if (isWanted('memory')) await compare('memory', () => ({ engine: 'memory' }))
  if (isWanted('sqlite')) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-latest-'))
    await compare('SQLite', (name) => ({ engine: 'sqlite', file: join(folder, `${name}.db`) }))
    rmSync(folder, { recursive: true })
  }
  if (!isWanted('redis') || !findServer('redis')) return
  const redis = await startRedis([])
  await compare('Redis', (name) => {
    const database = name === 'plain' ? 0 : 1
    const address = { host: '127.0.0.1', port: redis.port, tls: false, database }
    return { engine: 'redis', address }
  })
  await redis.stop()
}

void main()
