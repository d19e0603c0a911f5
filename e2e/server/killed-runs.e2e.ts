/** Runs whose servers are killed, and that are stopped from another server. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test as base } from 'playwright/test'
import { createStreamReader, type ReadEvent } from '../../test/readers/stream-reader'
import { freePort } from '../../test/servers/free-port'
import { findServer } from '../../test/programs/find-server'
import { startRedis } from '../../test/servers/start-redis'

interface RunServer {
  url: string
  /** `kill -9`. */
  kill: () => Promise<void>
  restart: () => Promise<void>
}

interface Fixtures {
  /** Where the servers of a test keep their events. */
  eventsUrl: (engine: 'SQLite' | 'Redis') => Promise<string>
  startRunServer: (eventsUrl: string) => Promise<RunServer>
}

const test = base.extend<Fixtures>({
  eventsUrl: async ({}, use, testInfo) => {
    const folder = await mkdtemp(join(tmpdir(), 'next-sse-'))
    let stop: (() => Promise<void>) | undefined
    await use(async (engine) => {
      if (engine === 'SQLite') return `file:${folder}/events.db`
      testInfo.skip(!findServer('redis'), 'There is no Redis server.')
      const redis = await startRedis(['appendonly yes', 'appendfsync always'])
      ;({ stop } = redis)
      return redis.url
    })
    await stop?.()
    await rm(folder, { recursive: true })
  },
  startRunServer: async ({}, use) => {
    const servers: RunServer[] = []
    await use(async (address) => {
      const server = await spawnRunServer(address)
      servers.push(server)
      return server
    })
    await Promise.all(servers.map((server) => server.kill()))
  },
})

async function spawnRunServer(eventsUrl: string): Promise<RunServer> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const env = { ...process.env, PORT: String(port), EVENTS_URL: eventsUrl, RETRY: '100ms' }
  let child: ChildProcess

  async function start(): Promise<void> {
    const args = ['--import', 'tsx', 'test/servers/run-server.ts']
    // The journal tells of the runs that fail as they should.
    child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
    for (;;) {
      const isUp = await fetch(url).then(
        () => true,
        () => false,
      )
      if (isUp) return
      if (child.exitCode !== null) throw new Error('The server has ended.')
      await sleep(50)
    }
  }

  await start()
  return {
    url,
    restart: start,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

async function post(url: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(url, { method: 'POST' })
  return { status: answer.status, text: await answer.text() }
}

/** Reads a run until it has ended, from whichever server answers. */
async function watch(urls: readonly string[], topic: string, run: string): Promise<ReadEvent[]> {
  const reader = createStreamReader()
  for (let n = 0; !reader.events.some(({ type }) => type === 'end'); n++) {
    await reader.connect(`${urls[n % urls.length]}/events/${topic}?run=${run}`).catch(() => {})
    await sleep(50)
  }
  return reader.events.filter(({ type }) => !controls.has(type))
}

const controls = new Set(['connected', 'run.state', 'ping', 'reconnect', 'end'])

interface Watched {
  kind: string
  events: ReadEvent[]
  /** The values whose publisher was told that they are kept. */
  acknowledged: number[]
}

/** What went wrong, for every watcher: nothing. */
function faultOf({ kind, events, acknowledged }: Watched): string | undefined {
  const types = events.map(({ type }) => type)
  if (types[0] !== 'run.begin') return `began with ${types[0]}`
  if (types.filter((type) => type === 'run.end').length !== 1) return 'did not end exactly once'
  if (types.at(-1) !== 'run.end') return `ended with ${types.at(-1)}`
  if (types.includes('resync')) return 'lost events'
  const values = events.filter(({ type }) => type === 'message').map(({ data }) => Number(data))
  const wrong = values.findIndex((value, index) => value !== index + 1)
  if (wrong !== -1) return `has ${values[wrong]} as value ${wrong + 1}`
  const lacking = acknowledged.find((value) => !values.includes(value))
  if (lacking !== undefined) return `lacks ${lacking}, which was acknowledged`
  const { status } = JSON.parse(events.at(-1)?.data ?? '{}') as { status?: string }
  const expected = statusesOf[kind] ?? []
  return expected.includes(status ?? '') ? undefined : `of kind ${kind} ended as ${status}`
}

const statusesOf: Record<string, string[]> = {
  short: ['done', 'lost'],
  failing: ['failed', 'lost'],
  long: ['lost', 'stopped'],
  stopped: ['lost', 'stopped'],
  foreign: ['done', 'lost'],
}

/** A producer of its own, in another program. It gives up when it is told that the run has ended. */
async function produce(urls: readonly string[], topic: string, run: string): Promise<number[]> {
  const acknowledged: number[] = []
  const path = `/events/${topic}?run=${run}`
  let at = 0
  const ask = async (query: string, body = ''): Promise<number> => {
    for (;;) {
      try {
        const url = `${urls[at++ % urls.length]}${path}${query}`
        const headers = body === '' ? {} : { 'Idempotency-Key': `${run} ${body}` }
        const { status } = await fetch(url, { method: 'POST', body, headers })
        if (status < 500) return status
      } catch {
        // The server is away, and comes back.
      }
      await sleep(100)
    }
  }
  for (let n = 1; n <= 100; n++) {
    if ((await ask('', String(n))) !== 201) return acknowledged
    acknowledged.push(n)
    await sleep(20)
  }
  await ask('&op=end')
  return acknowledged
}

/** Begins fifty runs, kills one of the servers, starts it again, and resolves with what their watchers saw. */
async function round(number: number, servers: readonly RunServer[]): Promise<Watched[]> {
  const urls = servers.map(({ url }) => url)
  const names = ['short', 'failing', 'long', 'stopped', 'foreign']
  const begun = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const kind = names[index % names.length] ?? ''
      const topic = `runs.${number}.${index}`
      const url = urls[index % urls.length] ?? ''
      if (kind === 'foreign') {
        const id = `foreign-${number}-${index}`
        await post(`${url}/events/${topic}?run=${id}&op=begin`)
        return { kind, topic, id }
      }
      const source = kind === 'stopped' ? 'long' : kind
      const { text: id } = await post(`${url}/start?topic=${topic}&kind=${source}`)
      return { kind, topic, id }
    }),
  )
  const watching = begun.map(async ({ kind, topic, id }) => {
    const producing = kind === 'foreign' ? produce(urls, topic, id) : []
    const events = await watch(urls, topic, id)
    return { kind, events, acknowledged: await producing }
  })

  const killAfterMs = 200 + 2_000 * Math.random()
  await sleep(killAfterMs / 2)
  const stopping = begun.filter(({ kind }) => kind === 'stopped')
  await Promise.all(
    stopping.map(({ topic }) => post(`${urls[0]}/events/${topic}?run=latest&op=stop`)),
  )
  await sleep(killAfterMs / 2)
  await servers[0]?.kill()
  await sleep(500)
  await servers[0]?.restart()
  // Where the other server lives on, its endless runs do, too.
  const isOver = Promise.all(watching)
  await sleep(5_000)
  const endless = begun.filter(({ kind }) => kind === 'long')
  if (servers.length > 1) {
    await sleep(25_000)
    await Promise.all(
      endless.map(({ topic }) => post(`${urls[1]}/events/${topic}?run=latest&op=stop`)),
    )
  }
  return await isOver
}

