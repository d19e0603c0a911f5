/** An order is published at each moment in the life of a page that was rendered with orders: it is shown, once. */
import { expect, test, type FirstPaint, type Variant } from '../../test/fixtures/first-paint-test'
import { setHidden } from '../../test/pages/set-hidden'

/** For each moment. The closing note of a change to this asks for twenty. */
const rounds = Number(process.env['ROUNDS'] ?? 5)

const moments: Record<string, (paint: FirstPaint) => Promise<void>> = {
  async 'before the page reads'({ orders, publish }) {
    await publish()
    await orders.goto()
  },
  async 'while the page reads'({ orders, publish }) {
    const held = await orders.holdRender('asked')
    const going = orders.goto()
    await held.reached()
    await publish()
    // This one is on its way while the log is read.
    await Promise.all([held.release(), publish()])
    await going
  },
  async 'after the page has read'({ orders, publish }) {
    const held = await orders.holdRender('read')
    const going = orders.goto()
    await held.reached()
    await publish()
    await held.release()
    await going
  },
  async 'between HTML and hydration'({ orders, published, publish }) {
    const held = await orders.holdRequests('script')
    await orders.goto()
    await orders.shows(published)
    await orders.status('idle')
    await publish()
    await held.release()
  },
  async 'between hydration and connection'({ orders, published, publish }) {
    const held = await orders.holdRequests('stream')
    await orders.goto()
    await held.reached()
    await orders.status('connecting')
    await orders.shows(published)
    await publish()
    await held.release()
  },
  async 'during a refresh'({ orders, published, publish }) {
    await orders.goto()
    await orders.status('open')
    for (const moment of ['asked', 'read'] as const) {
      const held = await orders.holdRender(moment)
      await orders.page.getByRole('button', { name: 'Refresh' }).click()
      await held.reached()
      await publish()
      await orders.shows(published)
      await held.release()
      await expect(orders.page.getByText('Refreshing')).toHaveCount(0)
    }
  },
  async 'while the page is hidden'({ orders, published, publish }) {
    await orders.goto()
    await orders.status('open')
    await setHidden(orders.page, true)
    await publish()
    await expect
      .poll(() => orders.page.evaluate(() => document.querySelectorAll('li').length))
      .toBe(published.length - 1)
    await setHidden(orders.page, false)
  },
  async 'while the reader is at another page, and on the way back'({ orders, publish }) {
    await orders.goto()
    await orders.status('open')
    await orders.page.getByRole('link', { name: 'Another page' }).click()
    await expect(orders.page.getByRole('heading', { name: 'Another page' })).toBeVisible()
    await publish()
    const held = await orders.holdRequests('stream')
    await orders.page.goBack()
    await held.reached()
    await publish()
    await held.release()
  },
}

/** How many requests for a stream there are, where it is not one. */
const requestsAt: Partial<Record<string, number>> = {
  'while the reader is at another page, and on the way back': 2,
}

/**
 * What `next dev` says of a request with `Cache-Control: no-cache`. Chromium sends that where a test holds requests, because Playwright
 * turns its cache off then.
 */
const withoutCache = /is rendering with server caches disabled/

for (const [variant, tag] of [
  ['cached', ''],
  ['plain', ' @soak-only'],
  ['dev', ' @soak-only'],
] satisfies [Variant, string][]) {
  test.describe(variant, () => {
    test.use({ variant, ...(variant === 'dev' && { toleratedComplaint: withoutCache }) })

    for (const [moment, visit] of Object.entries(moments)) {
      test(`An order published ${moment} is shown, once, in one stream, ${variant}${tag}`, async ({
        paint,
      }) => {
        const { orders, published, publish } = paint
        await publish()
        for (let round = 0; round < rounds; round++) {
          const before = orders.requests.length

          await visit(paint)

          await orders.shows(published)
          await orders.status('open')
          await orders.shows(published)
          expect(orders.requests.length - before).toBe(requestsAt[moment] ?? 1)
        }
      })
    }
  })
}
