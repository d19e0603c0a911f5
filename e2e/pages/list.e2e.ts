/** The list of a topic's events, with many events: what it shows, and what a reader can do with it. */
import { randomUUID } from 'node:crypto'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright/test'
import { asPublisher } from '../../test/requests/publisher'
import { test, expect } from '../../test/fixtures/page-test'

function parts(page: Page) {
  const log = page.getByRole('log', { name: 'Events' })
  return {
    status: page.getByRole('status').first(),
    news: page.getByRole('status').nth(1),
    log,
    events: log.getByRole('listitem'),
    newest: log.getByRole('listitem').last(),
    more: page.getByRole('button', { name: / new$/ }),
    follow: page.getByRole('button', { name: 'Follow newest' }),
    following: page.getByRole('button', { name: 'Following newest' }),
    filter: page.getByRole('textbox', { name: 'Filter events' }),
    gap: log.getByText('are no longer kept.'),
  }
}

/** Publishes `values` as JSON, as a program with many events does. */
async function publish(url: string, topic: string, values: unknown[], type = ''): Promise<void> {
  // As many as one request may bring.
  for (let from = 0; from < values.length; from += 500) {
    const response = await fetch(`${url}/events/${topic}${type && `?type=${type}`}`, {
      method: 'POST',
      headers: { ...asPublisher, 'content-type': 'application/x-ndjson' },
      body: values
        .slice(from, from + 500)
        .map((value) => `${JSON.stringify(value)}\n`)
        .join(''),
    })
    expect(response.status).toBe(201)
  }
}

function numbered(count: number, from = 1): { n: number }[] {
  return Array.from({ length: count }, (_, index) => ({ n: from + index }))
}

/** How far above the list's upper edge, in pixels, its topmost whole row begins; and what that row says. */
async function placeOfReader(page: Page): Promise<{ text: string; top: number }> {
  return parts(page).log.evaluate((log) => {
    const edge = log.getBoundingClientRect().top
    for (const row of log.querySelectorAll('li')) {
      const top = row.getBoundingClientRect().top - edge
      if (top >= 0) return { text: row.textContent ?? '', top: Math.round(top) }
    }
    return { text: '', top: 0 }
  })
}

let topic = ''

test.beforeEach(() => {
  // The log outlives a run of the tests.
  topic = `l-${randomUUID()}`
})

async function openTopic(page: Page, url = ''): Promise<void> {
  await page.goto(`${url}/topics/${topic}`)
  await expect(parts(page).status).toContainText('Live')
}

test('The list follows the newest', async ({ page, server }) => {
  const { events, newest, following } = parts(page)
  await publish(server.url, topic, numbered(90))
  await openTopic(page)
  await expect(newest).toContainText('{"n":90}')

  await publish(server.url, topic, numbered(600, 91))

  await expect(newest).toContainText('{"n":690}')
  await expect(newest).toBeInViewport()
  await expect(newest).toHaveAttribute('aria-posinset', '690')
  await expect(newest).toHaveAttribute('aria-setsize', '690')
  await expect(following).toBeVisible()
  expect(await events.count()).toBeLessThan(100)
})

test('The list holds still while its reader looks back, until they want the newest', async ({
  page,
  server,
}) => {
  const { log, newest, more, follow, following } = parts(page)
  await publish(server.url, topic, numbered(100))
  await openTopic(page)
  await expect(newest).toBeInViewport()
  await expect(more).toHaveCount(0)

  await log.hover()
  await page.mouse.wheel(0, -600)
  await expect(follow).toBeVisible()
  const before = await placeOfReader(page)
  await publish(server.url, topic, numbered(42, 101))
  await expect(more).toHaveText('42 new')

  expect(await placeOfReader(page)).toEqual(before)
  await more.click()
  await expect(newest).toContainText('{"n":142}')
  await expect(newest).toBeInViewport()
  await expect(more).toHaveCount(0)
  await expect(following).toBeVisible()
})

test('Of 12,000 events the newest 10,000 are kept, and few rows exist', async ({
  page,
  server,
}) => {
  const { events, newest, log } = parts(page)
  await openTopic(page)

  await publish(server.url, topic, numbered(12_000))

  await expect(newest).toContainText('{"n":12000}')
  await expect(newest).toBeInViewport()
  await expect(page.getByText('10,000 events, 2,000 older dropped')).toBeVisible()
  await expect(page.getByText('Newest 10,000 kept')).toBeVisible()
  expect(await events.count()).toBeLessThan(100)
  await log.focus()
  await page.keyboard.press('Home')
  await expect(events.first()).toContainText('{"n":2001}')
  await expect(events.first()).toHaveAttribute('aria-posinset', '1')
})

