/** The home page, used as a reader uses it: in a real Chromium, against `next start`. */
import { AxeBuilder } from '@axe-core/playwright'
import type { Page, Request } from 'playwright/test'
import { test, expect } from '../../test/fixtures/page-test'

const greetings = [/Hi there/, /How are you\?/, /I am fine/]

function controls(page: Page) {
  return {
    start: page.getByRole('button', { name: 'Start' }),
    stop: page.getByRole('button', { name: 'Stop' }),
    clear: page.getByRole('button', { name: 'Clear' }),
    status: page.getByRole('status').first(),
    events: page.getByRole('log', { name: 'Events' }).getByRole('listitem'),
  }
}

/** Collects the page's requests to `/events` from now on. */
function watchRequests(page: Page): Request[] {
  const requests: Request[] = []
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === '/events') requests.push(request)
  })
  return requests
}

/** Answers `/events` with `body`, like a server that sends all of it and closes. */
async function answerEvents(page: Page, body: string): Promise<void> {
  await page.route('**/events*', (route) =>
    route.fulfill({ headers: { 'content-type': 'text/event-stream' }, body }),
  )
}

test.afterEach(async ({ page, server }) => {
  await page.close()
  await expect.poll(server.openStreams).toBe(0)
})

test('Three greetings arrive, two seconds apart, then the stream ends and stays ended', async ({
  page,
}) => {
  const requests = watchRequests(page)
  const { status, events } = controls(page)

  await page.goto('/')
  await expect(status).toContainText('Ended', { timeout: 15_000 })
  await page.waitForTimeout(10_000)

  await expect(events).toHaveText(greetings)
  const [first = 0, second = 0, third = 0] = await events
    .locator('time')
    .evaluateAll((times) => times.map((time) => Date.parse((time as HTMLTimeElement).dateTime)))
  expect(second - first).toBeGreaterThan(1_500)
  expect(third - second).toBeGreaterThan(1_500)
  expect(requests).toHaveLength(1)
})

test('Stop stops the list and closes the request; Start plays the greetings again, in one request', async ({
  page,
  server,
}) => {
  const requests = watchRequests(page)
  const { start, stop, status, events } = controls(page)
  await page.goto('/')
  await expect(status).toContainText('Live')
  await expect(start).toBeDisabled()

  await stop.click()

  await expect(status).toContainText('Stopped')
  await expect(stop).toBeDisabled()
  await expect.poll(server.openStreams).toBe(0)
  const count = await events.count()
  await page.waitForTimeout(2_500)
  await expect(events).toHaveCount(count)

  await start.click()

  await expect(status).toContainText('Ended', { timeout: 15_000 })
  await expect(events).toHaveCount(count + 3)
  await expect(events.nth(count)).toContainText('Hi there')
  expect(requests).toHaveLength(2)
})

test('Clear empties the list and leaves the connection alone', async ({ page }) => {
  const requests = watchRequests(page)
  const { clear, status, events } = controls(page)
  await page.goto('/')
  await expect(events.filter({ hasText: 'Hi there' })).toBeVisible()

  await clear.click()

  await expect(events.filter({ hasText: 'Hi there' })).toHaveCount(0)
  await expect(status).toContainText('Ended', { timeout: 15_000 })
  await expect(events.last()).toContainText('I am fine')
  expect(requests).toHaveLength(1)

  await clear.click()

  await expect(events).toHaveCount(0)
  await expect(clear).toBeDisabled()
  expect(requests).toHaveLength(1)
})

test('Fast clicking never doubles a greeting', async ({ page }) => {
  const { start, stop, status, events, clear } = controls(page)
  await page.goto('/')
  await expect(status).toContainText('Live')

  for (let n = 0; n < 15; n++) {
    await stop.click({ force: true })
    await start.dblclick({ force: true })
  }
  await stop.click()
  await clear.click({ force: true })
  await start.click()

  await expect(status).toContainText('Ended', { timeout: 15_000 })
  await expect(events).toHaveText(greetings)
})

test('Leaving the page closes the stream on the server', async ({ page, server }) => {
  await page.goto('/')
  await expect(controls(page).status).toContainText('Live')
  expect(await server.openStreams()).toBe(1)

  await page.goto('about:blank')

  await expect.poll(server.openStreams).toBe(0)
})

