/** Many tabs of one browser, over HTTP/1.1, in a real Chromium: they share one connection, whatever becomes of tabs, worker and server. */
import { randomUUID } from 'node:crypto'
import type { Browser, BrowserContext, CDPSession, Locator, Page } from 'playwright/test'
import { asPublisher } from '../../test/requests/publisher'
import { expect, test } from '../../test/fixtures/page-test'

test.use({
  // Chromium prints lost connections by itself.
  toleratedComplaint: /Failed to load resource|ERR_/,
  // With room for all the figures.
  viewport: { width: 1440, height: 900 },
})
function parts(page: Page) {
  const log = page.getByRole('log', { name: 'Events' })
  return {
    start: page.getByRole('button', { name: 'Start' }),
    stop: page.getByRole('button', { name: 'Stop' }),
    status: page.getByRole('status').first(),
    rows: log.getByRole('listitem'),
  }
}

/** The figure beside `term`. */
function figure(page: Page, term: string): Locator {
  return page.getByRole('term').filter({ hasText: term }).locator('xpath=following-sibling::dd[1]')
}

async function publish(url: string, topic: string, ...texts: string[]): Promise<void> {
  const response = await fetch(`${url}/events/${topic}`, {
    method: 'POST',
    headers: { ...asPublisher, 'content-type': 'application/x-ndjson' },
    body: texts.map((text) => JSON.stringify(text)).join('\n'),
  })
  expect(response.status).toBe(201)
}

async function openTab(context: BrowserContext, url: string): Promise<Page> {
  const tab = await context.newPage()
  await tab.goto(url)
  await expectLive(tab)
  return tab
}

async function openTabs(context: BrowserContext, url: string, count: number): Promise<Page[]> {
  const tabs: Page[] = []
  for (let n = 0; n < count; n++) tabs.push(await openTab(context, url))
  return tabs
}

/** Within the time in which a tab notices that the worker is gone, and more on a busy machine. */
async function expectLive(...tabs: Page[]): Promise<void> {
  for (const tab of tabs) await expect(parts(tab).status).toHaveText('Live', { timeout: 40_000 })
}

/** Each tab shows these events, and no other, each once. */
async function expectEvents(tabs: readonly Page[], texts: readonly string[]): Promise<void> {
  for (const tab of tabs) {
    await expect(parts(tab).rows).toHaveText(
      texts.map((text) => new RegExp(`"${text}"`)),
      { timeout: 20_000 },
    )
  }
}

async function workersOf(session: CDPSession): Promise<string[]> {
  const { targetInfos } = await session.send('Target.getTargets')
  return targetInfos.flatMap(({ type, targetId }) => (type === 'shared_worker' ? [targetId] : []))
}

/** Ends the workers that read for all tabs, as a crash does; returns how many there were. */
async function crashWorkers(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession()
  const workers = await workersOf(session)
  for (const targetId of workers) await session.send('Target.closeTarget', { targetId })
  await session.detach()
  return workers.length
}

/** Stops the workers that read for all tabs in the midst of what they do, as an endless loop does. */
async function hangWorkers(browser: Browser): Promise<void> {
  const session = await browser.newBrowserCDPSession()
  for (const targetId of await workersOf(session)) {
    const { sessionId } = await session.send('Target.attachToTarget', { targetId })
    for (const [id, method] of ['Debugger.enable', 'Debugger.pause'].entries()) {
      const message = JSON.stringify({ id, method })
      await session.send('Target.sendMessageToTarget', { sessionId, message })
    }
  }
}

test(
  'However many tabs are on a topic, it is one stream, and each tab sees every event once',
  { tag: '@soak' },
  async ({ context, server, isSoak }) => {
    const topic = `tabs-${randomUUID()}`
    const url = `${server.url}/topics/${topic}`
    const [first, ...rest] = await openTabs(context, url, isSoak ? 20 : 8)
    if (!first) throw new Error('There is no tab.')
    const tabs = [first, ...rest]

    await publish(server.url, topic, 'one', 'two')

    await expectEvents(tabs, ['one', 'two'])
    expect(await server.openStreams()).toBe(1)
    const late = await openTab(context, url)
    await expectEvents([late], ['one', 'two'])
    await first.close()
    await late.reload()
    await publish(server.url, topic, 'three')
    await expectEvents([...rest, late], ['one', 'two', 'three'])
    expect(await server.openStreams()).toBe(1)

    await context.close()
    await expect.poll(server.openStreams).toBe(0)
  },
)

test('When the worker crashes, the tabs share another one, and miss nothing', async ({
  browser,
  context,
  server,
}) => {
  const topic = `tabs-${randomUUID()}`
  const tabs = await openTabs(context, `${server.url}/topics/${topic}`, 5)
  await publish(server.url, topic, 'one')
  await expectEvents(tabs, ['one'])

  expect(await crashWorkers(browser)).toBe(1)
  await publish(server.url, topic, 'two')

  await expectEvents(tabs, ['one', 'two'])
  await expectLive(...tabs)
  await expect.poll(server.openStreams).toBe(1)
  await publish(server.url, topic, 'three')
  await expectEvents(tabs, ['one', 'two', 'three'])
})

