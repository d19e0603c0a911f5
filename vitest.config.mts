import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    reporters: ['default', ['json', { outputFile: 'test-results/unit.json' }]],
  },
})
