/** The servers of the part `runs`: ours on both logs, resumable-stream by both of its clients, and `res.write`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { version } from 'next/package.json'
import { startRedis } from '../../test/servers/start-redis'
import { startServer } from '../../test/servers/start-server'
import type { BenchServer, RunningBenchServer } from './bench-server'
import { buildNextApp } from './next-apps'
import { versionOf } from './node-servers'
import { readEventLoopDelay, startProcess } from './start-process'

const root = join(__dirname, '..', '..')
const oursPath = '/events/*?run=latest'

export const runServers: BenchServer[] = [
  ourRuns('ours', 'sqlite', root),
  ourRuns('ours-redis', 'redis', root),
  resumable('redis'),
  resumable('ioredis'),
  peer({
    name: 'plain',
    title: `node:http, res.write, nobody can join (Node ${process.versions.node})`,
    canJoin: false,
    start: () => startPeer('plain-runs', {}),
  }),
]

/** Another commit of this project, on both logs. */
export function otherRuns(folder: string): BenchServer[] {
  return [
    ourRuns('against', 'sqlite', folder),
    { ...ourRuns('against-redis', 'redis', folder), build: () => {} },
  ]
}

function peer(
  server: Pick<BenchServer, 'name' | 'title' | 'start'> & { canJoin: boolean },
): BenchServer {
  const { canJoin, ...rest } = server
  return { common: true, publishes: false, replays: canJoin, greets: false, ...rest }
}

function ourRuns(name: string, engine: 'sqlite' | 'redis', folder: string): BenchServer {
  const app = join(folder, 'bench/peers/runs')
  const of = folder === root ? 'next-sse' : `next-sse in ${folder}`
  const on = engine === 'sqlite' ? 'SQLite' : 'Redis'
  return peer({
    name,
    title: `${of}, next start, ${on} (Next ${version})`,
    canJoin: true,
    ...(engine === 'sqlite' && { build: () => buildNextApp(app) }),
    start: () => (engine === 'sqlite' ? startOnSqlite(app) : startOnRedis(app)),
  })
}

async function startOnSqlite(app: string): Promise<RunningBenchServer> {
  const data = await mkdtemp(join(tmpdir(), 'next-sse-bench-'))
  const server = await startOurs(app, `file:${join(data, 'events.db')}`)
  return {
    ...server,
    async stop() {
      await server.stop()
      await rm(data, { recursive: true, force: true })
    },
  }
}

async function startOnRedis(app: string): Promise<RunningBenchServer> {
  const redis = await startRedis()
  const server = await startOurs(app, redis.url)
  return {
    ...server,
    redisPid: redis.pid,
    async stop() {
      await server.stop()
      await redis.stop()
    },
  }
}

async function startOurs(app: string, url: string): Promise<RunningBenchServer> {
  const server = await startServer({
    app,
    env: { EVENTS_URL: url, MAX_STREAMS: '20000', PUBLIC_TOPICS: '*' },
  })
  const port = Number(new URL(server.url).port)
  // The first request goes through Next, and opens the front door for those that follow.
  await fetch(`${server.url}/events/none?run=latest`)
  return {
    pid: server.pid,
    port,
    headers: {},
    path: () => oursPath,
    replayPath: () => oursPath,
    eventLoopDelayMs: () => readEventLoopDelay(port),
    stop: server.stop,
  }
}

function resumable(client: 'redis' | 'ioredis'): BenchServer {
  const versions = `${versionOf('resumable-stream')} with ${client} ${versionOf(client)}`
  return peer({
    name: `resumable-${client}`,
    title: `resumable-stream ${versions}, node:http`,
    canJoin: true,
    async start() {
      const redis = await startRedis()
      const server = await startPeer('resumable', { REDIS_URL: redis.url, REDIS_CLIENT: client })
      return {
        ...server,
        redisPid: redis.pid,
        async stop() {
          await server.stop()
          await redis.stop()
        },
      }
    },
  })
}

async function startPeer(name: string, env: Record<string, string>): Promise<RunningBenchServer> {
  const file = join(root, 'bench/peers', `${name}.ts`)
  const server = await startProcess({
    command: process.execPath,
    args: () => ['--import', 'tsx', file],
    env,
  })
  return { ...server, path: () => '/*', replayPath: () => '/*' }
}
