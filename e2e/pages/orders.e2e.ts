/** The orders page: a table rendered on the server and one read in the browser, which say the same without a reload. */
import type { Page } from 'playwright/test'
import { expect, test as base } from '../../test/fixtures/page-test'
import { checkLooks } from '../../test/pages/check-looks'
import { readHistory } from '../../test/readers/read-history'
import type { RunningServer } from '../../test/servers/start-server'

const test = base.extend<{ shop: RunningServer }>({
  shop: async ({ context, start, folder }, use) => {
    const env = {
      APP_DATABASE: `${folder}/app.db`,
      PUBLIC_TOPICS: 'orders,price.*,marker',
    }
    await use(await start({ env }))
    // Before the server stops, or the pages would complain.
    await context.close()
  },
})
function parts(page: Page) {
  const tables = page.getByRole('table')
  return {
    rendered: tables.first().getByRole('row'),
    read: tables.last().getByRole('row'),
    status: page.getByRole('status').first(),
    price: (item: string) => page.getByRole('radio', { name: item }).locator('xpath=..'),
  }
}

async function placeOrder(page: Page, item: string, quantity: number): Promise<void> {
  await page.getByRole('radio', { name: item }).check()
  await page.getByLabel('Quantity').fill(String(quantity))
  await page.getByRole('button', { name: 'Place order' }).click()
}

test('An order shows in both tables of every page, without a reload', async ({
  context,
  page,
  shop,
}) => {
  const other = await context.newPage()
  await other.goto(`${shop.url}/orders`)
  await page.goto(`${shop.url}/orders`)
  await expect(parts(page).status).toHaveText('Live')
  await expect(parts(other).status).toHaveText('Live')
  await expect(parts(page).rendered).toHaveText([/Order/, /No orders yet/])

  await placeOrder(page, 'tea', 2)
  await expect(parts(page).rendered).toHaveText([/Order/, /1.*tea.*2/])
  await placeOrder(page, 'cake', 3)

  const rows = [/Order/, /2.*cake.*3/, /1.*tea.*2/]
  for (const { rendered, read } of [parts(page), parts(other)]) {
    await expect(rendered).toHaveText(rows)
    await expect(read).toHaveText(rows)
  }
})

test('The page comes with its orders, also without JavaScript', async ({ browser, page, shop }) => {
  await page.goto(`${shop.url}/orders`)
  await expect(parts(page).status).toHaveText('Live')
  await placeOrder(page, 'coffee', 1)
  await expect(parts(page).read).toHaveText([/Order/, /1.*coffee/])

  const context = await browser.newContext({ javaScriptEnabled: false })
  const still = await context.newPage()
  await still.goto(`${shop.url}/orders`)

  await expect(parts(still).rendered).toHaveText([/Order/, /1.*coffee/])
  await expect(parts(still).read).toHaveText([/Order/, /1.*coffee/])
  await placeOrder(still, 'tea', 4)
  await expect(parts(still).rendered).toHaveText([/Order/, /2.*tea.*4/, /1.*coffee/])
  await context.close()
})

test('Prices move, and of each only the newest is kept', async ({ page, shop }) => {
  await page.goto(`${shop.url}/orders`)
  const prices = (): Promise<string> => page.getByRole('group', { name: 'Item' }).innerText()
  const before = await prices()

  await expect.poll(prices, { timeout: 20_000 }).not.toBe(before)

  for (const item of ['coffee', 'tea', 'cake']) {
    expect((await readHistory(shop.url, `price.${item}`)).length).toBeLessThanOrEqual(1)
  }
})

test('In light and dark, wide and narrow, axe finds nothing', async ({ page, shop }, testInfo) => {
  await page.goto(`${shop.url}/orders`)
  await expect(parts(page).status).toHaveText('Live')
  await placeOrder(page, 'cake', 2)
  await expect(parts(page).rendered).toHaveText([/Order/, /1.*cake/])
  await checkLooks(page, 'orders', testInfo)
})
