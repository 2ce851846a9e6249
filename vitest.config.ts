import { defineConfig } from 'vitest/config'

/** Projects run side by side; those that start processes get time and few workers. */
export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    maxWorkers: 2,
    // Every process of a test embeds nothing, except in those that are about meaning: they say so themselves.
    env: { VERBATIM_EMBEDDER: 'none' },
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/{adapters,bench,indexing,text,transcripts,setup,model,capture,store,search,sessions,mcp,house}/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 } },
      { extends: true, test: { name: 'door', include: ['test/door/**/*.test.ts', 'test/embedded/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 } },
      { extends: true, test: { name: 'property', include: ['test/property/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 } },
      { extends: true, test: { name: 'fault', include: ['test/fault/**/*.test.ts'], testTimeout: 600_000, hookTimeout: 120_000, fileParallelism: false } },
    ],
  },
})
