/**
 * 1,000 tabs with `LiveRefresh` on one production server, while 10 events a second are published: how many renders that makes, of one tab
 * and of all, and how soon every tab shows the last event. A tab is an event stream and the real schedule of the refreshes; a refresh is
 * the request of `router.refresh()`, as a Chromium has sent it at the beginning. The page is `/orders`. Takes about a minute.
 *
 * npx next build && npx tsx bench/live-refresh.ts [--tabs 1000] [--seconds 20]
 */
import { Agent, get, request, type OutgoingHttpHeaders } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createParser } from 'eventsource-parser'
import { chromium } from 'playwright'
import { createRefreshSchedule } from '@/client/refresh-schedule'
import { isReservedType } from '@/protocol/control-events'
import { findBrowser } from '../test/programs/find-browser'
import { accessEnv, asPublisher } from '../test/requests/publisher'
import { startServer } from '../test/servers/start-server'
import { usageOf } from './usage'

const { values } = parseArgs({
  options: {
    tabs: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
  },
})
const [tabCount, seconds] = [Number(values.tabs), Number(values.seconds)]
const publishEveryMs = 100
const opensAtOnce = 50
const settleMs = 30_000
const agent = new Agent({ keepAlive: true, maxSockets: Infinity })
let isOver = false

interface RefreshRequest {
  path: string
  headers: Record<string, string>
}

interface Tab {
  /** How many refreshes have begun. */
  starts: number
  underWay: number
  mostUnderWay: number
  failed: number
  /** The newest order that it has rendered. */
  shown: number
  close: () => void
}

async function main(): Promise<void> {
  // The schedule asks the page whether it is hidden. These tabs are seen.
  const page = { hidden: false, addEventListener() {}, removeEventListener() {} }
  Object.assign(globalThis, { document: page })
  const folder = await mkdtemp(join(tmpdir(), 'next-sse-bench-'))
  const server = await startServer({
    env: {
      ...accessEnv,
      EVENTS_URL: `file:${folder}/events.db`,
      APP_DATABASE: join(folder, 'app.db'),
    },
  })
  const tabs: Tab[] = []
  try {
    await publishOrder(server.url, 0)
    const refreshRequest = await recordRefresh(server.url)
    while (tabs.length < tabCount) {
      const next = Array.from({ length: Math.min(opensAtOnce, tabCount - tabs.length) }, () =>
        openTab(server.url, refreshRequest),
      )
      tabs.push(...(await Promise.all(next)))
    }
    await sleep(2_000)
    for (const tab of tabs) tab.starts = 0
    const before = usageOf(server.pid)

    const answers = watchHealth(server.url)
    const startedAt = performance.now()
    let newest = 0
    const publishing: Promise<void>[] = []
    while (performance.now() - startedAt < seconds * 1_000) {
      publishing.push(publishOrder(server.url, ++newest))
      await sleep(Math.max(0, startedAt + newest * publishEveryMs - performance.now()))
    }
    await Promise.all(publishing)
    const endedAt = performance.now()
    // Those that were on their way together may have arrived in any order.
    await publishOrder(server.url, ++newest)
    const renders = tabs.map(({ starts }) => starts)
    const after = usageOf(server.pid)
    await until(() => tabs.every(({ shown }) => shown === newest), settleMs)
    const behind = tabs.filter(({ shown }) => shown !== newest).length
    const lastShownMs = performance.now() - endedAt

    const took = (endedAt - startedAt) / 1_000
    const all = renders.reduce((sum, count) => sum + count, 0)
    console.log(
      `Node ${process.version}, ${cpus()[0]?.model}, load of the machine ${loadavg()[0]?.toFixed(1)}`,
    )
    console.table({
      'events published a second': (publishing.length / took).toFixed(1),
      'renders a second, all tabs': (all / took).toFixed(0),
      'renders a second, one tab: mean': (all / took / tabCount).toFixed(2),
      'renders a second, one tab: most': (Math.max(...renders) / took).toFixed(2),
      'most refreshes of a tab under way at once': Math.max(
        ...tabs.map(({ mostUnderWay }) => mostUnderWay),
      ),
      'refreshes that failed': tabs.reduce((sum, { failed }) => sum + failed, 0),
      'tabs that show the last event': `${tabCount - behind}, after ${(lastShownMs / 1_000).toFixed(1)} s`,
      'server CPU for a render, ms': ((after.cpuMs - before.cpuMs) / all).toFixed(1),
      'server memory, MiB': Math.round(after.bytes / 1_048_576),
      'slowest answer of a health check, ms': Math.max(...answers.stop()).toFixed(0),
    })
  } finally {
    isOver = true
    for (const tab of tabs) tab.close()
    agent.destroy()
    await server.stop()
    await rm(folder, { recursive: true })
  }
}

