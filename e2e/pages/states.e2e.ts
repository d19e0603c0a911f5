/**
 * Every state of a stream, on a topic's page and at home: what the page says then, and that axe finds nothing in both themes, wide and
 * at 320 px. Leaves pictures of all of them in test-results/states.
 */
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright/test'
import { expect, test } from '../../test/fixtures/client-test'
import { removeSharedWorker } from '../../test/pages/remove-shared-worker'
import { asPublisher } from '../../test/requests/publisher'
import type { Answer, StreamOrigin } from '../../test/servers/stream-origin'

const pictures = join(__dirname, '..', '..', 'test-results', 'states')

interface Stage {
  page: Page
  origin: StreamOrigin
  /** Opens the topic's page, with thirty events, and waits until it shows the last. */
  openWithEvents: () => Promise<void>
  open: () => Promise<void>
  publish: (count: number) => Promise<void>
  /** Stops the stream, starts it again, and answers the new request with `answer`. */
  restart: (answer: Answer) => Promise<void>
}

function parts(page: Page) {
  const log = page.getByRole('log', { name: 'Events' })
  return {
    status: page.getByRole('status').first(),
    start: page.getByRole('button', { name: 'Start' }),
    stop: page.getByRole('button', { name: 'Stop' }),
    log,
    rows: log.getByRole('listitem'),
    filter: page.getByRole('textbox', { name: 'Filter events' }),
    more: page.getByRole('button', { name: / new$/ }),
    retry: page.getByRole('button', { name: 'Retry now' }),
  }
}

const never: Answer = () => {}

function refusal(status: number): Answer {
  return (_, response) => response.writeHead(status).end()
}

/** A stream that sends this, and then nothing. */
function saying(...frames: string[]): Answer {
  return (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(frames.join(''))
  }
}

/** A stream with a reader, and one event. */
function streamOfAna(): Answer {
  const event = { topic: 'orders', type: 'order.paid', time: Date.now(), data: '{"amount":4200}' }
  const told = { heartbeatMs: 15_000, time: Date.now(), reader: 'ana_ana_ana_ana_' }
  return saying(
    `event: connected\nid: k3f9.1\ndata: ${JSON.stringify(told)}\n\n`,
    `id: k3f9.2\ndata: ${JSON.stringify(event)}\n\n`,
  )
}

const anotherReader: Answer = (_, response) => {
  response.writeHead(409, { 'content-type': 'application/problem+json' })
  response.end('{"status":409,"code":"reader-changed"}')
}

const comeLater = 'event: reconnect\ndata: {"retryMs":60000}\n\n'

