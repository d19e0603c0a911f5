/** Takes the pictures that the README shows. They go to docs/pictures when one is missing or `npm run e2e -- -u` asks for it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright'
import type { Page } from 'playwright/test'
import { asPublisher } from '../test/requests/publisher'
import { expect, test as base } from '../test/fixtures/server-test'

const pictures = join(__dirname, '..', 'docs', 'pictures')

interface Taking {
  page: Page
  /** Saves what the page shows now, under its name. */
  take: (name: string) => Promise<void>
}

for (const colorScheme of ['light', 'dark'] as const) {
  const test = base.extend<{ taking: Taking }>({
    taking: async ({ server, launchOptions }, use, testInfo) => {
      // The picture shows the address that a reader will see.
      const { host } = new URL(server.url)
      const browser = await chromium.launch({
        ...launchOptions,
        ignoreDefaultArgs: ['--hide-scrollbars'],
        args: [
          ...(launchOptions.args ?? []),
          `--host-resolver-rules=MAP localhost:3000 ${host.replace('localhost', '127.0.0.1')}`,
        ],
      })
      const page = await browser.newPage({
        colorScheme,
        viewport: { width: 1280, height: 860 },
        deviceScaleFactor: 2,
        timezoneId: 'UTC',
      })
      await use({
        page,
        async take(name) {
          const shown = join(pictures, `${name}-${colorScheme}.png`)
          const isAsked = ['all', 'changed'].includes(testInfo.config.updateSnapshots)
          const isWanted = isAsked || !existsSync(shown)
          const path = isWanted ? shown : testInfo.outputPath(`${name}.png`)
          await page.screenshot({ path, animations: 'disabled' })
        },
      })
      await browser.close()
    },
  })

  test(`The home page in ${colorScheme}`, async ({ taking: { page, take } }) => {
    await page.clock.setFixedTime('2026-01-05T14:03:21.004Z')
    await page.goto('http://localhost:3000')
    const events = page.getByRole('log').getByRole('listitem')
    await expect(events).toHaveCount(1)
    await page.clock.setFixedTime('2026-01-05T14:03:23.006Z')
    await expect(events).toHaveCount(2)
    await page.clock.setFixedTime('2026-01-05T14:03:24.010Z')
    await expect(page.getByText('1 s', { exact: true })).toBeVisible()

    await take('home')
  })

  test(`A topic's page in ${colorScheme}`, async ({ server, taking: { page, take } }) => {
    const topic = `orders-${colorScheme}`
    await page.goto(`http://localhost:3000/topics/${topic}`)
    await expect(page.getByRole('status').getByText('Live').first()).toBeVisible()
    const publishing = publishOrders(`${server.url}/events/${topic}`)
    const rows = page.getByRole('log').getByRole('listitem')
    await publishing
    await expect(rows.last()).toContainText('order.paid')
    await rows.nth(-4).click()
    await page.waitForTimeout(1_100)

    await take('topic')
  })
}

/** Some orders, as a shop might have them, over a few seconds. */
async function publishOrders(url: string): Promise<void> {
  const kinds = ['order.created', 'stock.low', 'order.paid']
  for (let n = 0; n < 36; n++) {
    const order = { id: `ord_${1_000 + n}`, amount: 1_900 + 37 * n, currency: 'EUR' }
    await fetch(`${url}?type=${kinds[n % 3]}`, {
      method: 'POST',
      headers: { ...asPublisher, 'content-type': 'application/json' },
      body: JSON.stringify(n % 3 === 1 ? { sku: `SKU-${n}`, left: n % 5 } : order),
    })
    await new Promise((resolve) => setTimeout(resolve, 40 + (n % 7) * 30))
  }
}
