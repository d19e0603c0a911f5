/** `test` with a Redis of its own, for servers that share it. Skipped where there is none. */
import type { StartServerOptions, RunningServer } from '../servers/start-server'
import { findServer } from '../servers/find-server'
import { test as base } from './server-test'
import { startRedis, type RunningRedis } from '../servers/start-redis'

interface TestFixtures {
  /** Keeps its data when it is killed. */
  redis: RunningRedis
  /** Starts a server on it; it is stopped when the test ends. */
  startOnRedis: (options?: StartServerOptions) => Promise<RunningServer>
}

export const test = base.extend<TestFixtures>({
  redis: async ({}, use, testInfo) => {
    testInfo.skip(!findServer('redis'), 'There is no Redis server.')
    const redis = await startRedis(['appendonly yes', 'appendfsync always'])
    await use(redis)
    await redis.stop()
  },
  startOnRedis: async ({ redis, start }, use) => {
    await use((options) => start({ ...options, env: { EVENTS_URL: redis.url, ...options?.env } }))
  },
})

export { expect } from './server-test'
