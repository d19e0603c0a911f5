/** The page of test/apps/first-paint: what it shows, the requests that it sends, and the moments at which it can be held. */
import type { Page, Request, Route } from 'playwright/test'
import { expect } from '../fixtures/server-test'

/** Such as those that the first paint needs, and those of a stream. */
const script = /\/_next\/.*\.js(?:\?|$)/
const stream = /\/events\//

export interface OrdersPage {
  page: Page
  /** The urls of all requests for a stream so far. */
  requests: readonly string[]
  goto: (query?: string) => Promise<void>
  /** Resolves when the page shows exactly these orders, which is a moment after it can. */
  shows: (texts: readonly string[]) => Promise<void>
  status: (text: string | RegExp) => Promise<void>
  /** Lets the render of a page, a refresh too, wait at this moment. Resolves with what lets it go on, once it waits there. */
  holdRender: (moment: 'asked' | 'read') => Promise<Held>
  /** Holds the requests for scripts or for a stream. */
  holdRequests: (of: 'script' | 'stream') => Promise<Held>
}

export interface Held {
  reached: () => Promise<void>
  release: () => Promise<void>
}

/** Makes a page that opens the app at `url`. It must show within `soonMs` what it can show. */
export function ordersPage(page: Page, url: string, soonMs = 2_000): OrdersPage {
  const requests: string[] = []
  page.on('request', (request: Request) => {
    if (stream.test(request.url())) requests.push(request.url())
  })

  return {
    page,
    requests,
    async goto(query = '') {
      await page.goto(`${url}/orders${query}`, { waitUntil: 'commit' })
    },
    async shows(texts) {
      const items = page.locator('li')
      await expect(items).toHaveText(texts, { timeout: soonMs })
      await expect(page.getByText(`${texts.length} orders`)).toBeVisible({ timeout: soonMs })
    },
    async status(text) {
      await expect(page.getByRole('status')).toHaveText(text, { timeout: 10_000 })
    },
    async holdRender(moment) {
      const gate = `${url}/gates/${moment}`
      await fetch(gate, { method: 'POST' })
      return {
        async reached() {
          await fetch(gate)
        },
        async release() {
          await fetch(gate, { method: 'DELETE' })
        },
      }
    },
    async holdRequests(of) {
      const pattern = of === 'script' ? script : stream
      const held: Route[] = []
      let reach = (): void => {}
      const reached = new Promise<void>((resolve) => (reach = resolve))
      let isHolding = true
      const hold = async (route: Route): Promise<void> => {
        if (!isHolding) return await route.continue()
        held.push(route)
        reach()
      }
      await page.route(pattern, hold)
      return {
        reached: () => reached,
        async release() {
          isHolding = false
          await Promise.all(held.map((route) => route.continue()))
          await page.unroute(pattern, hold)
        },
      }
    },
  }
}
