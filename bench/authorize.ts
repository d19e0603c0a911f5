/**
 * What an app's own `authorize` costs, beside the check of a token: to open a stream, and to ask again while 10,000 are open. The server
 * is the front door's code without Next around it.
 *
 * npx tsx bench/authorize.ts [--streams 10000]
 */
import { spawn } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { accessEnv, asPublisher } from '../test/requests/publisher'
import { usageOf } from './usage'

const { values } = parseArgs({ options: { streams: { type: 'string', default: '10000' } } })

/** How long a right lasts at that server, and how long is measured. */
const recheckMs = 60_000

const kinds = {
  tokens: 'a token',
  own: '`authorize`, and coming back',
  confirmed: '`authorize`, and `revalidate`',
}
type Kind = keyof typeof kinds

interface AccessServer {
  pid: number
  port: number
  stop: () => void
}

async function start(kind: Kind): Promise<AccessServer> {
  const env = { ...process.env, ...accessEnv, PUBLIC_TOPICS: '', EVENTS_URL: 'memory:' }
  const program = join(__dirname, 'servers/access-server.ts')
  const server = spawn(process.execPath, ['--import', 'tsx', program, kind], {
    env: { ...env, MAX_STREAMS: '20000', NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = await new Promise<number>((resolve) => {
    server.stdout.on('data', (text: Buffer) => {
      const [, said] = /^port (\d+)/m.exec(text.toString()) ?? []
      if (said !== undefined) resolve(Number(said))
    })
  })
  return { pid: server.pid ?? 0, port, stop: () => server.kill('SIGKILL') }
}

/** Readers that come back when they are asked to, as a browser does. */
function createReaders(port: number): {
  open: (count: number, parallel: number) => Promise<void>
  /** How often a reader has come back. */
  returns: () => number
  leave: () => void
} {
  const sockets = new Set<Socket>()
  let returns = 0
  let hasLeft = false
  const head = `GET /events/news HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${asPublisher.authorization}\r\n\r\n`

  function openOne(): Promise<void> {
    return new Promise((resolve, reject) => {
      let waitMs: number | undefined
      const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(head))
      sockets.add(socket)
      socket.setEncoding('latin1')
      socket.on('data', (text: string) => {
        if (text.includes('event: connected')) resolve()
        const [, retryMs] = /event: reconnect\nretry: (\d+)/.exec(text) ?? []
        if (retryMs !== undefined) waitMs = Number(retryMs)
      })
      socket.on('error', reject)
      socket.on('close', () => {
        sockets.delete(socket)
        if (hasLeft) return
        if (waitMs === undefined) reject(new Error(`A stream broke.`))
        else void comeBack(waitMs)
      })
    })
  }

  async function comeBack(waitMs: number): Promise<void> {
    await sleep(waitMs)
    if (hasLeft) return
    returns++
    await openOne()
  }

  return {
    async open(count, parallel) {
      let left = count
      await Promise.all(
        Array.from({ length: parallel }, async () => {
          while (left-- > 0) await openOne()
        }),
      )
    },
    returns: () => returns,
    leave() {
      hasLeft = true
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Processor time to open a stream, in milliseconds. */
async function costOfOpening(kind: Kind): Promise<number> {
  const server = await start(kind)
  const readers = createReaders(server.port)
  await readers.open(1_000, 1)
  const before = usageOf(server.pid)
  await readers.open(3_000, 1)
  const { cpuMs } = usageOf(server.pid)
  readers.leave()
  server.stop()
  return rounded((cpuMs - before.cpuMs) / 3_000)
}

/** What open streams take in a minute, once each has been asked about again. */
async function costOfRechecks(kind: Kind, streams: number): Promise<object> {
  const server = await start(kind)
  const startedAt = performance.now()
  const readers = createReaders(server.port)
  await readers.open(streams, 50)
  await sleep(recheckMs - (performance.now() - startedAt))
  const before = usageOf(server.pid)
  const returned = readers.returns()
  await sleep(recheckMs)
  const after = usageOf(server.pid)
  const figures = {
    'CPU, % of a core': rounded(((after.cpuMs - before.cpuMs) / recheckMs) * 100),
    'came back': readers.returns() - returned,
    'memory, MiB': Math.round(after.bytes / 2 ** 20),
  }
  readers.leave()
  server.stop()
  return figures
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}

async function main(): Promise<void> {
  const streams = Number(values.streams)
  console.log(`Load of the machine before: ${loadavg().map(rounded).join(', ')}`)

  const opening: Record<string, number[]> = { [kinds.tokens]: [], [kinds.own]: [] }
  for (let run = 0; run < 3; run++) {
    for (const kind of ['tokens', 'own'] as const) {
      opening[kinds[kind]]?.push(await costOfOpening(kind))
    }
  }
  console.log('CPU to open a stream, ms, in three runs by turns')
  console.table(opening)

  const rows: Record<string, object> = {}
  for (const kind of ['tokens', 'own', 'confirmed'] as const) {
    rows[kinds[kind]] = await costOfRechecks(kind, streams)
  }
  console.log(
    `${streams} silent streams in a minute; with \`authorize\`, each is rechecked every 60 s`,
  )
  console.table(rows)
  console.log(`Load of the machine after: ${loadavg().map(rounded).join(', ')}`)
}

void main()
