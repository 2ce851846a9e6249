import { expect, it } from 'vitest'

import { caller, useStore } from '../sessions/store.ts'
import { isOnServer } from '../support/test-store.ts'

const store = useStore()

/** Pages that the index on terms reads to find nothing: those of its unsorted entries are among them. */
async function pagesRead(): Promise<number> {
  const plan = await store.open.stores.database.run(async (sql) => {
    const rows = await sql.begin(async (transaction) => {
      await transaction`set local enable_seqscan = off`
      return await transaction<{ 'QUERY PLAN': string }[]>`
        explain (analyze, buffers) select from search_units where terms && '{1}'::bigint[]`
    })
    return rows.map((row) => row['QUERY PLAN'])
  })
  const scan = plan.slice(plan.findIndex((line) => line.includes('Bitmap Index Scan'))).join('\n')
  expect(scan).toContain('Bitmap Index Scan')
  const buffers = /Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?/.exec(scan)
  return Number(buffers?.[1] ?? 0) + Number(buffers?.[2] ?? 0)
}

async function saveAndIndex(messages: number, word: string): Promise<void> {
  const content = (n: number) => Array.from({ length: 40 }, (_, at) => `${word}${n}x${at}`).join(' ')
  await store.session(Array.from({ length: messages }, (_, n) => ({ content: content(n) })))
  const behind = async () => (await store.open.status(caller)).index.messages_behind
  await expect.poll(behind, { timeout: 30_000 }).toBe(0)
}

// A server's autovacuum sorts them too.
it.skipIf(isOnServer)(
  'sorts what was indexed into the index when there is nothing else to do',
  { timeout: 90_000 },
  async () => {
    await saveAndIndex(400, 'first')
    await saveAndIndex(400, 'second')
    await expect.poll(pagesRead, { timeout: 20_000 }).toBeLessThan(20)
    const sorted = await pagesRead()
    // A few are left where they are: to sort each by itself would cost more than to read them.
    await saveAndIndex(50, 'third')
    expect(await pagesRead()).toBeGreaterThan(sorted)
  },
)
