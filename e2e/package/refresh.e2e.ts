/** Server components that are rendered again when something happens, in an app that has installed the library. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright/test'
import { filesIn } from '../../test/files-in'
import { expect, test } from '../../test/fixtures/installed-test'
import type { RunningServer } from '../../test/servers/start-server'

// One after another, in one worker: the app is made once.
test.describe.configure({ mode: 'default' })

const renderMs = 3_000

/** An app whose database is a variable of the process. */
const files = {
  'orders.ts': `
interface Orders { count: number; renders: number }
const all = globalThis as { orders?: Orders }
export const orders = (all.orders ??= { count: 0, renders: 0 })
export const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
`,
  'app/pay/route.ts': `
import { orders } from '@/orders'
import { sse } from '@/sse'
export async function POST() {
  orders.count++
  await sse.publish('orders', 'order.paid', { number: orders.count })
  return new Response(null, { status: 204 })
}
`,
  'app/slow/page.tsx': `
import { Suspense } from 'react'
import { orders, wait } from '@/orders'
import { sse } from '@/sse'
export default function Slow() {
  return (
    <Suspense fallback={<p>Loading</p>}>
      <sse.LiveRefresh topics={['orders']}>
        {async () => {
          const { count } = orders
          const render = ++orders.renders
          await wait(${renderMs})
          return <output>{render}: {count}</output>
        }}
      </sse.LiveRefresh>
    </Suspense>
  )
}
`,
  'app/parts/page.tsx': `
import { Suspense } from 'react'
import { LiveRefresh } from 'next-sse/react'
import { orders } from '@/orders'
import { sse } from '@/sse'
async function Count({ name }: { name: string }) {
  const from = await sse.cursor()
  orders.renders++
  return <><output aria-label={name}>{orders.renders}: {orders.count}</output><LiveRefresh topics={['orders']} from={from} /></>
}
export default function Parts() {
  return <Suspense fallback={<p>Loading</p>}><Count name="one" /><Count name="other" /></Suspense>
}
`,
}

/** The page of docs/guide.md, with its server action. */
const guide = readFileSync(join(__dirname, '..', '..', 'docs', 'guide.md'), 'utf8')
const documented = filesIn(guide).filter(([name]) =>
  /^app\/shelf\/(?:page|actions|shelf)\.tsx?$/.test(name),
)

const env = { PUBLIC_TOPICS: 'orders,shelf', EVENTS_URL: 'memory:' }

let app: string

test.beforeAll(async ({ installed }) => {
  test.setTimeout(300_000)
  await installed.write({ ...files, ...Object.fromEntries(documented) })
  const built = await installed.build()
  expect(built.code, built.output).toBe(0)
  app = installed.folder
})

async function pay({ url }: RunningServer): Promise<void> {
  const response = await fetch(`${url}/pay`, { method: 'POST' })
  expect(response.status).toBe(204)
}

/** What the page shows: which render it is, and how many orders that render has found. */
async function shown(page: Page, name?: string): Promise<{ render: number; count: number }> {
  const text = await page.getByRole('status', name ? { name } : {}).textContent()
  const [render = '', count = ''] = text?.split(': ') ?? []
  return { render: Number(render), count: Number(count) }
}

test(
  'A page that renders for three seconds under five events a second shows each render, and the last event within one',
  { tag: '@soak-only' },
  async ({ start, page }) => {
    const server = await start({ app, env })
    await page.goto(`${server.url}/slow`)
    await expect(page.getByRole('status')).toBeVisible()
    const first = await shown(page)
    const seen = new Map<number, number>()

    for (let paid = 0; paid < 75; paid++) {
      await pay(server)
      await page.waitForTimeout(200)
      const { render, count } = await shown(page)
      seen.set(render, count)
    }
    // The render under way, and the one that has the last event.
    await expect
      .poll(async () => (await shown(page)).count, { timeout: 2 * renderMs + 2_000 })
      .toBe(75)
    const last = await shown(page)
    seen.set(last.render, last.count)

    const counts = [...seen.values()]
    expect(counts).toEqual([...new Set(counts)].toSorted((one, other) => one - other))
    // Fifteen seconds have room for four renders besides the first.
    expect(seen.size).toBeGreaterThanOrEqual(4)
    expect(seen.size).toBeGreaterThanOrEqual((last.render - first.render) / 2)
    await page.waitForTimeout(2_000)
    expect(await shown(page)).toEqual(last)
  },
)

test(
  'What happens during the first render, or before the page is hydrated, is shown',
  { tag: '@soak-only' },
  async ({ start, page }) => {
    const server = await start({ app, env })
    let release = (): void => {}
    const isReleased = new Promise<void>((resolve) => (release = resolve))
    await page.route(/\.js/, async (route) => {
      await isReleased
      await route.continue()
    })

    const going = page.goto(`${server.url}/slow`, { waitUntil: 'commit' })
    await page.waitForTimeout(1_000)
    await pay(server)
    await going
    await expect(page.getByRole('status')).toHaveText(/: 0$/, { timeout: 10_000 })
    await pay(server)
    release()

    await expect(page.getByRole('status')).toHaveText(/: 2$/, { timeout: 3 * renderMs })
  },
)

test(
  'Parts of a page are rendered together, once for each event, and not while nobody looks',
  { tag: '@soak-only' },
  async ({ start, page }) => {
    const server = await start({ app, env })
    await page.goto(`${server.url}/parts`)
    await expect(page.getByRole('status', { name: 'other' })).toBeVisible()
    await expect.poll(server.openStreams).toBe(2)
    let refreshes = 0
    page.on('request', (request) => {
      if ('rsc' in request.headers()) refreshes++
    })

    await pay(server)
    await expect.poll(async () => (await shown(page, 'other')).count).toBe(1)
    await page.waitForTimeout(1_500)
    expect(refreshes).toBe(1)

    const setHidden = (isHidden: boolean): Promise<void> =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, 'hidden', { value: hidden, configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))
      }, isHidden)
    await setHidden(true)
    await pay(server)
    await page.waitForTimeout(2_000)
    expect((await shown(page, 'one')).count).toBe(1)
    await setHidden(false)
    await expect.poll(async () => (await shown(page, 'one')).count).toBe(2)
  },
)

test(
  'A page that is left while it is refreshed does not stop the next from refreshing',
  { tag: '@soak-only' },
  async ({ start, page }) => {
    const server = await start({ app, env })
    await page.goto(`${server.url}/slow`)
    await expect(page.getByRole('status')).toHaveText(/: 0$/)
    await pay(server)
    await page.waitForTimeout(1_000)

    await page.evaluate(() => {
      const { next } = window as unknown as { next: { router: { push: (path: string) => void } } }
      next.router.push('/parts')
    })
    await expect(page.getByRole('status', { name: 'one' })).toBeVisible({ timeout: 10_000 })
    await pay(server)

    await expect.poll(async () => (await shown(page, 'one')).count).toBe(2)
  },
)

test(
  'A server action that publishes after updateTag shows the new value in every tab',
  { tag: '@soak-only' },
  async ({ start, page, context }) => {
    const server = await start({ app, env })
    const tabs = [page, await context.newPage()]
    for (const tab of tabs) {
      await tab.goto(`${server.url}/shelf`)
      await expect(tab.getByRole('button')).toHaveText('Sell one of 10')
    }
    await expect.poll(server.openStreams).toBe(2)

    for (const left of [9, 8]) {
      await page.getByRole('button').click()
      for (const tab of tabs) {
        await expect(tab.getByRole('button')).toHaveText(`Sell one of ${left}`)
      }
    }
  },
)
