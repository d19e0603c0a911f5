/**
 * What a schema costs a publisher: POSTs checked by a Zod schema of ten fields, beside the same POSTs to a route that takes anything, in
 * the same server, in turns.
 *
 * npx tsx bench/schemas.ts
 */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asPublisher } from '../test/requests/publisher'
import { startServer, type RunningServer } from '../test/servers/start-server'
import { createPublishers } from './load/publishers'
import { usageOf } from './usage'

const app = join(__dirname, 'peers', 'schemas')
const rounds = 5
const warmUpMs = 3_000
const measuredMs = 5_000
const parallel = 16

const body = JSON.stringify({
  id: '0b9b3c5e-7d0c-4c1f-9a57-1f0c6a2d3e4f',
  customer: 'Ana Example',
  email: 'ana@example.com',
  amount: 4_200,
  currency: 'EUR',
  paid: true,
  at: '2026-01-02T03:04:05.678Z',
  note: 'Please ring twice.',
  tags: ['new', 'web'],
  lines: [
    { sku: 'chair', count: 2, price: 1_100 },
    { sku: 'table', count: 1, price: 2_000 },
  ],
})

interface Figures {
  'POSTs/s': number
  'CPU, µs/POST': number
}

async function main(): Promise<void> {
  const next = require.resolve('next/dist/bin/next')
  execFileSync(process.execPath, [next, 'build'], {
    cwd: app,
    env: { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const folder = await mkdtemp(join(tmpdir(), 'next-sse-bench-'))
  const server = await startServer({ app, env: { EVENTS_URL: `file:${folder}/events.db` } })
  try {
    for (const path of ['events', 'checked']) await measure(server, path, warmUpMs)
    const measured: Record<string, Figures[]> = { events: [], checked: [] }
    for (let round = 0; round < rounds; round++) {
      for (const path of ['events', 'checked']) {
        measured[path]?.push(await measure(server, path, measuredMs))
      }
    }
    const anything = medianOf(measured['events'] ?? [])
    const checked = medianOf(measured['checked'] ?? [])
    const share = Math.round((100 * checked['POSTs/s']) / anything['POSTs/s'])
    console.log(`Node ${process.version}, ${body.length} bytes, ${parallel} POSTs at a time`)
    console.table({ unchecked: anything, checked })
    console.log(`Checked: ${share} % of the unchecked POSTs.`)
  } finally {
    await server.stop()
    await rm(folder, { recursive: true })
  }
}

/** Sends POSTs for so long, each connection the next when the last was answered. */
async function measure({ url, pid }: RunningServer, path: string, forMs: number): Promise<Figures> {
  const publishers = createPublishers({
    port: Number(new URL(url).port),
    path: `/${path}/bench`,
    headers: asPublisher,
    createData: () => body,
  })
  const before = usageOf(pid).cpuMs
  const startedAt = performance.now()
  const sendOn = async (): Promise<void> => {
    while (performance.now() - startedAt < forMs) await publishers.publish(1)
  }
  await Promise.all(Array.from({ length: parallel }, sendOn))
  const seconds = (performance.now() - startedAt) / 1_000
  const published = publishers.published()
  return {
    'POSTs/s': Math.round(published / seconds),
    'CPU, µs/POST': Math.round(((usageOf(pid).cpuMs - before) * 1_000) / published),
  }
}

function medianOf(figures: readonly Figures[]): Figures {
  const median = (name: keyof Figures): number =>
    figures.map((each) => each[name]).toSorted((a, b) => a - b)[figures.length >> 1] ?? NaN
  return { 'POSTs/s': median('POSTs/s'), 'CPU, µs/POST': median('CPU, µs/POST') }
}

void main()
