/** Pages that were rendered with orders, whatever has changed until their stream is open. */
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, type FirstPaint } from '../../test/fixtures/first-paint-test'
import { ordersPage, type OrdersPage } from '../../test/pages/orders-page'
import { publish } from '../../test/requests/publish'

// Chromium prints a refusal.
test.use({ toleratedComplaint: /status of 409/ })

async function htmlOf({ server }: FirstPaint, headers: Record<string, string>): Promise<string> {
  const html = await (await fetch(`${server.url}/orders`, { headers })).text()
  // React separates texts by comments.
  return html.replaceAll('<!-- -->', '')
}

/** Opens the page in another tab of the browser. */
async function openTab({ orders, server }: FirstPaint, query: string): Promise<OrdersPage> {
  const tab = ordersPage(await orders.page.context().newPage(), server.url)
  await tab.goto(query)
  return tab
}

async function signIn({ orders, server }: FirstPaint, user: string): Promise<void> {
  await orders.page.context().addCookies([{ name: 'user', value: user, url: server.url }])
}

test('The HTML has the orders, and what they come to', async ({ paint }) => {
  for (let n = 0; n < 3; n++) await paint.publish()

  const html = await htmlOf(paint, { cookie: 'user=ana' })

  expect(html).toContain('<li>orders order 1</li><li>orders order 2</li><li>orders order 3</li>')
  expect(html).toContain('3 orders, 0 gaps')
})

test(
  'Topics are read in a request, and in a timer that has none',
  { tag: '@soak-only' },
  async ({ paint }) => {
    const counted = async (): Promise<unknown> => (await fetch(`${paint.server.url}/list`)).json()
    await expect.poll(counted).toEqual({ inRequest: 0, inTimer: 0 })

    await paint.publish()

    await expect.poll(counted).toEqual({ inRequest: 1, inTimer: 1 })
  },
)

test('Who may not read learns it from the HTML, and the page asks nothing before it is told to', async ({
  paint,
}) => {
  const { orders, publish: publishOrder } = paint
  await publishOrder()
  await orders.page.context().clearCookies()
  expect(await htmlOf(paint, {})).toContain('<output>failed login-required</output>')

  await orders.goto()
  await orders.status('failed login-required')
  await orders.shows([])
  await orders.page.waitForLoadState('networkidle')
  expect(orders.requests).toEqual([])

  await signIn(paint, 'ana')
  await orders.page.getByRole('button', { name: 'Open' }).click()
  await orders.status('open')
  await publishOrder()
  await orders.shows(['orders order 2'])
})

test('A page of Ana’s that Bob’s browser finds shows nothing of hers, and says so', async ({
  paint,
}) => {
  const { orders, published, publish: publishOrder } = paint
  await publishOrder()
  const held = await orders.holdRequests('stream')
  await orders.goto()
  await held.reached()
  await orders.shows(published)

  await signIn(paint, 'bob')
  await held.release()
  await orders.status('failed reader')
  await orders.shows([])

  // Rendered again, it is Bob's, with what he may read.
  await publishOrder()
  await orders.page.getByRole('button', { name: 'Refresh' }).click()
  await orders.status('open')
  await orders.shows(published)
})

test(
  'A page of Ana’s that is rendered again for Bob begins again',
  { tag: '@soak-only' },
  async ({ paint }) => {
    const { orders, published, publish: publishOrder } = paint
    await publishOrder()
    await orders.goto()
    await orders.status('open')

    await signIn(paint, 'bob')
    await orders.page.getByRole('button', { name: 'Refresh' }).click()
    await expect.poll(() => orders.requests.length).toBe(2)
    await orders.status('open')
    await publishOrder()

    await orders.shows(published)
    const readers = orders.requests.map((url) => new URL(url).searchParams.get('reader'))
    expect(new Set(readers).size).toBe(2)
  },
)