test(
  'When the worker hangs, each tab goes on by itself',
  { tag: '@soak-only' },
  async ({ browser, context, server }) => {
    const topic = `tabs-${randomUUID()}`
    const tabs = await openTabs(context, `${server.url}/topics/${topic}`, 2)
    await publish(server.url, topic, 'one')
    await expectEvents(tabs, ['one'])

    await hangWorkers(browser)
    await publish(server.url, topic, 'two')
    for (const tab of tabs) {
      await expect(parts(tab).status).toContainText('Reconnecting', { timeout: 30_000 })
    }

    await expectLive(...tabs)
    await expectEvents(tabs, ['one', 'two'])
    for (const tab of tabs) await expect(figure(tab, 'Shared by')).toHaveCount(0)
  },
)

test('Tabs are closed, reloaded, left and gone back to: the others go on, and none misses anything', async ({
  context,
  server,
}) => {
  const topic = `tabs-${randomUUID()}`
  const url = `${server.url}/topics/${topic}`
  const [closed, reloaded, left, other] = (await openTabs(context, url, 4)) as [
    Page,
    Page,
    Page,
    Page,
  ]
  await publish(server.url, topic, 'one')
  await expectEvents([closed, reloaded, left, other], ['one'])

  await closed.close()
  await reloaded.reload()
  await left.goto(server.url)
  await publish(server.url, topic, 'two')
  await left.goBack()

  await expectEvents([reloaded, left, other], ['one', 'two'])
  await left.getByRole('link', { name: 'next-sse' }).click()
  await expect(left).toHaveURL(`${server.url}/`)
  await publish(server.url, topic, 'three')
  await left.goBack()
  await expectEvents([reloaded, left, other], ['one', 'two', 'three'])
  await expect.poll(server.openStreams).toBe(1)
  await expect(figure(other, 'Shared by')).toHaveText('3 tabs')
  // As when the browser keeps the page to go back to.
  await left.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })))
  await expect(parts(left).status).toContainText('Paused')
  await expect(figure(other, 'Shared by')).toHaveText('2 tabs')
  await publish(server.url, topic, 'four')
  await left.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })))
  await expectEvents([reloaded, left, other], ['one', 'two', 'three', 'four'])
})

test('Stop is a tab’s own, and the last one closes the stream', async ({ context, server }) => {
  const topic = `tabs-${randomUUID()}`
  const tabs = await openTabs(context, `${server.url}/topics/${topic}`, 3)
  const [first, ...others] = tabs as [Page, ...Page[]]

  await parts(first).stop.click()
  await publish(server.url, topic, 'one')

  await expectEvents(others, ['one'])
  await expect(parts(first).status).toHaveText('Stopped')
  await expectEvents([first], [])
  expect(await server.openStreams()).toBe(1)
  for (const tab of others) await parts(tab).stop.click()
  await expect.poll(server.openStreams).toBe(0)
  await publish(server.url, topic, 'two')
  for (const tab of tabs) await parts(tab).start.click()
  await expectEvents(tabs, ['one', 'two'])
  await expect.poll(server.openStreams).toBe(1)
})

test('When the server is killed and started again, all tabs go on where they were', async ({
  context,
  start,
}) => {
  const topic = `tabs-${randomUUID()}`
  const first = await start()
  const tabs = await openTabs(context, `${first.url}/topics/${topic}`, 4)
  await publish(first.url, topic, 'one')
  await expectEvents(tabs, ['one'])

  await first.stop()
  for (const tab of tabs) await expect(parts(tab).status).toContainText('Reconnecting')
  const server = await start({ port: Number(new URL(first.url).port) })
  await publish(server.url, topic, 'two')

  await expectLive(...tabs)
  await expectEvents(tabs, ['one', 'two'])
  await expect.poll(server.openStreams).toBe(1)
})

test('Eight tabs on eight topics all load, over one connection, and each has its own events', async ({
  browser,
  context,
  server,
}) => {
  const topics = Array.from({ length: 8 }, () => `tabs-${randomUUID()}`)
  const tabs: Page[] = []
  for (const topic of topics) tabs.push(await openTab(context, `${server.url}/topics/${topic}`))

  await expect.poll(server.openStreams).toBe(1)
  for (const topic of topics) await publish(server.url, topic, `one of ${topic}`)
  for (const [index, tab] of tabs.entries()) await expectEvents([tab], [`one of ${topics[index]}`])
  for (const tab of tabs) await expect(figure(tab, 'Shared by')).toHaveText('1 tab')

  expect(await crashWorkers(browser)).toBe(1)
  for (const topic of topics) await publish(server.url, topic, `two of ${topic}`)
  for (const [index, tab] of tabs.entries()) {
    await expectEvents([tab], [`one of ${topics[index]}`, `two of ${topics[index]}`])
  }
  await expectLive(...tabs)
  await expect.poll(server.openStreams).toBe(1)
})

test('Where there is no SharedWorker, each tab has a stream of its own', async ({
  context,
  server,
}) => {
  const topic = `tabs-${randomUUID()}`
  await context.addInitScript(() => Reflect.deleteProperty(globalThis, 'SharedWorker'))
  const tabs = await openTabs(context, `${server.url}/topics/${topic}`, 2)

  await publish(server.url, topic, 'one')

  await expectEvents(tabs, ['one'])
  expect(await server.openStreams()).toBe(2)
})