for (const engine of ['SQLite', 'Redis'] as const) {
  test(
    `On ${engine}, every run ends once for every watcher, and no value is lost or doubled, when a server is killed`,
    { tag: '@soak-only' },
    async ({ startRunServer, eventsUrl }) => {
      test.setTimeout(1_200_000)
      const url = await eventsUrl(engine)
      const servers = [await startRunServer(url)]
      if (engine === 'Redis') servers.push(await startRunServer(url))

      for (let number = 1; number <= 10; number++) {
        const watched = await round(number, servers)

        const faults = watched.flatMap((each) => faultOf(each) ?? [])
        expect(faults, `round ${number}`).toEqual([])
        const statuses = watched.map(({ events }) => statusOf(events))
        console.log(engine, number, countsOf(statuses))
        expect(statuses).toContain('lost')
      }
    },
  )

  test(
    `On ${engine}, a run is stopped from another server within a second, after what it stores`,
    { tag: '@soak-only' },
    async ({ startRunServer, eventsUrl }) => {
      const url = await eventsUrl(engine)
      const [own, other] = [await startRunServer(url), await startRunServer(url)]
      const { text: run } = await post(`${own.url}/start?topic=work&kind=long`)
      const watching = watch([other.url], 'work', run)
      await sleep(300)

      const askedAt = performance.now()
      const { status } = await post(`${other.url}/events/work?run=${run}&op=stop`)
      const events = await watching
      const tookMs = performance.now() - askedAt

      expect(status).toBe(202)
      expect(tookMs).toBeLessThan(1_000)
      const types = events.map(({ type }) => type)
      expect(types.slice(-2)).toEqual(['stored', 'run.end'])
      expect(types.filter((type) => type === 'run.stop')).toHaveLength(1)
      expect(JSON.parse(events.at(-1)?.data ?? '')).toEqual({ run, status: 'stopped' })
    },
  )
}

function statusOf(events: readonly ReadEvent[]): string {
  return (JSON.parse(events.at(-1)?.data ?? '{}') as { status: string }).status
}

function countsOf(statuses: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
