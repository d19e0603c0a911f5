/** `test` with an origin of the test's own, and what a client's waits may be. */
import { startStreamOrigin, type StreamOrigin } from '../servers/stream-origin'
import { test as base, expect } from './test'

interface TestFixtures {
  /** Makes an origin, in front of `app` if there is one; gone when the test ends. */
  originOf: (app?: string) => Promise<StreamOrigin>
}

export const test = base.extend<TestFixtures>({
  // Chromium prints every failed request by itself.
  toleratedComplaint: /Failed to load resource|ERR_|EventSource|CORS policy/,
  originOf: async ({ page }, use) => {
    const origins: StreamOrigin[] = []
    await use(async (app) => {
      const origin = await startStreamOrigin(app)
      origins.push(origin)
      return origin
    })
    await page.close()
    await Promise.all(origins.map((origin) => origin.close()))
  },
})

export { expect }