test('A message is text, whatever is in it', async ({ page }) => {
  const message = '<img src=x onerror="document.title=\'owned\'">'
  await answerEvents(page, `data: ${JSON.stringify({ message })}\n\nevent: end\ndata: {}\n\n`)

  await page.goto('/')

  await expect(controls(page).events).toContainText(message)
  await expect(page.locator('img')).toHaveCount(0)
  await expect(page).not.toHaveTitle('owned')
})

test('Data that is no JSON, or very long, is shown as it is and breaks nothing', async ({
  page,
}) => {
  await page.setViewportSize({ width: 320, height: 640 })
  const long = 'w'.repeat(2_000)
  await answerEvents(page, `data: plain\n\ndata: ${long}\n\nevent: end\ndata: {}\n\n`)

  await page.goto('/')

  await expect(controls(page).events).toHaveText([/plain/, new RegExp(long)])
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320)
})

test('Works with the keyboard alone', async ({ page }) => {
  const { start, stop, clear, status, events } = controls(page)
  await page.goto('/')
  await expect(events.first()).toBeVisible()

  await stop.focus()
  await page.keyboard.press('Enter')
  await expect(status).toContainText('Stopped')
  await expect(stop).toBeFocused()

  await page.keyboard.press('Tab')
  await expect(clear).toBeFocused()
  await page.keyboard.press('Space')
  await expect(events).toHaveCount(0)

  await page.keyboard.press('Shift+Tab')
  await page.keyboard.press('Shift+Tab')
  await expect(start).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(events.first()).toContainText('Hi there')
})

test('Opens a topic by its name, and closes the greeting stream', async ({ page }) => {
  await page.goto('/')
  const name = page.getByRole('textbox', { name: 'Topic name' })
  await expect(name).toHaveValue('demo')

  await name.fill('home-opens.this_one')
  await name.press('Enter')

  await expect(page).toHaveURL('/topics/home-opens.this_one')
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('home-opens.this_one')
  await expect(controls(page).status).toContainText('Live')
  await page.getByRole('link', { name: 'next-sse' }).click()
  await expect(page).toHaveURL('/')
  await page.getByRole('link', { name: 'Live topic' }).click()
  await expect(page).toHaveURL('/topics/demo')
})

test('Says what a topic may be called, and stays', async ({ page }) => {
  await page.goto('/')
  const name = page.getByRole('textbox', { name: 'Topic name' })

  for (const none of ['', 'two words', 'a/b', '../events', '-x', 'x'.repeat(65)]) {
    await name.fill(none)
    await expect(name).toHaveAttribute('aria-invalid', 'false')
    await page.getByRole('button', { name: 'Open topic' }).click()
    await expect(name).toHaveAttribute('aria-invalid', 'true')
    await expect(name).toHaveAccessibleDescription(/64 letters, digits/)
  }

  await expect(page).toHaveURL('/')
})

