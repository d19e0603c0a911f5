import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    globalSetup: './test/prepare-unit-tests.ts',
    // A machine that does other things as well is no fault.
    testTimeout: 20_000,
    // One for each processor: most of the time goes by in waiting.
    maxWorkers: '100%',
    reporters: ['default', ['json', { outputFile: 'test-results/unit.json' }]],
  },
})
