import { defineConfig } from 'vitest/config'

import { findPostgres } from './test/support/postgres.ts'

const doors = ['test/door/**/*.test.ts', 'integrations/*/test/door/**/*.test.ts']
const stores = ['test/{archive,capture,erasure,store,search,sessions,indexing,retention}/**/*.test.ts']
/** Of those, what opens a store: it runs on the embedded store and again on a PostgreSQL server, as the doors do. */
const onBoth = [
  'test/sessions/**/*.test.ts',
  'test/store/**/*.test.ts',
  'test/capture/{import-files,verify}.test.ts',
  'test/indexing/{daily-budget,index-worker,vector-worker,pending-entries}.test.ts',
  'test/archive/{archiver,sealed-archive}.test.ts',
  'test/erasure/**/*.test.ts',
]
/** What is the same on both. */
const onOne = [
  'test/door/{conformance,oauth,oauth-keys,request-rate,traces,logs,payloads,dockerfile,inspector,readme,facts-by-model,gemini-failures,export-formats,large-input,many-facts,query-expansion,bad-ids,bad-json,bad-lines,bad-numbers,bad-queries,bad-text,hook,cli-printing,cli-usage,ranking,sync/at-random,update}.test.ts',
  'test/store/encrypted-search.test.ts',
]
/**
 * What depends on the version of PostgreSQL most: the schema from the first migration on, the functions that save, refusals, one
 * door, vectors. A new file of test/store is among them.
 */
const onSecondVersion = [
  'test/store/**/*.test.ts',
  'test/server/{migrate,refusals,reserve}.test.ts',
  'test/door/{mcp-save,pgvector-index}.test.ts',
]
/** What is killed again and again, and what is looked for on the disk, is done with the same statements on the first version. */
const onFirstVersion = [
  'test/store/{canaries,conversion,encrypted-search,key-rotation,session-key-rotation}.test.ts',
  // Both have the same tables.
  'test/store/move-plan.test.ts',
]
const properties = ['test/property/**/*.test.ts']

const postgres = findPostgres(process.env)
if (postgres.kind === 'none') console.warn(`Skipped: all tests on a PostgreSQL server, as ${postgres.reason}`)

/** Projects run side by side; those that start processes get time and few workers. */
export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    // Tests of processes wait for them, for disks and for clocks: two workers left a third of two cores idle.
    maxWorkers: 3,
    // Every process of a test embeds nothing, except in those that are about meaning: they say so themselves.
    env: { VERBATIM_EMBEDDER: 'none' },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            ...stores,
            'test/{adapters,bench,crypto,privacy,sync,text,transcripts,setup,model,mcp,house}/**/*.test.ts',
            'integrations/*/test/unit/**/*.test.ts',
          ],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'door',
          include: [...doors, 'test/embedded/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'openclaw',
          include: ['integrations/openclaw/test/openclaw/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      { extends: true, test: { name: 'property', include: properties, testTimeout: 120_000, hookTimeout: 120_000 } },
      ...(postgres.kind === 'none'
        ? []
        : [
            {
              extends: true as const,
              test: {
                name: 'server',
                ...(process.env['TEST_SECOND_VERSION'] === undefined
                  ? {
                      include: [...onBoth, ...doors, ...properties, 'test/server/**/*.test.ts'],
                      // What a model writes is the same on both too.
                      exclude: [...onOne, 'test/door/summaries-{by-model,across}.test.ts'],
                    }
                  : { include: onSecondVersion, exclude: onFirstVersion }),
                globalSetup: ['test/support/postgres-setup.ts'],
                env: { TEST_STORE: 'server' },
                testTimeout: 120_000,
                hookTimeout: 120_000,
              },
            },
          ]),
      {
        extends: true,
        test: {
          name: 'fault',
          include: ['test/fault/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
