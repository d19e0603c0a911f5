/**
 * Two people at one browser, on topics' pages, which share a stream: neither sees what only the other can read. Clients with a stream
 * of their own are in client/client-accounts.e2e.ts.
 */
import type { BrowserContext, Page } from 'playwright/test'
import { expect, test } from '../../test/fixtures/page-test'
import { publish } from '../../test/requests/publish'
import { signIn } from '../../test/requests/sign-in'

test.use({
  // Chromium prints every refusal by itself.
  toleratedComplaint: /Failed to load resource/,
  // With room for all the figures.
  viewport: { width: 1440, height: 900 },
})
/** Streams reconnect after this time, because any connection can be lost. */
const shortStreams = { STREAM_MAX_AGE: '3s', HEARTBEAT: '500ms', STALL: '60s', PUBLIC_TOPICS: '' }

function parts(page: Page) {
  return {
    start: page.getByRole('button', { name: 'Start' }),
    status: page.getByRole('status').first(),
    events: page.getByRole('log', { name: 'Events' }).getByRole('listitem'),
    reload: page.getByRole('button', { name: 'Reload page' }),
    tabs: page
      .getByRole('term')
      .filter({ hasText: 'Shared by' })
      .locator('xpath=following-sibling::dd[1]'),
  }
}

async function openTab(context: BrowserContext, url: string, topic: string): Promise<Page> {
  const tab = await context.newPage()
  await tab.goto(`${url}/topics/${topic}`)
  return tab
}

test('Ana’s page left open while Bob logs in shows nothing of Bob’s, and says so', async ({
  context,
  start,
}) => {
  const { url, openStreams } = await start({ env: shortStreams })
  await signIn(context, url, 'ana', 'private.*')
  const page = await openTab(context, url, 'private.x')
  const { status, events, reload } = parts(page)
  await publish(url, 'private.x', 'while Ana is here')
  await expect(events).toHaveText([/while Ana is here/])

  await signIn(context, url, 'bob', 'private.*')
  await expect(status).toHaveText('Refused (another account)', { timeout: 10_000 })
  await publish(url, 'private.x', 'while Bob is here')

  await expect(page.getByText('You are now signed in with a different account.')).toBeVisible()
  await expect.poll(openStreams).toBe(0)
  await page.waitForTimeout(3_000)
  await expect(status).toHaveText('Refused (another account)')
  await expect(events).toHaveText([/while Ana is here/])
  expect(await openStreams()).toBe(0)
  await reload.click()
  await expect(status).toHaveText('Live')
  await expect(events).toHaveText([/while Ana is here/, /while Bob is here/])
})

test('Start on a page that another account took over begins with an empty list', async ({
  context,
  start,
}) => {
  const { url } = await start({ env: shortStreams })
  await signIn(context, url, 'ana', '*')
  const page = await openTab(context, url, 'private.x')
  const { status, events } = parts(page)
  await expect(status).toHaveText('Live')
  await publish(url, 'private.x', 'while Ana is here')
  await expect(events).toHaveText([/while Ana is here/])
  await signIn(context, url, 'bob', 'private.*')
  await expect(status).toHaveText('Refused (another account)', { timeout: 10_000 })

  await parts(page).start.click()

  // The topic lets Bob read it, too: and starts with what is kept.
  await expect(status).toHaveText('Live')
  await expect(events).toHaveText([/while Ana is here/])
  await expect(events.first()).toHaveAttribute('aria-setsize', '1')
})

