/** The chat: the real `useChat` over `chatRoute`, in Chromium. An answer outlives its page, and is the same in every tab. */
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright/test'
import { expect, test as base } from '../../test/fixtures/page-test'
import { checkLooks } from '../../test/pages/check-looks'
import type { RunningServer } from '../../test/servers/start-server'

const test = base.extend<{ chats: RunningServer }>({
  chats: async ({ start, folder }, use) => {
    await use(await start({ env: { APP_DATABASE: `${folder}/app.db`, RETRY: '200ms' } }))
  },
  // A server that is killed cuts the page's connections.
  toleratedComplaint: /net::ERR_/,
})
function parts(page: Page) {
  return {
    messages: page.getByRole('list', { name: 'Messages' }).getByRole('listitem'),
    answer: page.getByRole('list', { name: 'Messages' }).getByRole('listitem').last(),
    field: page.getByLabel('Message', { exact: true }),
    stop: page.getByRole('button', { name: 'Stop' }),
    send: page.getByRole('button', { name: 'Send' }),
    regenerate: page.getByRole('button', { name: 'Regenerate' }),
    status: page.getByRole('status'),
  }
}

async function newChat(page: Page, { url }: RunningServer): Promise<string> {
  await page.goto(`${url}/chat`)
  await expect(page).toHaveURL(/\/chat\/[\w-]{36}$/)
  return page.url()
}

async function ask(page: Page, text: string): Promise<void> {
  await parts(page).field.fill(text)
  await parts(page).send.click()
  await expect(parts(page).status).toHaveText('Writing…')
}

/** The words of the newest answer. */
async function words(page: Page): Promise<string[]> {
  const text = (await parts(page).answer.locator('p').textContent()) ?? ''
  return text.trim().split(/\s+/)
}

async function expectWords(page: Page, count: number): Promise<void> {
  await expect.poll(async () => (await words(page)).length).toBeGreaterThanOrEqual(count)
}

async function expectReady(...pages: Page[]): Promise<void> {
  for (const page of pages) await expect(parts(page).send).toBeVisible({ timeout: 20_000 })
}

test('An answer survives a reload in the middle, and is the same in a second tab that joins, and in a third that leaves', async ({
  page,
  context,
  chats,
}) => {
  const address = await newChat(page, chats)
  const second = await context.newPage()
  await second.goto(address)
  await ask(page, 'Say 500 words')
  await expectWords(page, 5)
  await expectWords(second, 5)
  const third = await context.newPage()
  await third.goto(address)
  await expectWords(third, 10)
  await third.close()

  await page.reload()
  await expect(parts(page).status).toHaveText('Writing…')
  await expectWords(page, 12)
  const seen = (await words(page)).length
  await expectWords(page, seen + 5)
  await parts(page).stop.click()
  await expectReady(page, second)

  expect(await words(second)).toEqual(await words(page))
  await page.reload()
  expect(await words(second)).toEqual(await words(page))
  await expect(parts(page).messages).toHaveCount(2)
})

test('A second tab stops the answer of the first; what was written stays', async ({
  page,
  context,
  chats,
}) => {
  const address = await newChat(page, chats)
  await ask(page, 'Say 400 words')
  await expectWords(page, 3)
  const second = await context.newPage()
  await second.goto(address)
  await expectWords(second, 5)

  await parts(second).stop.click()

  await expectReady(page, second)
  const written = await words(page)
  expect(written.length).toBeLessThan(300)
  await page.reload()
  expect(await words(page)).toEqual(written)
  expect(await words(second)).toEqual(written)
})

test('Regenerate writes another answer in its place, in every tab', async ({
  page,
  context,
  chats,
}) => {
  const address = await newChat(page, chats)
  await ask(page, 'Say 12 words')
  await expectReady(page)
  const second = await context.newPage()
  await second.goto(address)
  const first = await words(page)

  await parts(page).regenerate.click()

  await expect.poll(() => words(second)).not.toEqual(first)
  await expectReady(page, second)
  expect(await words(second)).toEqual(await words(page))
  await expect(parts(second).messages).toHaveCount(2)
})

test('When the server is killed, the page says that the answer was lost, and Regenerate writes another @soak-only', async ({
  page,
  start,
  folder,
  chats,
}, testInfo) => {
  await newChat(page, chats)
  await ask(page, 'Say 300 words')
  await expectWords(page, 5)

  await chats.stop()
  await expect(parts(page).status).toContainText('Reconnecting')
  await checkLooks(page, 'chat-away', testInfo)
  const env = { APP_DATABASE: `${folder}/app.db`, RETRY: '200ms' }
  await start({ env, port: Number(new URL(chats.url).port) })

  // Nothing is heard of the run for its lease of 15 s.
  await expect(parts(page).status).toContainText('The answer was lost', { timeout: 45_000 })
  await page.reload()
  await expect(parts(page).status).toContainText('The answer was lost')
  await expectWords(page, 5)
  await parts(page).field.fill('Say 12 words')
  await parts(page).regenerate.click()
  await parts(page).stop.click()
  await expectReady(page)
  await expect(parts(page).messages).toHaveCount(2)
})

test('While its server is away, a chat says in every tab that it reconnects, and then that it is written', async ({
  page,
  context,
  start,
  folder,
  chats,
}) => {
  const address = await newChat(page, chats)
  const other = await context.newPage()
  await other.goto(address)
  await ask(page, 'Say 300 words')
  await expectWords(other, 5)

  await chats.stop()

  for (const tab of [page, other]) {
    await expect(parts(tab).status).toHaveText(/^Reconnecting (now|in \d+ s) \(attempt \d+\)$/)
  }
  await parts(page).stop.click()
  await expect(parts(page).status).toContainText('Reconnecting')
  const env = { APP_DATABASE: `${folder}/app.db`, RETRY: '200ms' }
  await start({ env, port: Number(new URL(chats.url).port) })
  for (const tab of [page, other]) {
    await expect(parts(tab).status).toHaveText('Writing…', { timeout: 20_000 })
  }
})

test('Eight chats in eight tabs are answered at the same time over one connection, and can be stopped @soak-only', async ({
  context,
  page,
  chats,
}) => {
  const tabs = [page]
  while (tabs.length < 8) tabs.push(await context.newPage())
  for (const tab of tabs) {
    await newChat(tab, chats)
    await ask(tab, 'Say 500 words')
  }
  for (const tab of tabs) await expectWords(tab, 5)
  await expect.poll(chats.openStreams).toBe(1)

  for (const tab of tabs) await parts(tab).stop.click()

  await expectReady(...tabs)
})

test('Is accessible, in light and in dark, and fits 320 pixels', async ({ page, chats }) => {
  await page.setViewportSize({ width: 320, height: 640 })
  await newChat(page, chats)
  await ask(page, 'Say 40 words')
  await expectReady(page)

  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations).toEqual([])
  }
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320)
})
