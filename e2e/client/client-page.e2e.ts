/** The client in a real Chromium, when its page is hidden, frozen, left, come back to, or done with the stream. */
import type { Page } from 'playwright/test'
import { openClient, type ClientInPage } from '../../test/pages/client-page'
import { expect, test } from '../../test/fixtures/client-test'
import {
  answerWith,
  streamOf,
  type Answer,
  type StreamOrigin,
} from '../../test/servers/stream-origin'
import { publish } from '../../test/requests/publish'

/** What a page is told when its tab goes to the background, and when it comes back; its timers are left as they are. */
async function setHidden(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, isHidden)
}

/** Ten minutes with every event that makes a stream ask again. */
async function passTenMinutes(page: Page): Promise<void> {
  await page.clock.fastForward(10 * 60_000)
  await setHidden(page, true)
  await setHidden(page, false)
  await page.evaluate(() => dispatchEvent(new Event('online')))
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })))
  await page.evaluate(() => fetch('/client'))
}

test('A page hidden for an hour keeps its stream while it lives', async ({ page, originOf }) => {
  await page.clock.install()
  const origin = await originOf()
  const connected = 'event: connected\ndata: {"heartbeatMs":15000}\n\n'
  let send: (text: string) => void = () => {}
  origin.answer = (request, response) => {
    streamOf(connected)(request, response)
    send = (text) => response.write(text)
  }
  const client = await openClient(page, origin.url, { url: '/events' })
  await client.until('open')

  await setHidden(page, true)
  for (let minute = 1; minute <= 60; minute++) {
    send(`data: ${minute}\n\n`)
    await expect.poll(async () => (await client.data()).length, { intervals: [5] }).toBe(minute)
    // In the background a timer may be late by a minute.
    await page.clock.fastForward(60_000)
  }
  send('data: last\n\n')
  await expect.poll(async () => (await client.data()).length).toBe(61)
  await setHidden(page, false)

  expect((await client.state()).status).toBe('open')
  expect(origin.requests).toHaveLength(1)
})

test('A page that is shown again notices at once that its connection died meanwhile', async ({
  page,
  originOf,
}) => {
  const origin = await originOf()
  origin.answer = streamOf('event: connected\nid: abcd.7\ndata: {"heartbeatMs":15000}\n\n')
  const client = await openClient(page, origin.url, { url: '/events', random: 0 })
  await expect.poll(async () => (await client.state()).lastEventId).toBe('abcd.7')

  await setHidden(page, true)
  await page.evaluate(() => {
    const later = Date.now() + 60 * 60_000
    Date.now = () => later
  })
  origin.answer = streamOf('id: abcd.8\ndata: missed\n\n')
  await setHidden(page, false)
  await client.untilData(['missed'])

  expect((await client.recorded()).errors).toMatchObject([{ kind: 'silent' }])
  expect(origin.requests.map(({ url }) => url)).toEqual(['/events', '/events?lastEventId=abcd.7'])
})

test('A page that the browser froze gets what was sent meanwhile, once', async ({
  page,
  originOf,
  start,
}) => {
  const server = await start({ env: { HEARTBEAT: '500ms', STALL: '10s' } })
  const origin = await originOf(server.url)
  const client = await openClient(page, origin.url, { url: '/events/frozen', random: 0 })
  await client.until('open')
  await publish(server.url, 'frozen', 'before')
  await client.untilData(['before'])

  const browser = await page.context().newCDPSession(page)
  await browser.send('Page.setWebLifecycleState', { state: 'frozen' })
  await publish(server.url, 'frozen', 'meanwhile')
  await page.waitForTimeout(2_500)
  await browser.send('Page.setWebLifecycleState', { state: 'active' })
  await publish(server.url, 'frozen', 'after')

  await client.untilData(['before', 'meanwhile', 'after'])
  expect(origin.requests.length).toBeLessThanOrEqual(2)
  expect((await client.recorded()).gaps).toEqual([])
})

test('A page that is left for another asks nothing more', async ({ page, originOf }) => {
  const origin = await originOf()
  origin.answer = streamOf('data: here\n\n')

  for (let visits = 1; visits <= 5; visits++) {
    const client = await openClient(page, origin.url, { url: '/events' })
    await client.untilData(['here'])
  }
  await page.goto('about:blank')

  await expect.poll(origin.pending).toBe(0)
  expect(origin.requests).toHaveLength(5)
})

const url = '/events'

