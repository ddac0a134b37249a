import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

// Files share one process each worker: loading the libraries again for every file would take most of the time.
export default defineConfig({
  test: {
    include: ['server/**/*.test.ts', 'bin/**/*.test.ts', 'web/**/*.test.{ts,tsx}'],
    exclude: ['**/node_modules/**', 'web/dist/**', '.runtime/**', '.rapport/**'],
    globalSetup: ['server/testing/global-setup.ts'],
    pool: 'forks',
    isolate: false,
    // A test waits for its database half of the time, so that even one core has work for two.
    maxWorkers: Math.max(2, availableParallelism()),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
  },
})
