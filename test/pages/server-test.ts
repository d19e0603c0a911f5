/** Playwright's `test` with a running server and no browser. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base } from 'playwright/test'
import { startServer, type RunningServer } from '../servers/start-server'

interface TestFixtures {
  /** A folder of this test's own, gone when it ends. */
  folder: string
  /** Starts further servers; each is stopped when the test ends. */
  start: typeof startServer
  /** True in `npm run test:soak`, where a test may take long and counts are high. */
  isSoak: boolean
}

interface WorkerFixtures {
  /** `next start`, one for each worker: its gauge counts this test's streams alone. */
  server: RunningServer
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  server: [
    async ({}, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'next-sse-'))
      const server = await startServer({ env: { EVENTS_URL: `file:${folder}/events.db` } })
      await use(server)
      await server.stop()
      await rm(folder, { recursive: true })
    },
    { scope: 'worker', timeout: 90_000 },
  ],
  baseURL: async ({ server }, use) => use(server.url),
  folder: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'next-sse-'))
    await use(folder)
    await rm(folder, { recursive: true })
  },
  start: async ({ folder }, use) => {
    const servers: RunningServer[] = []
    await use(async (options) => {
      const env = { EVENTS_URL: `file:${folder}/events.db`, ...options?.env }
      const server = await startServer({ ...options, env })
      servers.push(server)
      return server
    })
    await Promise.all(servers.map((server) => server.stop()))
  },
  isSoak: async ({}, use, testInfo) => use(testInfo.project.name === 'soak'),
})

export { expect } from 'playwright/test'