const states: Record<string, (stage: Stage) => Promise<void>> = {
  async connecting({ page, origin, open }) {
    origin.answer = never
    await open()
    await expect(parts(page).status).toHaveText('Connecting')
    await expect(parts(page).log).toHaveText('Opening the stream')
  },
  async empty({ page, open }) {
    await open()
    await expect(parts(page).status).toHaveText('Live')
    await expect(parts(page).log).toContainText('No events yet')
  },
  async live({ page, openWithEvents }) {
    await openWithEvents()
    await expect(parts(page).status).toHaveText('Live')
  },
  async silent({ page, openWithEvents }) {
    await page.clock.install()
    await openWithEvents()
    await page.clock.fastForward(10_000)
    await expect(page.getByText(/^Listening; last sign of life [1-3]\d s ago$/)).toBeVisible()
  },
  async cleared({ page, openWithEvents }) {
    await openWithEvents()
    await page.getByRole('button', { name: 'Clear' }).click()
    await expect(page.getByText('Cleared. New events appear here.')).toBeVisible()
  },
  async reconnecting({ page, openWithEvents, restart }) {
    await openWithEvents()
    await restart(saying(comeLater))
    await expect(parts(page).status).toHaveText(/^Reconnecting in [1-6]\d s \(attempt 1\)$/)
    await expect(page.getByText(/^Will resume after \d+$/)).toBeVisible()
    await expect(parts(page).retry).toBeEnabled()
  },
  async 'reconnecting without events'({ page, origin, open }) {
    origin.answer = saying(comeLater)
    await open()
    await expect(parts(page).log).toHaveText('Connection lostTrying again automatically.')
  },
  async offline({ page, openWithEvents, restart }) {
    await removeSharedWorker(page)
    await openWithEvents()
    await page.context().setOffline(true)
    await restart(never)
    await expect(parts(page).status).toHaveText('Paused (offline)')
  },
  async stopped({ page, openWithEvents }) {
    await openWithEvents()
    await parts(page).stop.click()
    await expect(parts(page).status).toHaveText('Stopped')
    await expect(page.getByText(/^Stopped after \d+$/)).toBeVisible()
  },
  async 'stopped without events'({ page, open }) {
    await open()
    await parts(page).stop.click()
    await expect(parts(page).log).toHaveText('StoppedPress Start to open the stream.')
  },
  async ended({ page, openWithEvents, restart }) {
    await openWithEvents()
    await restart(saying('event: end\ndata: {}\n\n'))
    await expect(parts(page).status).toHaveText('Ended')
    await expect(page.getByText(/^The server ended the stream: 0 events in /)).toBeVisible()
  },
  async refused({ page, origin, open }) {
    origin.answer = refusal(403)
    await open()
    await expect(parts(page).status).toHaveText('Refused (not allowed)')
    await expect(parts(page).log).toContainText('You may not read this topic')
  },
  async 'refused with events'({ page, openWithEvents, restart }) {
    await openWithEvents()
    await restart(refusal(401))
    await expect(parts(page).status).toHaveText('Refused (sign in first)')
    await expect(page.getByText('Sign in to read this topic.')).toBeVisible()
  },
  async 'another account'({ page, origin, open, restart }) {
    origin.answer = streamOfAna()
    await open()
    await expect(parts(page).rows).toHaveCount(1)
    await restart(anotherReader)
    await expect(parts(page).status).toHaveText('Refused (another account)')
    await expect(page.getByText('You are now signed in with a different account.')).toBeVisible()
    await expect(page.getByRole('button', { name: 'Reload page' })).toBeVisible()
  },
  async 'another account without events'({ page, origin, open, restart }) {
    origin.answer = streamOfAna()
    await open()
    await expect(parts(page).rows).toHaveCount(1)
    await page.getByRole('button', { name: 'Clear' }).click()
    await restart(anotherReader)
    await expect(parts(page).log).toHaveText(
      'You are now signed in with a different accountReload the page to read with that account.',
    )
  },
  async moving({ page, openWithEvents, restart }) {
    await openWithEvents()
    const told = { heartbeatMs: 15_000, time: Date.now() }
    await restart(
      saying(
        `event: connected\nid: k3f9.1\ndata: ${JSON.stringify(told)}\n\n`,
        'event: reconnect\ndata: {"retryMs":600000,"reason":"drain"}\n\n',
      ),
    )
    await expect(parts(page).status).toHaveText(/^Connecting in \d+ (s|min)/)
  },
  async 'not known to be published'({ page, open }) {
    await page.route(/\/events\//, (route) =>
      route.request().method() === 'POST' ? route.abort() : route.continue(),
    )
    await open()
    await expect(parts(page).status).toHaveText('Live')
    await page.getByRole('textbox', { name: 'Data' }).fill('{"amount":4200}')
    await page.getByRole('button', { name: 'Publish' }).click()
    await expect(page.getByText('No answer came.')).toBeVisible()
  },
  async gap({ page, origin, openWithEvents, publish, restart }) {
    await openWithEvents()
    const gap = { reason: 'trimmed', from: 'k3f9.10201', oldest: 'k3f9.11683', topics: ['orders'] }
    await restart(saying(`event: resync\ndata: ${JSON.stringify(gap)}\n\n${comeLater}`))
    await expect(parts(page).retry).toBeEnabled()
    origin.answer = origin.pass
    await parts(page).retry.click()
    await publish(4)
    await expect(parts(page).log).toContainText(
      'Gap Events after 10201 and before 11683 are no longer kept.',
    )
  },
  async held({ page, openWithEvents, publish }) {
    await openWithEvents()
    await parts(page).log.hover()
    await page.mouse.wheel(0, -300)
    await expect(page.getByRole('button', { name: 'Follow newest' })).toBeVisible()
    await publish(12)
    await expect(parts(page).more).toHaveText('12 new')
  },
  async open({ page, openWithEvents }) {
    await openWithEvents()
    await parts(page).rows.last().getByRole('button').click()
    await expect(parts(page).rows.getByRole('button', { name: 'Copy' })).toBeInViewport()
  },
  async filtered({ page, openWithEvents }) {
    await openWithEvents()
    await parts(page).filter.fill('paid')
    await expect(page.getByText('20 of 30')).toBeVisible()
    await expect(parts(page).log.locator('mark').first()).toHaveText('paid')
  },
  async 'no match'({ page, openWithEvents }) {
    await openWithEvents()
    await parts(page).filter.fill('refnd')
    await expect(parts(page).log).toContainText('None of 30 events contains “refnd”.')
    await expect(page.getByRole('button', { name: 'Clear filter' })).toBeVisible()
  },
}

