import { defineConfig } from 'playwright/test'
import { findBrowser } from '../test/programs/find-browser'
import type { TransportOption } from '../test/fixtures/client-test'
import type { WorkerOptions } from '../test/fixtures/server-test'
import { findServer } from '../test/programs/find-server'

// Once, for all workers.
for (const name of ['redis', 'nginx', 'caddy'] as const) findServer(name)

export default defineConfig<TransportOption, WorkerOptions>({
  testMatch: '**/*.e2e.ts',
  // A test tagged @soak runs in both, with higher counts in `npm run test:soak`; one tagged @soak-only runs there alone.
  projects: [
    { name: 'gate', grepInvert: /@soak-only/ },
    // The tests of all streams and publishes, again with the front door shut.
    {
      name: 'shut',
      grepInvert: /@soak-only/,
      testMatch: /(?:server\/(?:events|frames|resume)|access\/access)\.e2e\.ts$/,
      use: { frontDoor: 'off' },
    },
    // The tests of the client in a browser, again by fetch. What a topic's page does is the same.
    {
      name: 'fetch',
      grepInvert: /@soak-only|A topic that is left/,
      testMatch: /client\/client-\w+\.e2e\.ts$/,
      use: { transport: 'fetch' },
    },
    { name: 'soak', grep: /@soak/, timeout: 600_000, workers: 1 },
  ],
  outputDir: '../test-results/e2e',
  fullyParallel: true,
  workers: 2,
  retries: 0,
  forbidOnly: process.env['CI'] !== undefined,
  // On a busy machine, all that a test waits for takes its time.
  timeout: 120_000,
  expect: { timeout: 15_000 },
  reporter: [['list'], ['json', { outputFile: '../test-results/e2e.json' }]],
  use: {
    launchOptions: {
      executablePath: findBrowser(),
      // Chromium refuses to run as root inside its own sandbox.
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
    timezoneId: 'UTC',
    locale: 'en-GB',
  },
})
