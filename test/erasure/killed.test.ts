import { randomBytes } from 'node:crypto'

import { expect, it } from 'vitest'

import { archiveAll } from '../../src/archive/archive-all.ts'
import { forget } from '../../src/erasure/forget.ts'
import { workOffErasure } from '../../src/erasure/run-erasure.ts'
import { createLog } from '../../src/log.ts'
import type { ArchiveStore } from '../../src/ports/archive-store.ts'
import { readReceipts } from '../../src/store/erasure/receipts.ts'
import { caller, useStore } from '../sessions/store.ts'
import { killedEverywhere, mortalStores } from '../support/mortal-stores.ts'

const store = useStore({ VERBATIM_ENCRYPTION: 'on', VERBATIM_ROOT_KEY: randomBytes(32).toString('hex') })
const log = createLog('silent')

/** A session with objects of every kind in the archive, and how many it has of each. */
async function archivedSession() {
  const { archive } = store.open.stores
  const large = ['a', 'b'].map((letter) => ({ content: letter.repeat(1_100_000) }))
  const before = await namesIn(archive)
  const id = await store.session([{ content: 'a heron' }, ...large])
  expect((await archiveAll({ ...store.open.stores, log }, caller, () => undefined)).problems).toEqual([])
  const own = (await namesIn(archive)).filter((name) => !before.includes(name))
  const below = (prefix: string) => own.filter((name) => name.startsWith(prefix)).length
  return {
    id,
    objects: {
      archive_objects: below(`${caller.tenantId}/${id}/`),
      archived_keys: below(`keys/${caller.tenantId}/${id}/`),
      large_payloads: below('payloads/'),
    },
  }
}

async function namesIn(archive: ArchiveStore): Promise<string[]> {
  const names: string[] = []
  for await (const name of archive.list('')) names.push(name)
  return names
}

it('an erasure counts every object once, wherever it is killed', async () => {
  const { database, archive } = store.open.stores
  const { id, objects } = await archivedSession()
  expect(objects).toMatchObject({ archived_keys: 1, large_payloads: 2 })
  expect(objects.archive_objects).toBeGreaterThan(1)
  const dependencies = { database, archive, index: undefined, visible: database, waitMs: 0 }
  const preview = await forget(dependencies, caller, { sessionId: id })
  if (preview.status !== 'preview') throw new Error('no preview')
  const receipt = await forget(dependencies, caller, { sessionId: id, confirm: preview.confirm })
  if (receipt.status === 'preview') throw new Error('no receipt')
  const { erasure_id: erasureId } = receipt
  const kills = await killedEverywhere(
    (lives) => workOffErasure({ ...mortalStores({ database, archive }, lives), index: undefined }, erasureId),
    async () => {
      await database.run((sql) => sql`update outbox set available_at = now() where topic = 'erase'`)
    },
  )
  // The store's own background work may have done a part of it.
  expect(kills).toBeGreaterThan(0)
  const read = async () => {
    const [found] = await database.run((sql) => readReceipts(sql, caller.tenantId, { id: erasureId, limit: 1 }))
    return found
  }
  await expect.poll(async () => (await read())?.completed_at ?? null, { timeout: 30_000 }).not.toBeNull()
  expect(await read()).toMatchObject({ erased: { sessions: 1, messages: 3, ...objects }, pending: [] })
})
