/** Playwright's `test` with a running server, and a page on which nothing may go wrong silently. */
import { test as base, expect } from 'playwright/test'
import { startServer, type RunningServer } from './start-server'

interface WorkerFixtures {
  /** `next start`, one for each worker: its gauge counts this test's streams alone. */
  server: RunningServer
}

interface TestFixtures {
  /** Everything the page printed as an error or a warning; the test fails if it is not empty at the end. */
  complaints: string[]
  /** A complaint that is not the page's fault. Default: none. */
  toleratedComplaint: RegExp | undefined
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  server: [
    async ({}, use) => {
      const server = await startServer()
      await use(server)
      await server.stop()
    },
    { scope: 'worker', timeout: 90_000 },
  ],
  baseURL: async ({ server }, use) => use(server.url),
  toleratedComplaint: [undefined, { option: true }],
  complaints: [
    async ({ page, toleratedComplaint }, use) => {
      const complaints: string[] = []
      const note = (text: string): void => {
        if (!toleratedComplaint?.test(text)) complaints.push(text)
      }
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) note(message.text())
      })
      page.on('pageerror', (error) => note(error.message))
      await use(complaints)
      expect(complaints).toEqual([])
    },
    { auto: true },
  ],
})

export { expect }