test(
  'Rendered before an older copy of the log was restored, a page marks the gap, and goes on',
  { tag: '@soak-only' },
  async ({ paint, startApp, folder }) => {
    const { server, orders, published, publish: publishOrder } = paint
    const files = ['events.db', 'events.db-wal', 'events.db-shm'].map((name) => join(folder, name))
    const options = { port: Number(new URL(server.url).port) }
    await publishOrder()
    await server.stop()
    await cp(folder, `${folder}-copy`, { recursive: true })
    const second = await startApp(options)
    await publishOrder()
    const held = await orders.holdRequests('stream')
    await orders.goto()
    await held.reached()
    await orders.shows(published)

    await second.stop()
    await Promise.all(files.map((file) => rm(file, { force: true })))
    await cp(`${folder}-copy`, folder, { recursive: true })
    await rm(`${folder}-copy`, { recursive: true })
    const third = await startApp(options)
    await publish(third.url, 'orders', 'order after')
    await held.release()

    await orders.shows([...published, 'orders order 1', 'orders order after'])
    await expect(orders.page.getByText('4 orders, 1 gaps')).toBeVisible()
    await publish(third.url, 'orders', 'order later')
    await expect(orders.page.getByText('orders order later')).toHaveCount(1)
  },
)

test(
  'Rendered before events were removed that it does not have, a page marks the gap, and goes on',
  { tag: '@soak-only' },
  async ({ paint, startApp }) => {
    const { server, orders, published, publish: publishOrder } = paint
    await server.stop()
    await startApp({
      port: Number(new URL(server.url).port),
      env: { EVENTS_MAX_AGE: '3s' },
    })
    await publishOrder()
    const held = await orders.holdRequests('stream')
    await orders.goto()
    await held.reached()
    await orders.shows(published)

    await publishOrder()
    await orders.page.waitForTimeout(3_500)
    await publishOrder()
    await held.release()

    await orders.shows(['orders order 1', 'orders order 3'])
    await expect(orders.page.getByText('2 orders, 1 gaps')).toBeVisible()
  },
)

test(
  'A page with 2 MiB of orders shows them, goes on, and the journal warns',
  { tag: '@soak-only' },
  async ({ paint }) => {
    const { server, orders } = paint
    for (let n = 0; n < 40; n++) {
      await publish(server.url, 'orders', `${`big ${n}`.padEnd(20)}${'x'.repeat(52_000)}`)
    }

    await orders.goto()
    await orders.status('open')
    await publish(server.url, 'orders', 'small')

    await expect(orders.page.locator('li')).toHaveText([
      ...Array.from({ length: 40 }, (_, n) => `orders big ${n}`),
      'orders small',
    ])
    expect(server.output()).toMatch(
      /sse\.preload\(\[\\"orders\\"\]\) puts 2\d{3} KiB into the page/,
    )
  },
)

test('Tabs that were rendered with orders share one stream, and each shows every order once', async ({
  paint,
}) => {
  const { server, orders, published, publish: publishOrder } = paint
  const tabs = [orders]
  await publishOrder()
  await orders.goto('?share=tabs')
  await orders.status('open')
  for (let n = 2; n <= 4; n++) {
    // An event of another topic: the head of the log is not where the shared stream stands.
    await publish(server.url, 'stock', 'bolt')
    if (n === 3) await publishOrder()
    tabs.push(await openTab(paint, '?share=tabs'))
  }
  for (const tab of tabs) await tab.status('open')
  await publishOrder()

  for (const tab of tabs) {
    await tab.shows(published)
    await expect(tab.page.getByText('4 tabs')).toBeVisible()
  }
  expect(await server.openStreams()).toBe(1)
})

test(
  'A tab that adds a topic to a shared stream begins with both, and the other goes on',
  { tag: '@soak-only' },
  async ({ paint }) => {
    const { server, orders, published, publish: publishOrder } = paint
    await publishOrder()
    await publish(server.url, 'stock', 'bolt')
    await orders.goto('?share=tabs')
    const other = await openTab(paint, '?share=tabs')
    for (const tab of [orders, other]) await tab.status('open')
    await publishOrder()
    await other.shows(published)

    await orders.page.getByRole('link', { name: 'With stock' }).click()
    await expect(orders.page.getByText('stock bolt')).toBeVisible()
    await orders.status('open')
    await publish(server.url, 'stock', 'nut')
    await publishOrder()

    const [first = '', ...rest] = published
    await orders.shows([first, 'stock bolt', ...rest.slice(0, 1), 'stock nut', ...rest.slice(1)])
    await other.shows(published)
    await expect.poll(() => server.openStreams()).toBe(1)
  },
)
