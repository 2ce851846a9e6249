import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, it } from 'vitest'

import { readLayout } from '../../src/capture/documents/file-layout.ts'
import { importFile } from '../../src/capture/documents/import-files.ts'
import { importFilesOfSession } from '../../src/store/imports/import-files.ts'
import { rewriteLayouts, UnknownFileKey } from '../../src/store/sync/rewrite-layouts.ts'
import { inTransaction } from '../../src/store/transaction.ts'
import { caller, useStore } from '../sessions/store.ts'
import { temporaryDirectory } from '../support/transcripts.ts'

const store = useStore()

it('rewriteLayouts() passes over no layout of which it does not know the key', async () => {
  const { database } = store.open.stores
  const row = {
    type: 'user',
    uuid: 'one',
    sessionId: 'followed',
    timestamp: '2026-01-01T00:00:00.000Z',
    message: { role: 'user', content: 'What was said' },
  }
  const path = join(await temporaryDirectory(), 'followed.jsonl')
  await writeFile(path, `${JSON.stringify(row)}\n`)
  await importFile(store.open.stores, caller, { path })
  const [session] = await database.run((sql) => sql<{ id: string }[]>`select id from sessions`)
  if (session === undefined) throw new Error('nothing was imported')
  const key = { tenantId: caller.tenantId, sessionId: session.id }
  const numbersOf = async () => {
    const [file] = await importFilesOfSession(database, key.tenantId, key.sessionId)
    return file?.layout === undefined ? [] : readLayout(file.layout).runs.map(({ firstSeq }) => firstSeq)
  }
  const rewrite = (layout: Uint8Array) => layout
  const under = (seals: Parameters<typeof rewriteLayouts>[2]['seals']) =>
    database.run((sql) => inTransaction(sql, (own) => rewriteLayouts(own, key, { seals, rewrite })))
  await expect(under(() => undefined)).rejects.toBeInstanceOf(UnknownFileKey)
  expect(await numbersOf()).toEqual([1])
  await under(await database.vault.sealsOfTenant(key.tenantId, [1]))
  expect(await numbersOf()).toEqual([1])
})
