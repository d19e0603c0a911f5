/**
 * Sustained fan-out: 1,000 subscribers of one topic, 400 events a second of 100 bytes, each published by a POST of its own. Beside it, in
 * the same run, the same app with its flush taken out: every append wakes every stream, for one event at a time.
 *
 * npx tsx bench/sustained.ts
 */
import { setMaxListeners } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { Agent, get, request } from 'node:http'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { asPublisher } from '../e2e/support/publisher'
import { startServer } from '../e2e/support/start-server'

const subscribers = 1_000
const eventsPerSecond = 400
const eventBytes = 100
const warmUpMs = 12_000
const measureMs = 10_000
const root = join(__dirname, '..')

interface Figures {
  deliveriesPerSecond: number
  published: number
  p50Ms: number
  p99Ms: number
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'next-sse-bench-'))
  try {
    console.log('Building the app …')
    build(root)
    console.log('Building a copy without the paced flush …')
    const copy = join(folder, 'app')
    await copyWithoutFlush(copy)
    build(copy)

    const paced = await measure('paced flush', root, join(folder, 'paced.db'))
    const plain = await measure('every append', copy, join(folder, 'plain.db'))

    const ratio = paced.deliveriesPerSecond / plain.deliveriesPerSecond
    console.log(`\nNode ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}`)
    console.log(
      `${subscribers} subscribers, ${eventsPerSecond} events/s of ${eventBytes} bytes offered`,
    )
    console.table({
      'paced flush': rounded(paced),
      'every append wakes every stream': rounded(plain),
    })
    console.log(`ratio: ${ratio.toFixed(1)}`)
  } finally {
    await rm(folder, { recursive: true })
  }
}

function build(folder: string): void {
  execFileSync(
    process.execPath,
    [join(folder, 'node_modules', 'next', 'dist', 'bin', 'next'), 'build'],
    {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
}

/** The app as it is, but for two things: an append flushes at once, and a chunk holds one event. */
async function copyWithoutFlush(copy: string): Promise<void> {
  const left = new Set(['.git', '.next', '.data', 'test-results'].map((name) => join(root, name)))
  await cp(root, copy, { recursive: true, filter: (path) => !left.has(path) })
  await cp(join(__dirname, 'unpaced-flush.ts'), join(copy, 'hub', 'unpaced-flush.ts'))
  await replaceIn(
    join(copy, 'hub', 'hub.ts'),
    "import { createPacedFlush, type Slices } from './paced-flush'",
    "import type { Slices } from './paced-flush'\nimport { createUnpacedFlush as createPacedFlush } from './unpaced-flush'",
  )
  await replaceIn(
    join(copy, 'http', 'stream-response.ts'),
    'const maxChunkBytes = 256 * 1024',
    'const maxChunkBytes = 1',
  )
}

async function replaceIn(file: string, text: string, replacement: string): Promise<void> {
  const source = await readFile(file, 'utf8')
  if (!source.includes(text)) throw new Error(`${file} has changed: look for ${text}`)
  await writeFile(file, source.replace(text, replacement))
}

async function measure(name: string, app: string, file: string): Promise<Figures> {
  console.log(`Measuring: ${name} …`)
  const server = await startServer({ app, env: { EVENTS_URL: `file:${file}` } })
  const leaving = new AbortController()
  const { signal } = leaving
  setMaxListeners(0, signal)
  try {
    let deliveries = 0
    const latenciesMs: number[] = []
    const count = (chunk: Buffer): void => {
      for (let at = chunk.indexOf('\n\n'); at !== -1; at = chunk.indexOf('\n\n', at + 2))
        deliveries++
      // The newest event of a chunk is its freshest; the oldest tells how long a reader had to wait.
      const sentAt = /at:(\d+)/.exec(chunk.toString('latin1', 0, 200))?.[1]
      if (sentAt !== undefined) latenciesMs.push(Date.now() - Number(sentAt))
    }
    await Promise.all(
      Array.from({ length: subscribers }, () =>
        subscribe(`${server.url}/events/bench`, count, signal),
      ),
    )
    const publishing = publishSteadily(`${server.url}/events/bench`, signal)
    await sleep(warmUpMs)
    deliveries = 0
    latenciesMs.length = 0
    const publishedBefore = publishing.count()
    const startedAt = performance.now()
    await sleep(measureMs)
    const seconds = (performance.now() - startedAt) / 1_000
    latenciesMs.sort((a, b) => a - b)
    const quantile = (q: number): number => latenciesMs[Math.floor(latenciesMs.length * q)] ?? NaN
    return {
      deliveriesPerSecond: deliveries / seconds,
      published: (publishing.count() - publishedBefore) / seconds,
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
    }
  } finally {
    leaving.abort()
    await server.stop()
  }
}

/** Resolves when the stream is open. */
function subscribe(
  url: string,
  onData: (chunk: Buffer) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = get(url, { agent: false, signal }, (response) => {
      response.once('data', () => {
        resolve()
        response.on('data', onData)
      })
      response.on('error', () => {})
    })
    stream.on('error', reject)
  })
}

/** One POST for each event, at its time, whether or not the ones before were answered; what can't be kept up with is not made up for. */
function publishSteadily(url: string, signal: AbortSignal): { count: () => number } {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  let due = 0
  let answered = 0
  let underWay = 0
  const startedAt = performance.now()
  const timer = setInterval(() => {
    const target = ((performance.now() - startedAt) / 1_000) * eventsPerSecond
    for (; due < target; due++) {
      if (underWay >= 1_000) continue
      underWay++
      const data = `at:${Date.now()} `.padEnd(eventBytes, 'x')
      const post = request(
        url,
        { method: 'POST', headers: asPublisher, agent, signal },
        (response) => {
          response.resume()
          response.once('end', () => answered++)
          response.on('error', () => {})
        },
      )
      post.once('close', () => underWay--)
      post.on('error', () => {})
      post.end(data)
    }
  }, 2)
  signal.addEventListener('abort', () => {
    clearInterval(timer)
    agent.destroy()
  })
  return { count: () => answered }
}

function rounded(figures: Figures): Record<string, number> {
  return {
    'deliveries/s': Math.round(figures.deliveriesPerSecond),
    'published/s': Math.round(figures.published),
    'p50 ms': Math.round(figures.p50Ms),
    'p99 ms': Math.round(figures.p99Ms),
  }
}

void main()
