import { defineConfig } from 'vitest/config'
import { findRedis } from './e2e/support/find-redis'

// Once, for all workers.
findRedis()

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    // A machine that does other things as well is no fault.
    testTimeout: 20_000,
    reporters: ['default', ['json', { outputFile: 'test-results/unit.json' }]],
  },
})