/** How a client gets into each state in which it can be closed. */
const ways: Record<string, (page: Page, origin: StreamOrigin) => Promise<ClientInPage>> = {
  async connecting(page, origin) {
    origin.answer = () => {}
    const client = await openClient(page, origin.url, { url })
    await expect.poll(origin.pending).toBe(1)
    return client
  },
  async open(page, origin) {
    const client = await openClient(page, origin.url, { url })
    await client.until('open')
    return client
  },
  async 'reconnecting, waiting'(page, origin) {
    origin.answer = (request) => request.socket.destroy()
    // The longest wait, so that it is not over before the test goes on.
    const client = await openClient(page, origin.url, { url, random: 0.99 })
    await expect.poll(async () => (await client.state()).retryAt).toBeDefined()
    return client
  },
  async 'reconnecting, asking why'(page, origin) {
    origin.answer = (request, response) => {
      if (origin.requests.length === 1) answerWith(503)(request, response)
    }
    const client = await openClient(page, origin.url, { url })
    await expect.poll(origin.pending).toBe(1)
    await client.until('reconnecting')
    return client
  },
  async paused(page, origin) {
    const client = await ways['open']!(page, origin)
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide')))
    await client.until('paused')
    return client
  },
  async failed(page, origin) {
    origin.answer = answerWith(403)
    const client = await openClient(page, origin.url, { url })
    await client.until('failed')
    return client
  },
  async closed(page, origin) {
    origin.answer = answerWith(204)
    const client = await openClient(page, origin.url, { url })
    await client.until('closed')
    return client
  },
}

for (const [status, reach] of Object.entries(ways)) {
  test(`Closed or let go of while ${status}, it asks no more`, async ({
    page,
    originOf,
    transport,
  }) => {
    test.skip(
      transport === 'fetch' && status.endsWith('asking why'),
      'By fetch, the answer itself says why: nothing is asked.',
    )
    await page.clock.install()
    for (const method of ['close', 'disable'] as const) {
      const origin = await originOf()
      origin.answer = streamOf('data: here\n\n')
      const client = await reach(page, origin)
      const { length } = origin.requests

      await client.call(method)
      const ended = await client.state()
      await passTenMinutes(page)

      // A failed stream is over already, and keeps its reason.
      const closed = status === 'failed' ? 'failed' : 'closed'
      expect(ended.status).toBe(method === 'close' ? closed : 'idle')
      expect(ended.retryAt).toBeUndefined()
      expect(await client.state()).toEqual(ended)
      expect(origin.requests).toHaveLength(length)
      await expect.poll(origin.pending).toBe(0)
    }
  })
}

test('close() in the midst of what the client tells is a close() like any other', async ({
  page,
  originOf,
}) => {
  await page.clock.install()
  for (const listen of ['subscribe', 'onError'] as const) {
    const origin = await originOf()
    origin.answer = answerWith(503)
    const client = await openClient(page, origin.url, { url })
    await page.evaluate((method) => {
      window.client[method](() => window.client.getState().readyState < 2 && window.client.close())
    }, listen)
    await client.until('closed')
    const { length } = origin.requests

    await passTenMinutes(page)

    expect(await client.state()).toMatchObject({ status: 'closed', closedBy: 'user' })
    expect((await client.state()).retryAt).toBeUndefined()
    expect(origin.requests).toHaveLength(length)
  }
})

const topic = '/events/left'

for (const { pill, answer } of [
  { pill: 'Connecting', answer: () => {} },
  { pill: 'Live', answer: streamOf() },
  { pill: 'Reconnecting', answer: answerWith(503) },
  { pill: 'Paused', answer: streamOf() },
  { pill: 'Refused', answer: answerWith(403) },
] satisfies { pill: string; answer: Answer }[]) {
  test(`A topic that is left while its pill says ${pill} asks no more`, async ({
    page,
    originOf,
    server,
  }) => {
    await page.clock.install()
    const origin = await originOf(server.url)
    origin.answer = (request, response) =>
      (request.url?.startsWith(topic) ? answer : streamOf())(request, response)
    const asked = (): number =>
      origin.requests.filter(({ url: path }) => path.startsWith(topic)).length
    await page.goto(`${origin.url}/topics/left`)
    await expect.poll(asked).toBeGreaterThan(0)
    if (pill === 'Paused') {
      await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide')))
    }
    await expect(page.getByRole('status').first()).toContainText(pill)

    await page.getByRole('link', { name: 'next-sse' }).click()
    await expect(page).toHaveURL(`${origin.url}/`)
    await expect(page.getByRole('status').first()).toContainText('Live')
    const count = asked()
    await passTenMinutes(page)

    expect(asked()).toBe(count)
  })
}

test('reconnect() in the midst of what onError tells asks at once', async ({ page, originOf }) => {
  const origin = await originOf()
  origin.answer = (_, response) => {
    const answer = origin.requests.length < 4 ? answerWith(503) : streamOf('data: here\n\n')
    answer(_, response)
  }
  const client = await openClient(page, origin.url, { url })
  await page.evaluate(() => window.client.onError(() => window.client.reconnect()))

  await client.untilData(['here'])
})
