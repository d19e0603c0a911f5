/** The two apps of Next: ours, and the route that blog posts show. */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { version } from 'next/package.json'
import { asPublisher } from '../../test/requests/publisher'
import { startServer } from '../../test/servers/start-server'
import type { BenchServer, RunningBenchServer } from './bench-server'
import { readEventLoopDelay } from './start-process'

const root = join(__dirname, '..', '..')

export const ours = nextApp('ours', {
  title: `next-sse, next start, SQLite (Next ${version})`,
  folder: root,
  replays: true,
})

export const plainRoute = nextApp('plain-route', {
  title: `plain route, one enqueue per subscriber, next start (Next ${version})`,
  folder: join(root, 'bench/peers/plain-route'),
  replays: false,
})

/** Another commit of this project, to compare with. */
export function otherCheckout(folder: string): BenchServer[] {
  return [nextApp('against', { title: `next-sse in ${folder}`, folder, replays: true })]
}

function nextApp(
  name: string,
  { folder, title, replays }: { folder: string; title: string; replays: boolean },
): BenchServer {
  return {
    name,
    title,
    common: true,
    publishes: 'batches',
    replays,
    greets: true,
    healthPath: replays ? '/health/live' : undefined,
    build: () => buildNextApp(folder),
    start: () => start(folder),
  }
}

export function buildNextApp(folder: string): void {
  const next = require.resolve('next/dist/bin/next', { paths: [folder] })
  execFileSync(process.execPath, [next, 'build'], {
    cwd: folder,
    env: { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function start(folder: string): Promise<RunningBenchServer> {
  const data = await mkdtemp(join(tmpdir(), 'next-sse-bench-'))
  const server = await startServer({
    app: folder,
    env: { EVENTS_URL: `file:${join(data, 'events.db')}`, MAX_STREAMS: '20000' },
  })
  const port = Number(new URL(server.url).port)
  return {
    pid: server.pid,
    port,
    headers: asPublisher,
    path: (topic) => `/events/${topic}`,
    replayPath: (topic) => `/events/${topic}?since=all`,
    eventLoopDelayMs: () => readEventLoopDelay(port),
    async stop() {
      await server.stop()
      await rm(data, { recursive: true, force: true })
    },
  }
}
