/** The account page: two demo accounts, a topic for each that only it can read, and sign-outs that end open streams. */
import type { Browser, BrowserContext, Page } from 'playwright/test'
import { expect, test as base } from '../../test/fixtures/page-test'
import { checkLooks } from '../../test/pages/check-looks'
import type { RunningServer } from '../../test/servers/start-server'

const test = base.extend<{ shop: RunningServer; open: (context: BrowserContext) => Promise<Page> }>(
  {
    shop: async ({ start, folder }, use) => {
      const env = {
        DEMO_ACCOUNTS: 'on',
        SESSION_SECRET: 'for-the-tests-of-the-account-page-only',
        APP_DATABASE: `${folder}/app.db`,
        PUBLIC_TOPICS: '',
      }
      await use(await start({ env }))
    },
    open: async ({ shop }, use) => {
      await use(async (context) => {
        const page = await context.newPage()
        await page.goto(`${shop.url}/account`)
        return page
      })
    },
    // Chromium prints every refusal by itself.
    toleratedComplaint: /Failed to load resource/,
  },
)
function parts(page: Page) {
  const devices = page.getByRole('list', { name: 'Devices' }).getByRole('listitem')
  return {
    status: page.getByRole('status').first(),
    events: page.getByRole('log', { name: 'Events' }).getByRole('listitem'),
    devices,
    here: devices.filter({ hasText: 'this one' }),
  }
}

async function signIn(page: Page, name: 'Ana' | 'Bob'): Promise<void> {
  await page.getByRole('button', { name: `Sign in as ${name}` }).click()
  await expect(page.getByRole('heading', { name: `Signed in as ${name}` })).toBeVisible()
  await expect(parts(page).status).toHaveText('Live')
}

async function sendNote(page: Page, to: 'Ana' | 'Bob', text: string): Promise<void> {
  await page.getByLabel('To', { exact: true }).selectOption(to)
  await page.getByLabel('Note').fill(text)
  await page.getByRole('button', { name: 'Send' }).click()
}

/** Another person's browser. */
async function otherBrowser(browser: Browser): Promise<BrowserContext> {
  return await browser.newContext()
}

test('A note reaches the account that it is for, and nobody else', async ({
  browser,
  context,
  open,
  shop,
}) => {
  const ana = await open(context)
  const bob = await open(await otherBrowser(browser))
  await signIn(ana, 'Ana')
  await signIn(bob, 'Bob')

  await sendNote(bob, 'Ana', 'for Ana alone')
  await expect(parts(ana).events.last()).toContainText('Bob: for Ana alone')
  await expect(bob.getByLabel('Note')).toHaveValue('')
  await sendNote(bob, 'Bob', 'for Bob alone')

  await expect(parts(bob).events.last()).toContainText('Bob: for Bob alone')
  await expect(parts(bob).events.filter({ hasText: 'for Ana' })).toHaveCount(0)
  const refused = await bob.request.get(`${shop.url}/events/account.ana`)
  expect(refused.status()).toBe(403)
  const nobody = await fetch(`${shop.url}/events/account.ana`)
  expect(nobody.status).toBe(401)
  await bob.context().close()
})

test('Signing out everywhere ends the streams of all browsers of the account at once', async ({
  browser,
  context,
  open,
  shop,
}) => {
  const desk = await open(context)
  const phone = await open(await otherBrowser(browser))
  await signIn(desk, 'Ana')
  await signIn(phone, 'Ana')
  await expect(parts(phone).devices).toHaveCount(2)

  await phone.getByRole('button', { name: 'Sign out everywhere' }).click()

  await expect(phone.getByRole('button', { name: 'Sign in as Ana' })).toBeVisible()
  await expect(parts(desk).status).toHaveText('Refused (sign in first)')
  await expect.poll(shop.openStreams).toBe(0)
  await phone.context().close()
})

test('Signing out one device leaves the others signed in', async ({ browser, context, open }) => {
  const desk = await open(context)
  const phone = await open(await otherBrowser(browser))
  await signIn(desk, 'Ana')
  await signIn(phone, 'Ana')

  await parts(phone).here.getByRole('button', { name: 'Sign out' }).click()

  await expect(phone.getByRole('button', { name: 'Sign in as Ana' })).toBeVisible()
  await expect(parts(desk).status).toHaveText('Live')
  await expect(parts(desk).devices).toHaveCount(1)
  await sendNote(desk, 'Ana', 'still here')
  await expect(parts(desk).events.last()).toContainText('Ana: still here')
  await phone.context().close()
})

test('A page left open while somebody else signs in shows nothing of the other account', async ({
  context,
  open,
}) => {
  const anas = await open(context)
  await signIn(anas, 'Ana')
  const bobs = await open(context)
  await sendNote(bobs, 'Ana', 'for Ana alone')
  await expect(parts(anas).events.last()).toContainText('for Ana alone')

  await parts(bobs).here.getByRole('button', { name: 'Sign out' }).click()
  await signIn(bobs, 'Bob')
  await sendNote(bobs, 'Bob', 'for Bob alone')

  await expect(parts(bobs).events.last()).toContainText('for Bob alone')
  await expect(parts(anas).events.filter({ hasText: 'Bob alone' })).toHaveCount(0)
  await expect(parts(anas).status).toHaveText(/^Refused/)
})

test('Without JavaScript one can sign in and send a note', async ({ browser, shop }) => {
  const context = await browser.newContext({ javaScriptEnabled: false })
  const page = await context.newPage()
  await page.goto(`${shop.url}/account`)

  await page.getByRole('button', { name: 'Sign in as Ana' }).click()
  await expect(page.getByRole('heading', { name: 'Signed in as Ana' })).toBeVisible()
  await expect(parts(page).devices).toHaveCount(1)
  await page.getByRole('button', { name: 'Sign out everywhere' }).click()

  await expect(page.getByRole('button', { name: 'Sign in as Bob' })).toBeVisible()
  await context.close()
})

test('In production the accounts are off until they are asked for', async ({ page, server }) => {
  await page.goto(`${server.url}/account`)

  await expect(page.getByText('The demo accounts are off')).toBeVisible()
  await expect(page.getByRole('button', { name: /^Sign in/ })).toHaveCount(0)
})

test('In light and dark, wide and narrow, axe finds nothing', async ({ page, shop }, testInfo) => {
  await page.goto(`${shop.url}/account`)
  await checkLooks(page, 'signed-out', testInfo)
  await signIn(page, 'Ana')
  await sendNote(page, 'Ana', 'The parcel is here.')
  await expect(parts(page).events.last()).toContainText('parcel')
  await checkLooks(page, 'signed-in', testInfo)
})