test('Bob’s tab opened beside Ana’s shows nothing of Ana’s, and ends hers', async ({
  context,
  start,
}) => {
  const { url, openStreams } = await start({ env: { PUBLIC_TOPICS: '' } })
  await signIn(context, url, 'ana', 'private.*')
  const anas = await openTab(context, url, 'private.x')
  await publish(url, 'private.x', 'while Ana is here')
  await expect(parts(anas).events).toHaveText([/while Ana is here/])
  await expect(parts(anas).tabs).toHaveText('1 tab')

  await signIn(context, url, 'bob', 'news')
  const refused = await openTab(context, url, 'private.x')
  await expect(parts(refused).status).toHaveText('Refused (not allowed)')
  await expect(parts(refused).events).toHaveCount(0)
  await expect(parts(anas).status).toHaveText('Live')

  await signIn(context, url, 'bob', 'private.*')
  const bobs = await openTab(context, url, 'private.x')
  await expect(parts(bobs).status).toHaveText('Live')
  await expect(parts(anas).status).toHaveText('Refused (another account)')
  await publish(url, 'private.x', 'while Bob is here')

  await expect(parts(bobs).events.last()).toContainText('while Bob is here')
  await expect(parts(bobs).tabs).toHaveText('1 tab')
  await expect(parts(anas).events).toHaveText([/while Ana is here/])
  expect(await openStreams()).toBe(1)
})

test('Ana’s frozen page, alone and beside Bob’s, shows nothing of Bob’s', async ({
  context,
  start,
}) => {
  const { url, openStreams } = await start({ env: shortStreams })
  await signIn(context, url, 'ana', 'private.*')
  const anas = await openTab(context, url, 'private.x')
  await publish(url, 'private.x', 'while Ana is here')
  await expect(parts(anas).events).toHaveText([/while Ana is here/])

  const browser = await context.newCDPSession(anas)
  await browser.send('Page.setWebLifecycleState', { state: 'frozen' })
  await signIn(context, url, 'bob', 'private.*')
  await expect.poll(openStreams, { timeout: 10_000 }).toBe(0)
  await publish(url, 'private.x', 'before Bob’s page')
  const bobs = await openTab(context, url, 'private.x')
  await publish(url, 'private.x', 'beside Bob’s page')
  await expect(parts(bobs).events.last()).toContainText('beside Bob’s page')
  await browser.send('Page.setWebLifecycleState', { state: 'active' })

  await expect(parts(anas).status).toHaveText('Refused (another account)', { timeout: 10_000 })
  await expect(parts(anas).events).toHaveText([/while Ana is here/])
  await expect(parts(bobs).status).toHaveText('Live')
})

test('Ana’s page, gone back to after Bob has logged in, shows nothing of Ana’s alone', async ({
  context,
  start,
}) => {
  const { url } = await start({ env: shortStreams })
  await signIn(context, url, 'ana', 'private.*')
  const page = await openTab(context, url, 'private.ana')
  await publish(url, 'private.ana', 'for Ana alone')
  await expect(parts(page).events).toHaveText([/for Ana alone/])

  await page.goto(url)
  await signIn(context, url, 'bob', 'private.bob')
  await page.goBack()

  await expect(parts(page).status).toHaveText('Refused (not allowed)')
  await expect(parts(page).events).toHaveCount(0)
})

test('Tabs of one person share a stream, whichever token they came with, and public topics are everybody’s', async ({
  context,
  start,
}) => {
  const { url, openStreams } = await start({ env: { PUBLIC_TOPICS: 'news' } })
  const tabsOf = async (topic: string, subs: string[]): Promise<Page[]> => {
    const tabs: Page[] = []
    for (const sub of subs) {
      await signIn(context, url, sub, 'private.*')
      const tab = await openTab(context, url, topic)
      await expect(parts(tab).status).toHaveText('Live')
      tabs.push(tab)
    }
    return tabs
  }

  const guarded = await tabsOf('private.x', ['ana', 'ana', 'ana'])
  const open = await tabsOf('news', ['bob', 'ana', 'bob'])

  for (const tab of [...guarded, ...open]) await expect(parts(tab).tabs).toHaveText('3 tabs')
  await publish(url, 'private.x', 'one')
  await publish(url, 'news', 'one')
  for (const tab of [...guarded, ...open]) await expect(parts(tab).events).toHaveText([/one/])
  expect(await openStreams()).toBe(2)
})