test('What a reader looks at stays when older events give way', async ({ page, server }) => {
  const { log, newest, more } = parts(page)
  await openTopic(page)
  await publish(server.url, topic, numbered(10_000))
  await expect(newest).toContainText('{"n":10000}')
  await log.hover()
  await page.mouse.wheel(0, -2_000)
  await expect(more).toHaveCount(0)
  await expect(newest).not.toContainText('{"n":10000}')
  const before = await placeOfReader(page)

  await publish(server.url, topic, numbered(1_000, 10_001))

  await expect(more).toHaveText('1,000 new')
  await expect(page.getByText('1,000 older dropped')).toBeVisible()
  expect(await placeOfReader(page)).toEqual(before)
})

test('A row opens to its data, formatted, and Copy copies it', async ({
  page,
  server,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const { newest, follow } = parts(page)
  await publish(server.url, topic, [{ id: 'ord_1', amount: 4200, tags: [], paid: true }], 'order')
  await openTopic(page)
  const row = newest.getByRole('button').first()
  await expect(row).toHaveAttribute('aria-expanded', 'false')

  await row.click()

  const pretty = '{\n  "id": "ord_1",\n  "amount": 4200,\n  "tags": [],\n  "paid": true\n}'
  await expect(row).toHaveAttribute('aria-expanded', 'true')
  expect(await newest.locator('pre').textContent()).toBe(pretty)
  await expect(newest).toContainText('Size')
  await expect(follow).toBeVisible()
  await newest.getByRole('button', { name: 'Copy' }).click()
  await expect(newest.getByRole('button', { name: 'Copied' })).toBeVisible()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(pretty)
  await row.click()
  await expect(newest.locator('pre')).toHaveCount(0)
})

test('The last row opens in sight, and stays there when others come', async ({ page, server }) => {
  const { newest, events, more, follow } = parts(page)
  await publish(server.url, topic, numbered(60))
  await publish(server.url, topic, [{ order: { lines: numbered(3), paid: true } }])
  await openTopic(page)
  await expect(newest).toContainText('"paid":true')
  const opened = events.filter({ hasText: '"paid":true' })

  await newest.getByRole('button').click()

  await expect(opened.getByRole('button', { name: 'Copy' })).toBeInViewport({ ratio: 1 })
  await expect(opened.locator('pre')).toBeInViewport({ ratio: 1 })
  await expect(follow).toBeVisible()
  await publish(server.url, topic, numbered(5))
  await expect(more).toHaveText('5 new')
  await expect(opened.locator('pre')).toBeInViewport({ ratio: 1 })
})

test('A filter shows the events that contain it, and no others', async ({ page, server }) => {
  const { events, filter, log } = parts(page)
  await publish(server.url, topic, numbered(20))
  await publish(server.url, topic, [{ n: 'Twelve' }], 'order.paid')
  await openTopic(page)
  await expect(events).toHaveCount(21)

  await filter.fill('paid')
  await expect(events).toHaveText([/order\.paid/])
  await expect(page.getByText('1 of 21')).toBeVisible()
  await expect(log.locator('mark')).toHaveText(['paid'])
  await publish(server.url, topic, [1], 'order.paid')
  await publish(server.url, topic, [2], 'order.created')
  await expect(page.getByText('2 of 23')).toBeVisible()
  await filter.fill('tWELVE')
  await expect(events).toHaveText([/Twelve/])

  await filter.fill('refnd')
  await expect(log).toContainText('No match')
  await expect(log).toContainText('None of 23 events contains “refnd”.')
  await page.getByRole('button', { name: 'Clear filter' }).click()
  await expect(filter).toHaveValue('')
  await expect(events).toHaveCount(23)
  await filter.fill('paid')
  await expect(events).toHaveCount(2)
  await filter.press('Escape')
  await expect(events).toHaveCount(23)
})

test('The keyboard does all of it', async ({ page, server }) => {
  const { log, events, newest, filter, follow, following } = parts(page)
  await publish(server.url, topic, numbered(100))
  await openTopic(page)
  await expect(newest).toContainText('{"n":100}')
  const focused = page.locator(':focus')

  await log.focus()
  await page.keyboard.press('ArrowUp')
  await expect(focused).toContainText('{"n":100}')
  await page.keyboard.press('ArrowUp')
  await expect(focused).toContainText('{"n":99}')
  await expect(follow).toBeVisible()
  await page.keyboard.press('Enter')
  await expect(focused).toHaveAttribute('aria-expanded', 'true')
  await page.keyboard.press('Enter')
  await expect(focused).toHaveAttribute('aria-expanded', 'false')
  await page.keyboard.press('Home')
  await expect(focused).toContainText('{"n":1}')
  await expect(events.first()).toBeInViewport()
  for (let times = 0; times < 40; times++) await page.keyboard.press('ArrowDown')
  await expect(focused).toContainText('{"n":41}')
  await expect(focused).toBeInViewport()

  await page.keyboard.press('End')
  await expect(following).toBeVisible()
  await expect(newest).toContainText('{"n":100}')
  await expect(log).toBeFocused()
  await page.keyboard.press('/')
  await expect(filter).toBeFocused()
  await page.keyboard.type('100/')
  await expect(filter).toHaveValue('100/')
  await page.keyboard.press('Escape')
  await expect(filter).toHaveValue('')
})

test('What comes is told in one sentence, and not at once again', async ({ page, server }) => {
  const { news } = parts(page)
  await openTopic(page)
  await expect(news).toHaveText('')

  await publish(server.url, topic, numbered(42), 'order.paid')
  await expect(news).toHaveText('42 new events, latest order.paid')
  await publish(server.url, topic, numbered(7))
  await expect(parts(page).newest).toContainText('{"n":7}')

  await page.waitForTimeout(2_000)
  await expect(news).toHaveText('42 new events, latest order.paid')
  await expect(news).toHaveText('7 new events, latest message', { timeout: 10_000 })
})

test('A gap is a line where it happened', async ({ page, start }) => {
  const server = await start({ env: { EVENTS_URL: 'memory:', EVENTS_MAX_COUNT: '20' } })
  const { events, newest, gap, filter } = parts(page)
  await openTopic(page, server.url)
  await publish(server.url, topic, numbered(3))
  await expect(events).toHaveCount(3)
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(parts(page).status).toContainText('Stopped')
  await publish(server.url, topic, numbered(800, 4))

  await page.getByRole('button', { name: 'Start' }).click()

  await expect(newest).toContainText('{"n":803}')
  await page.getByRole('log').press('Home')
  await expect(gap).toHaveText(/^Gap Events after 3 and before \d+ are no longer kept\.$/)
  const [above, line, below] = await Promise.all(
    [events.nth(2), gap, events.nth(3)].map(async (row) => (await row.boundingBox())?.y ?? 0),
  )
  expect(above).toBeLessThan(line ?? 0)
  expect(line).toBeLessThan(below ?? 0)
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
  await filter.fill('803')
  await expect(events).toHaveCount(1)
  await page.close()
})

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(`In ${colorScheme}`, () => {
    test.use({ colorScheme })

    for (const width of [1280, 320]) {
      test(`long words stay in their rows at ${width} px, and axe finds nothing`, async ({
        page,
        server,
      }) => {
        const { log, newest, events, filter } = parts(page)
        await page.setViewportSize({ width, height: 800 })
        await publish(server.url, topic, numbered(60))
        await publish(server.url, topic, ['w'.repeat(5_000)], 't'.repeat(64))
        await publish(server.url, topic, [{ ['k'.repeat(300)]: 'v'.repeat(3_000) }])
        await openTopic(page)
        await expect(newest).toContainText('kkk')
        await newest.getByRole('button').click()
        await expect(newest.locator('pre')).toContainText('vvv')
        expect((await events.nth(0).textContent())?.length).toBeLessThan(600)
        const row = events.nth(-2).getByRole('button')
        expect((await row.boundingBox())?.height).toBe(width === 320 ? 44 : 28)

        const { violations } = await new AxeBuilder({ page }).analyze()

        expect(violations).toEqual([])
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
        expect(await log.evaluate((list) => list.scrollWidth - list.clientWidth)).toBe(0)
        await filter.fill('nothing like it')
        await expect(log).toContainText('No match')
        expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
      })
    }
  })
}
