/**
 * What `latest` costs: appends to topics that keep their newest event alone, beside plain appends, on one engine after the other.
 * `npx tsx bench/latest.ts [--topics 10000] [--updates 100] [--engine sqlite|redis|memory]`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { maxTopics } from '@/protocol/topics/topic'
import { LogError, type EventLog, type Retention } from '@/server/log/event-log'
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
/** The two logs are measured in turns, so that whatever else the machine does meets both. */
const slices = 10
/** As many publishers wait at once. */
const publishers = 64
const data = JSON.stringify({ symbol: 'ACME', bid: 101.25, ask: 101.5, time: 1_767_621_801_002 })

interface Figures {
  appends: number
  /** Appends that were refused, because the log did not answer in time, and repeated. */
  refused: number
  /** Microseconds of time and of this process's CPU for all appends. */
  wall: number
  cpu: number
}

async function measure(log: EventLog, figures: Figures, count: number): Promise<void> {
  const end = figures.appends + count
  async function publish(): Promise<void> {
    while (figures.appends < end) {
      const topic = `price.${figures.appends++ % topicCount}`
      while (!(await append(log, topic))) figures.refused++
    }
  }
  const [startedAt, usage] = [performance.now(), process.cpuUsage()]
  await Promise.all(Array.from({ length: publishers }, publish))
  figures.wall += (performance.now() - startedAt) * 1_000
  const { user, system } = process.cpuUsage(usage)
  figures.cpu += user + system
}

/** Resolves with false after a moment when the log is away: on a busy machine, Redis may say nothing for two seconds. */
async function append(log: EventLog, topic: string): Promise<boolean> {
  try {
    await log.append(topic, [{ type: 'tick', data }])
    return true
  } catch (error) {
    if (!(error instanceof LogError) || error.code !== 'unavailable') throw error
    await sleep(100)
    return false
  }
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
  const open = async (run: string, retention: Retention): Promise<[EventLog, Figures]> => {
    const log = await openLog(address(run), retention)
    // The first appends of a process are slower than all others.
    await measure(log, noFigures(), warmUps)
    return [log, noFigures()]
  }
  const runs = { plain: await open('plain', others), latest: await open('latest', latest) }
  for (let slice = 0; slice < slices; slice++) {
    for (const [log, figures] of Object.values(runs)) {
      await measure(log, figures, (topicCount * updates) / slices)
    }
  }
  for (const [run, [log, { appends, refused, wall, cpu }]] of Object.entries(runs)) {
    const kept = await countKept(log)
    console.log(
      `${name} ${run}: ${(wall / appends).toFixed(1)} µs an append, ${(cpu / appends).toFixed(1)} µs of CPU, ${kept.toLocaleString('en')} events kept, ${refused} appends repeated`,
    )
    await log.close()
  }
  const ratio = runs.latest[1].wall / runs.plain[1].wall
  console.log(`${name}: ${ratio.toFixed(2)} times the cost of a plain append`)
}

function noFigures(): Figures {
  return { appends: 0, refused: 0, wall: 0, cpu: 0 }
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
  try {
    await compare('Redis', (name) => {
      const database = name === 'plain' ? 0 : 1
      const address = { host: '127.0.0.1', port: redis.port, tls: false, database }
      return { engine: 'redis', address }
    })
  } finally {
    // Otherwise a bench that fails would leave a server, which looks as if it had stopped halfway.
    await redis.stop()
  }
}

void main()
