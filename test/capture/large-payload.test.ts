import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, it } from 'vitest'

import { importFile } from '../../src/capture/documents/import-files.ts'
import { saveMessages } from '../../src/capture/save.ts'
import { verify } from '../../src/capture/verify.ts'
import { Caches } from '../../src/model/caches.ts'
import type { ArchiveStore } from '../../src/ports/archive-store.ts'
import { caller, contentsOf, useStore } from '../sessions/store.ts'

const store = useStore()
const large = 'z'.repeat(1_200_000)

/** An archive in which each large payload is erased as soon as it was put, once, by who has looked that no message uses it. */
function erasing(archive: ArchiveStore): ArchiveStore {
  const erased = new Set<string>()
  return {
    put: async (key, bytes) => {
      await archive.put(key, bytes)
      if (!key.startsWith('payloads/') || erased.has(key)) return
      erased.add(key)
      await archive.erase(key)
    },
    get: (key) => archive.get(key),
    delete: (key) => archive.delete(key),
    erase: (name, notes) => archive.erase(name, notes),
    list: (prefix) => archive.list(prefix),
    check: () => archive.check(),
  }
}

it('a large message that is saved keeps its bytes although the same bytes of another are just erased', async () => {
  const { database, archive } = store.open.stores
  const torn = {
    database,
    archive: erasing(archive),
    sessionIds: new Caches(1_000_000).open<string>('session_ids', { sizeOf: () => 1 }),
  }
  const messages = [{ content: large, sender: 'Ann', role: 'user' }] as const
  const { sessionId } = await saveMessages(torn, caller, { sessionId: 'large', messages })
  expect(contentsOf(await store.pages(sessionId, { maxTokens: 25_000 })).get(1)).toBe(JSON.stringify(large))
})

it('a large message that is imported does so too', async () => {
  const { database, archive } = store.open.stores
  const path = join(store.fixture.home, 'notes.jsonl')
  writeFileSync(path, `${JSON.stringify({ role: 'user', content: `imported ${large}` })}\n`)
  const report = await importFile({ database, archive: erasing(archive) }, caller, { path, format: 'generic' })
  expect(report).toMatchObject({ status: 'imported' })
  expect((await verify(store.open.stores, caller, () => undefined)).problems).toEqual([])
})
