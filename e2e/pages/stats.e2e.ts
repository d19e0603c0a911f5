/** The figures above a topic's events, and the title of its tab: in a real Chromium, against `next start`. */
import { randomUUID } from 'node:crypto'
import { AxeBuilder } from '@axe-core/playwright'
import type { Locator, Page } from 'playwright/test'
import { removeSharedWorker } from '../../test/pages/remove-shared-worker'
import { asPublisher } from '../../test/requests/publisher'
import { expect, test } from '../../test/fixtures/page-test'

/** The figure beside `term`. */
function figure(page: Page, term: string): Locator {
  return page.getByRole('term').filter({ hasText: term }).locator('xpath=following-sibling::dd[1]')
}

function parts(page: Page) {
  return {
    status: page.getByRole('status').first(),
    rate: figure(page, 'Events / s'),
    delay: figure(page, 'Delay to screen'),
    received: figure(page, 'Received'),
    openFor: figure(page, 'Open for'),
    chart: page.getByRole('img', { name: 'Events a second in the last minute' }),
  }
}

async function post(url: string, topic: string, count: number): Promise<void> {
  const response = await fetch(`${url}/events/${topic}`, {
    method: 'POST',
    headers: { ...asPublisher, 'content-type': 'application/x-ndjson' },
    body: '"hello"\n'.repeat(count),
  })
  expect(response.status).toBe(201)
}

let topic = ''

test.beforeEach(async ({ page }) => {
  // The log outlives a run of the tests.
  topic = `t-${randomUUID()}`
  // With room for all the figures.
  await page.setViewportSize({ width: 1440, height: 900 })
})

test.afterEach(async ({ context, server }) => {
  await context.close()
  await expect.poll(server.openStreams).toBe(0)
})

test('The figures move with what is published, and not with what was published before', async ({
  page,
  server,
}) => {
  const { status, rate, delay, received, openFor, chart } = parts(page)
  await post(server.url, topic, 30)

  await page.goto(`/topics/${topic}`)

  await expect(status).toContainText('Live')
  await expect(received).toHaveText('30')
  await expect(rate).toHaveText('0 peak 0')
  await expect(delay).toHaveText('– ms worst –')
  await expect(openFor).toHaveText(/^0:0\d$/)
  await post(server.url, topic, 150)
  await expect(received).toHaveText('180')
  await expect(rate).toHaveText(/^0 peak [1-9]\d*$/)
  await expect(chart).toHaveAccessibleName(/0 in the last second, at most [1-9]\d*/)
  await expect(delay).toHaveText(/^[\d,]+ ms worst [\d,]+$/)
  const { violations } = await new AxeBuilder({ page }).include('dl').analyze()
  expect(violations).toEqual([])
})

test('The delay is right on a computer whose clock is an hour ahead of the server’s', async ({
  page,
  server,
}) => {
  const { status, delay } = parts(page)
  await removeSharedWorker(page)
  await page.clock.install({ time: Date.now() + 3_600_000 })
  await page.goto(`/topics/${topic}`)
  await expect(status).toContainText('Live')

  await post(server.url, topic, 1)

  // However slow the machine: an hour would be 3,600,000 ms.
  await expect(delay).toHaveText(/^(\d+,)?\d{1,3} ms worst (\d+,)?\d{1,3}$/)
})

test.describe('While the server is gone', () => {
  // Chromium prints the lost connections by itself.
  test.use({ toleratedComplaint: /Failed to load resource|ERR_/ })

  test('seconds are unknown, not quiet, and the other figures stay', async ({ page, start }) => {
    const { status, rate, received, openFor, chart } = parts(page)
    let server = await start()
    const { url } = server
    await page.goto(`${url}/topics/${topic}`)
    await expect(status).toContainText('Live')
    await post(url, topic, 1)
    await expect(received).toHaveText('1')
    await expect(rate).toHaveText('0 peak 1')

    await server.stop()

    await expect(status).toContainText('Reconnecting')
    await expect(rate).toHaveText('– peak 1')
    await expect(chart).toHaveAccessibleName(/unknown in the last second, at most 1/)
    await expect(received).toHaveText('1')
    server = await start({ port: Number(new URL(url).port) })
    await expect(status).toContainText('Live', { timeout: 40_000 })
    await expect(rate).toHaveText(/^0 peak [01]$/)
    await expect(chart).toHaveAccessibleName(
      /0 in the last second, at most [01], unknown for \d+ s/,
    )
    // Two, where the server has only just started when it is asked, and asks to come back.
    await expect(openFor).toHaveText(/^\d+:\d\d (1 reconnect|2 reconnects)$/)
  })
})

test('A hidden tab counts what its reader has not seen', async ({ page, server }) => {
  const { status } = parts(page)
  const title = `${topic} · next-sse`
  // Headless Chromium hides no tab: the page is told that it is hidden.
  const hide = async (isHidden: boolean): Promise<void> =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { configurable: true, value })
      document.dispatchEvent(new Event('visibilitychange'))
    }, isHidden)
  await page.goto(`/topics/${topic}`)
  await expect(status).toContainText('Live')
  await post(server.url, topic, 2)
  await expect(page.getByRole('log').getByRole('listitem')).toHaveCount(2)
  await expect(page).toHaveTitle(title)

  await hide(true)
  await post(server.url, topic, 12)
  await expect(page).toHaveTitle(`(12) ${title}`)
  await hide(false)

  await expect(page).toHaveTitle(title)
})
