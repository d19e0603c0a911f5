/**
 * A page with 100 preloaded events, beside the same page with the array of them written in it and no stream, in a real Chromium: how large
 * the HTML is, when the events are painted, and when they are hydrated. Visits alternate between the two.
 *
 * npx tsx bench/first-paint.ts [visits]
 */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { chromium, type Browser } from 'playwright'
import { findBrowser } from '../test/programs/find-browser'
import { accessEnv, asPublisher } from '../test/requests/publisher'
import { startServer } from '../test/servers/start-server'

const app = join(__dirname, '..', 'test/apps/first-paint')
const visits = Number(process.argv[2] ?? 20)
const pages = ['preloaded', 'written'] as const

interface Visit {
  'HTML, bytes': number
  'HTML gzipped, bytes': number
  'first paint, ms': number
  'hydrated, ms': number
}

async function main(): Promise<void> {
  execFileSync(process.execPath, [require.resolve('next/dist/bin/next'), 'build'], {
    cwd: app,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const folder = await mkdtemp(join(tmpdir(), 'next-sse-bench-'))
  const env = { ...accessEnv, EVENTS_URL: `file:${folder}/events.db` }
  const server = await startServer({ app, env })
  const browser = await chromium.launch({
    executablePath: findBrowser(),
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  })
  try {
    await publishOrders(server.url)
    const all: Record<(typeof pages)[number], Visit[]> = { preloaded: [], written: [] }
    // The first visit of each warms the server up.
    for (let visit = 0; visit <= visits; visit++) {
      for (const page of pages) {
        const seen = await visitPage(browser, `${server.url}/${page}`)
        if (visit > 0) all[page].push(seen)
      }
    }
    console.log(
      `Medians of ${visits} visits. Node ${process.version}, Chromium ${browser.version()}, ${cpus()[0]?.model}`,
    )
    console.table(Object.fromEntries(pages.map((page) => [page, medianOf(all[page])])))
  } finally {
    await browser.close()
    await server.stop()
    await rm(folder, { recursive: true })
  }
}

/** Opens the page in a new profile, so that nothing is cached. */
async function visitPage(browser: Browser, url: string): Promise<Visit> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const response = await page.goto(url)
  await page.locator('li').nth(99).waitFor()
  await page.waitForFunction(
    () =>
      performance.getEntriesByName('hydrated').length > 0 &&
      performance.getEntriesByName('first-contentful-paint').length > 0,
  )
  const [painted, hydrated] = await page.evaluate(() =>
    ['first-contentful-paint', 'hydrated'].map(
      (name) => performance.getEntriesByName(name)[0]?.startTime ?? NaN,
    ),
  )
  const html = (await response?.body()) ?? Buffer.alloc(0)
  await context.close()
  return {
    'HTML, bytes': html.length,
    'HTML gzipped, bytes': gzipSync(html).length,
    'first paint, ms': painted ?? NaN,
    'hydrated, ms': hydrated ?? NaN,
  }
}

function medianOf(seen: readonly Visit[]): Visit {
  const [first] = seen
  if (!first) throw new Error('There was no visit.')
  const median = (name: keyof Visit): number => {
    const values = seen.map((visit) => visit[name]).toSorted((a, b) => a - b)
    return Math.round(values[Math.floor(values.length / 2)] ?? NaN)
  }
  const names = Object.keys(first) as (keyof Visit)[]
  return Object.fromEntries(names.map((name) => [name, median(name)])) as unknown as Visit
}

async function publishOrders(url: string): Promise<void> {
  const orders = Array.from({ length: 100 }, (_, n) =>
    JSON.stringify({ id: `ord_${n}`, amount: 4_200 + n, currency: 'EUR', customer: `cus_${n}` }),
  )
  const response = await fetch(`${url}/events/orders?type=order.paid`, {
    method: 'POST',
    headers: { ...asPublisher, 'content-type': 'application/x-ndjson' },
    body: orders.join('\n'),
  })
  if (response.status !== 201) throw new Error(`publishing answered ${response.status}`)
}

void main()
