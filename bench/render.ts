/**
 * The live page under load, in a real Chromium on a real stream: 5,000 events a second for 20 s, then 1,000 for 60 s. Beside it, in the
 * same run, a page that appends with `innerHTML +=`, as the tutorial does, at 500 events a second for 20 s. Frames are late also when the
 * machine has other things to do; the processor time of the page's main thread is its own.
 *
 * npx tsx bench/render.ts
 */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { chromium, type Page } from 'playwright'
import { findBrowser } from '../test/programs/find-browser'
import { asPublisher } from '../test/requests/publisher'
import { startServer } from '../test/servers/start-server'

const root = join(__dirname, '..')

const tutorialPage = `<!doctype html><title>tutorial</title><section id="events"></section><script>
  new EventSource('/events/tutorial').addEventListener('message', (event) => {
    document.getElementById('events').innerHTML += '<p>' + event.data + '</p>'
  })
</script>`

interface Figures {
  'longest frame ms': number
  'frames over 50 ms': number
  'main thread, CPU %': number
  'DOM elements': number
  'heap before MB': number
  'heap after MB': number
}

async function main(): Promise<void> {
  execFileSync(process.execPath, [join(root, 'node_modules/next/dist/bin/next'), 'build'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const folder = await mkdtemp(join(tmpdir(), 'next-sse-bench-'))
  const server = await startServer({ env: { EVENTS_URL: `file:${folder}/events.db` } })
  const browser = await chromium.launch({
    executablePath: findBrowser(),
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  })
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    // tsx names functions by this helper, which a page does not have.
    await page.addInitScript('globalThis.__name = (named) => named')
    await page.route(`${server.url}/tutorial`, (route) =>
      route.fulfill({ contentType: 'text/html', body: tutorialPage }),
    )

    await page.goto(`${server.url}/topics/render`)
    await page.getByRole('status').getByText('Live').first().waitFor()
    const table: Record<string, Figures> = {
      'live page, 5,000/s for 20 s': await measure(page, () =>
        publish(server.url, 'render', 5_000, 20),
      ),
      'then 1,000/s for 60 s': await measure(page, () => publish(server.url, 'render', 1_000, 60)),
    }
    await page.goto(`${server.url}/tutorial`)
    table['innerHTML +=, 500/s for 20 s'] = await measure(page, () =>
      publish(server.url, 'tutorial', 500, 20),
    )

    console.log(`\nNode ${process.version}, Chromium ${browser.version()}`)
    console.table(table)
  } finally {
    await browser.close()
    await server.stop()
    await rm(folder, { recursive: true })
  }
}

/** Measures the page's frames while `work` runs, without the first second. */
async function measure(page: Page, work: () => Promise<void>): Promise<Figures> {
  const before = await heapOf(page)
  await page.evaluate(() => {
    const watch = { longest: 0, over: 0, last: performance.now() }
    Object.assign(window, { frameWatch: watch })
    const startedAt = performance.now()
    const look = (now: number): void => {
      const took = now - watch.last
      watch.last = now
      if (now - startedAt > 1_000) {
        watch.longest = Math.max(watch.longest, took)
        if (took > 50) watch.over++
      }
      requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  })
  const cpuSeconds = await countCpu(page)
  const startedAt = performance.now()
  await work()
  await sleep(500)
  const { longest, over, elements } = await page.evaluate(() => {
    const { frameWatch } = window as unknown as {
      frameWatch: { longest: number; over: number; last: number }
    }
    // A page that hangs has not drawn its last frame yet.
    const hangingMs = performance.now() - frameWatch.last
    return {
      longest: Math.max(frameWatch.longest, hangingMs),
      over: frameWatch.over + (hangingMs > 50 ? 1 : 0),
      elements: document.querySelectorAll('*').length,
    }
  })
  // Only after the page has answered: a task that is still running is not counted.
  const cpuMs = 1_000 * (await cpuSeconds())
  const tookMs = performance.now() - startedAt
  return {
    'longest frame ms': Math.round(longest),
    'frames over 50 ms': over,
    'main thread, CPU %': Math.round((100 * cpuMs) / tookMs),
    'DOM elements': elements,
    'heap before MB': before,
    'heap after MB': await heapOf(page),
  }
}

/** Measures the CPU time of the tasks on the page's main thread, in seconds, until the returned function is called. */
async function countCpu(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  return async () => {
    const { metrics } = await session.send('Performance.getMetrics')
    await session.detach()
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN
  }
}

/** The page's heap after a garbage collection, in MB. */
async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  await session.detach()
  return Math.round(usedSize / 1e5) / 10
}

/** Publishes steadily, fifty times a second. */
async function publish(
  url: string,
  topic: string,
  perSecond: number,
  seconds: number,
): Promise<void> {
  const perPost = perSecond / 50
  const startedAt = performance.now()
  for (let post = 0; post < seconds * 50; post++) {
    const lines = Array.from({ length: perPost }, (_, index) =>
      JSON.stringify({
        id: `ord_${post}_${index}`,
        amount: 4_200,
        currency: 'EUR',
        at: Date.now(),
      }),
    )
    const response = await fetch(`${url}/events/${topic}`, {
      method: 'POST',
      headers: { ...asPublisher, 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
    })
    if (response.status !== 201) throw new Error(`publishing answered ${response.status}`)
    const aheadMs = (post + 1) * 20 - (performance.now() - startedAt)
    if (aheadMs > 0) await sleep(aheadMs)
  }
}

void main()