/** Takes pictures of the page, and has axe judge it, in light and wide, and in dark and narrow; in soak also the other way round. */
async function look(page: Page, name: string, isSoak: boolean): Promise<void> {
  const looks = [
    [1280, 'light'],
    [320, 'dark'],
    [320, 'light'],
    [1280, 'dark'],
  ] as const
  for (const [width, colorScheme] of isSoak ? looks : looks.slice(0, 2)) {
    await page.setViewportSize({ width, height: 800 })
    await page.emulateMedia({ colorScheme })
    const file = `${name.replaceAll(' ', '-')}-${colorScheme}-${width}.png`
    await page.screenshot({ path: join(pictures, file), animations: 'disabled' })
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
  }
}

for (const [name, reach] of Object.entries(states)) {
  test(`A topic’s page: ${name}`, { tag: '@soak' }, async ({ page, server, originOf, isSoak }) => {
    const topic = `orders-${name.replaceAll(' ', '-')}`
    const origin = await originOf(server.url)
    const { rows, status, start, stop } = parts(page)

    async function publish(count: number): Promise<void> {
      for (let n = 0; n < count; n++) {
        const isLow = n % 3 === 1
        const data = isLow ? { sku: `SKU-${n}`, left: n % 5 } : { id: `ord_${1_000 + n}` }
        const response = await fetch(
          `${server.url}/events/${topic}?type=${isLow ? 'stock.low' : 'order.paid'}`,
          {
            method: 'POST',
            headers: { ...asPublisher, 'content-type': 'application/json' },
            body: JSON.stringify({ ...data, amount: 1_900 + 37 * n, currency: 'EUR' }),
          },
        )
        expect(response.status).toBe(201)
      }
    }

    const open: Stage['open'] = async () => {
      await page.goto(`${origin.url}/topics/${topic}`)
    }
    await reach({
      page,
      origin,
      publish,
      open,
      async openWithEvents() {
        await publish(30)
        await open()
        await expect(rows.last()).toHaveAttribute('aria-posinset', '30')
      },
      async restart(answer) {
        await stop.click()
        await expect(status).toHaveText('Stopped')
        origin.answer = answer
        await start.click()
      },
    })

    await look(page, name, isSoak)
  })
}

for (const { name, answer, text } of [
  { name: 'connecting', answer: never, text: 'Opening the stream' },
  { name: 'reconnecting', answer: saying(comeLater), text: 'Will retry automatically' },
  { name: 'refused', answer: refusal(403), text: 'You may not read this stream.' },
  { name: 'ended', answer: undefined, text: /^The server ended the stream: 3 events in \d/ },
]) {
  test(`The home page: ${name}`, { tag: '@soak' }, async ({ page, server, originOf, isSoak }) => {
    const origin = await originOf(server.url)
    if (answer) origin.answer = answer

    await page.goto(origin.url)

    await expect(page.getByText(text)).toBeVisible({ timeout: 15_000 })
    await look(page, `home ${name}`, isSoak)
  })
}
