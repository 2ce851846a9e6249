import { EventEmitter, once } from 'node:events'

import { describe, expect, it } from 'vitest'

import { waitForIndex } from '../../src/search/wait-for-index.ts'
import type { Database } from '../../src/store/database.ts'
import { indexTopic, outboxBacklog } from '../../src/store/work/outbox.ts'
import { caller, useStore } from '../sessions/store.ts'

const store = useStore()
const { tenantId } = caller
const waitMs = 60_000
const waiting = 20

/** So much that its index is not complete when somebody waits for it. */
const saveMuch = async () =>
  await store.session(
    Array.from({ length: 500 }, (_, n) => ({ content: `${n} ${'some words of a long text '.repeat(80)}` })),
  )

/** The store's database, which tells how many statements are on their way at once. */
function watched(database: Database) {
  const seen = { statements: 0, atOnce: 0, atOnceMax: 0 }
  const run: Database['run'] = async (work) => {
    seen.statements++
    seen.atOnceMax = Math.max(seen.atOnceMax, ++seen.atOnce)
    try {
      return await database.run(work)
    } finally {
      seen.atOnce--
    }
  }
  return { seen, database: { ...database, vault: database.vault, run } }
}

const pending = async () =>
  (await store.open.stores.database.run((sql) => outboxBacklog(sql, tenantId, { topic: indexTopic }))).messages

describe('who waits for the index', () => {
  it('waits until all that was saved before is in it, with one look at the store for all of them', async () => {
    await saveMuch()
    const { seen, database } = watched(store.open.stores.database)
    const first = waitForIndex(database, tenantId, waitMs)
    const others = Array.from({ length: waiting - 1 }, () => waitForIndex(database, tenantId, waitMs))
    // Each asks once for what it waits for.
    await expect.poll(() => seen.statements > waiting && seen.atOnce <= 1, { timeout: waitMs }).toBe(true)
    seen.atOnceMax = 0
    expect(await Promise.all([first, ...others])).toEqual(Array.from({ length: waiting }, () => 0))
    expect(seen.atOnceMax).toBe(1)
    expect(await pending()).toBe(0)
  })

  it('is not answered by a look from before a save', async () => {
    await saveMuch()
    const { database } = store.open.stores
    const gate = new EventEmitter()
    const hasLooked = once(gate, 'has looked')
    const mayAnswer = once(gate, 'may answer')
    let statements = 0
    const slow: Database = {
      ...database,
      vault: database.vault,
      run: async (work) => {
        if (++statements !== 2) return await database.run(work)
        // The first look: it sees that all is done, and tells so later.
        await expect.poll(pending, { timeout: waitMs }).toBe(0)
        const answer = await database.run(work)
        gate.emit('has looked')
        await mayAnswer
        return answer
      },
    }
    const former = waitForIndex(slow, tenantId, waitMs)
    await hasLooked
    await saveMuch()
    const asking = watched(database)
    const later = waitForIndex(asking.database, tenantId, waitMs)
    // It knows what it waits for, and waits.
    await expect.poll(() => asking.seen.statements === 1 && asking.seen.atOnce === 0, { timeout: waitMs }).toBe(true)
    gate.emit('may answer')
    expect(await former).toBe(0)
    expect(await later).toBe(0)
    expect(await pending()).toBe(0)
  })

  it('says how much is left where it has waited long enough', async () => {
    await saveMuch()
    expect(await waitForIndex(store.open.stores.database, tenantId, 0)).toBeGreaterThan(0)
    expect(await waitForIndex(store.open.stores.database, tenantId, waitMs)).toBe(0)
  })
})