/** What a browser asks for when the page is refreshed. */
async function recordRefresh(url: string): Promise<RefreshRequest> {
  const browser = await chromium.launch({
    executablePath: findBrowser(),
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  })
  try {
    const page = await browser.newPage()
    const streamed = page.waitForResponse((response) => response.url().includes('/events/orders'))
    await page.goto(`${url}/orders`)
    await streamed
    // Links to other pages are prefetched meanwhile.
    const refreshed = page.waitForRequest(
      (asked) => 'rsc' in asked.headers() && new URL(asked.url()).pathname === '/orders',
    )
    await publishOrder(url, 0)
    const sent = await refreshed
    const { pathname, search } = new URL(sent.url())
    const names = Object.entries(sent.headers()).filter(([name]) => /^(?:rsc|next-)/.test(name))
    return { path: pathname + search, headers: Object.fromEntries(names) }
  } finally {
    await browser.close()
  }
}

/** Resolves when its stream is open. */
function openTab(url: string, refreshRequest: RefreshRequest): Promise<Tab> {
  const schedule = createRefreshSchedule()
  const tab: Tab = {
    starts: 0,
    underWay: 0,
    mostUnderWay: 0,
    failed: 0,
    shown: 0,
    close: () => {},
  }
  const part = schedule.add({ key: 'route', isReady: () => true, refresh })

  async function refresh(): Promise<void> {
    tab.starts++
    tab.mostUnderWay = Math.max(tab.mostUnderWay, ++tab.underWay)
    try {
      const { status, text } = await ask(url + refreshRequest.path, refreshRequest)
      if (status !== 200) throw new Error(`A refresh was answered ${status}.`)
      tab.shown = newestIn(text)
    } catch {
      tab.failed++
    } finally {
      tab.underWay--
    }
  }

  return new Promise((resolve, reject) => {
    const parser = createParser({
      onEvent({ event = 'message' }) {
        if (event === 'connected') resolve(tab)
        if (!isReservedType(event)) part.mark()
      },
    })
    const stream = get(`${url}/events/orders`, { agent }, (response) => {
      if (response.statusCode !== 200)
        reject(new Error(`A stream was answered ${response.statusCode}.`))
      response.setEncoding('utf8').on('data', (text: string) => parser.feed(text))
    })
    stream.on('error', reject)
    tab.close = () => {
      part.remove()
      stream.destroy()
    }
  })
}

interface Answer {
  status: number
  text: string
}

interface Request {
  headers?: OutgoingHttpHeaders
  /** Makes it a POST. */
  body?: string | undefined
}

function ask(url: string, { headers = {}, body }: Request = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST'
    const asking = request(url, { agent, headers, method }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      response.on('error', reject)
    })
    asking.on('error', (error) => {
      // The server has closed a connection that was idle for too long. A browser asks again, too.
      if (asking.reusedSocket && !isOver) resolve(ask(url, { headers, body }))
      else reject(error)
    })
    asking.end(body)
  })
}

/** Each order has its number in its price, which nothing else in the page looks like. */
const firstCents = 7_000_000

async function publishOrder(url: string, n: number): Promise<void> {
  const order = { id: n + 1, item: 'tea', quantity: 1, cents: firstCents + n, placedAt: Date.now() }
  const { status } = await ask(`${url}/events/orders?type=order.placed`, {
    headers: { ...asPublisher, 'content-type': 'application/json' },
    body: JSON.stringify(order),
  })
  if (status !== 201) throw new Error(`Publishing was answered ${status}.`)
}

function newestIn(text: string): number {
  return Math.max(
    0,
    ...[...text.matchAll(/700\d{4}/g)].map(([cents]) => Number(cents) - firstCents),
  )
}

/** Asks once a second. `stop` returns how long each answer took, in milliseconds. */
function watchHealth(url: string): { stop: () => number[] } {
  const took: number[] = []
  const timer = setInterval(() => {
    const askedAt = performance.now()
    ask(`${url}/health/live`)
      .then(() => took.push(performance.now() - askedAt))
      .catch(() => took.push(Infinity))
  }, 1_000)
  return {
    stop() {
      clearInterval(timer)
      return took
    },
  }
}

async function until(isTrue: () => boolean, timeoutMs: number): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs
  while (!isTrue() && performance.now() < giveUpAt) await sleep(20)
}

void main()