test.describe('With a server that refuses or vanishes', () => {
  // Chromium prints these failures by itself; nothing a page does can keep them out of the console.
  test.use({ toleratedComplaint: /EventSource|Failed to load resource/ })

  test('a server in trouble is asked again, less and less often, or when the reader wants', async ({
    page,
  }) => {
    const requests = watchRequests(page)
    const { start, stop, status } = controls(page)
    // Every wait is half of its maximum.
    await page.addInitScript(() => {
      Math.random = () => 0.5
    })
    await page.route('**/events*', (route) => route.fulfill({ status: 500 }))

    await page.goto('/')

    // Each attempt is two requests: the EventSource, and the request for the reason.
    await expect(status).toHaveText(/^Reconnecting in [12] s \(attempt 2\)$/)
    await expect(start).toBeDisabled()
    await expect(stop).toBeEnabled()
    await expect(status).toHaveText(/^Reconnecting in [45] s \(attempt 4\)$/)
    await expect(status).toHaveText(/^Reconnecting in [1-3] s \(attempt 4\)$/)
    await expect(status).toMatchAriaSnapshot('- status: Reconnecting (attempt 4)')
    expect(requests).toHaveLength(4)

    await page.getByRole('button', { name: 'Retry now' }).click()

    await expect(status).toContainText('(attempt 6)')
    await page.waitForTimeout(4_000)
    expect(requests).toHaveLength(6)
  })

  for (const { answer, reason, sentence } of [
    { answer: 400, reason: 'no such stream', sentence: 'There is no such stream.' },
    { answer: 401, reason: 'sign in first', sentence: 'Sign in to read this stream.' },
    { answer: 403, reason: 'not allowed', sentence: 'You may not read this stream.' },
    { answer: 404, reason: 'no such stream', sentence: 'There is no such stream.' },
    { answer: 200, reason: 'no event stream', sentence: 'The server refused the stream.' },
  ]) {
    test(`after ${answer} and no event stream it says “${reason}”, and asks no more`, async ({
      page,
    }) => {
      const requests = watchRequests(page)
      const { start, stop, clear, status } = controls(page)
      await page.route('**/events*', (route) => route.fulfill({ status: answer }))

      await page.goto('/')

      await expect(status).toHaveText(`Refused (${reason})`)
      await expect(page.getByText(sentence)).toBeVisible()
      await expect(start).toBeEnabled()
      await expect(stop).toBeDisabled()
      await expect(clear).toBeDisabled()
      await page.waitForTimeout(4_000)
      expect(requests).toHaveLength(2)
    })
  }

  test('a lost connection is opened again by itself, and goes on after its last event', async ({
    page,
  }) => {
    const requests = watchRequests(page)
    const { status, events } = controls(page)
    await page.route(
      '**/events*',
      (route) =>
        route.fulfill({
          headers: { 'content-type': 'text/event-stream' },
          body: 'id: hello.1\ndata: {"message":"Hi there"}\n\n',
        }),
      { times: 1 },
    )

    await page.goto('/')

    await expect(status).toContainText('Reconnecting')
    await expect(page.getByText('Will resume after 1')).toBeVisible()
    await expect(status).toContainText('Ended', { timeout: 15_000 })
    await expect(events).toHaveText(greetings)
    expect(requests.map((request) => new URL(request.url()).search)).toEqual([
      '',
      '?lastEventId=hello.1',
    ])
  })

  test('Stop stays stopped while the client waits to ask again, and Clear still works', async ({
    page,
  }) => {
    const requests = watchRequests(page)
    const { start, stop, clear, status, events } = controls(page)
    // Asked to come back in a minute, so that there is time to click.
    const asked = 'event: reconnect\ndata: {"retryMs":60000,"reason":"unavailable"}\n\n'
    await answerEvents(page, `data: one\n\n${asked}`)
    await page.goto('/')
    await expect(status).toContainText('Reconnecting')
    await expect(events).toHaveText([/one/])

    await clear.click()
    await expect(events).toHaveCount(0)
    await expect(status).toContainText('Reconnecting')
    await stop.click()

    await expect(status).toHaveText('Stopped')
    await expect(start).toBeEnabled()
    const count = requests.length
    await page.waitForTimeout(5_000)
    await expect(status).toHaveText('Stopped')
    expect(requests).toHaveLength(count)
  })

  test('without a network it pauses, and goes on when the network is back', async ({
    page,
    context,
  }) => {
    const { start, stop, clear, status, events } = controls(page)
    await page.goto('/')
    await expect(status).toContainText('Live')
    // A stream that is open may outlive the network: only the next one notices.
    await stop.click()
    await clear.click({ force: true })

    await context.setOffline(true)
    await start.click()
    await expect(status).toHaveText('Paused (offline)')
    await expect(stop).toBeEnabled()
    await context.setOffline(false)

    await expect(status).toContainText('Ended', { timeout: 15_000 })
    await expect(events).toHaveText(greetings)
  })
})

test.describe('Without JavaScript', () => {
  test.use({ javaScriptEnabled: false })

  test('the page says what is missing', async ({ page, server }) => {
    await page.goto('/')

    await expect(page.getByRole('heading', { name: 'Events from the server' })).toBeVisible()
    await expect(page.getByText(/JavaScript/)).toBeVisible()
    await expect(page.getByText(`curl -N ${new URL(server.url).host}/events`).first()).toBeVisible()
    await expect(controls(page).start).toBeHidden()
  })
})

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(`In ${colorScheme}`, () => {
    test.use({ colorScheme })

    for (const width of [1280, 320]) {
      test(`axe finds nothing at ${width} px, and nothing scrolls sideways`, async ({ page }) => {
        await page.setViewportSize({ width, height: 900 })
        await page.goto('/')
        await expect(controls(page).events.nth(1)).toBeVisible()

        const { violations } = await new AxeBuilder({ page }).analyze()

        expect(violations).toEqual([])
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
      })
    }
  })
}
