import { afterEach, expect, it } from 'vitest'

import { eraseUnused } from '../../src/capture/held-payloads.ts'
import { forget } from '../../src/erasure/forget.ts'
import { workOffErasure } from '../../src/erasure/run-erasure.ts'
import { ErasedError, UnavailableError } from '../../src/errors.ts'
import { endRestore } from '../../src/store/archive/restore-state.ts'
import { inTransaction } from '../../src/store/transaction.ts'
import { caller, useStore } from '../sessions/store.ts'

const store = useStore({ VERBATIM_ENCRYPTION: 'off' })
const large = (name: string) => `${name} ${'y'.repeat(1_100_000)}`

async function payloads(): Promise<readonly string[]> {
  const names: string[] = []
  for await (const name of store.open.stores.archive.list('payloads/')) names.push(name)
  return names
}

async function erasureWork() {
  return await store.open.stores.database.run((sql) => sql`select from outbox where topic = 'erase'`)
}

async function save(content: string) {
  return await store.open.saveMessages(caller, {
    sessionId: 'own',
    messages: [{ content, sender: 'Ann', role: 'user', messageId: 'one' }],
  })
}

/** As where a restore was interrupted, and the store is used all the same. */
async function beginRestore(): Promise<void> {
  const { database } = store.open.stores
  await database.run((sql) => sql`insert into outbox (tenant_id, topic) values (${caller.tenantId}, 'restore')`)
}

afterEach(() => store.open.stores.database.run(endRestore))

it('eraseUnused() refuses nothing while a restore goes on that it would not erase', async () => {
  const { database, archive } = store.open.stores
  await store.session([{ content: large('used') }])
  const [used = ''] = await payloads()
  await beginRestore()
  const erase = (location: string) =>
    database.run((sql) => inTransaction(sql, (own) => eraseUnused(own, archive, location)))
  expect(await erase(used)).toBeUndefined()
  expect(await payloads()).toEqual([used])
  await expect(erase('payloads/of-nobody')).rejects.toThrow(UnavailableError)
})

it('a save of what was erased is told so while a restore goes on, and its payload goes after that', async () => {
  const { database, archive } = store.open.stores
  const dependencies = { database, archive, index: undefined }
  const before = await payloads()
  const saved = await save(large('erased'))
  const about = { sessionId: saved.session_id, messageId: saved.messages[0]?.message_id }
  const preview = await forget({ ...dependencies, visible: database }, caller, about)
  if (preview.status !== 'preview') throw new Error('no preview')
  await forget({ ...dependencies, visible: database }, caller, { ...about, confirm: preview.confirm })
  await expect.poll(erasureWork, { timeout: 30_000 }).toEqual([])
  expect(await payloads()).toEqual(before)
  await beginRestore()
  await expect(save(large('erased'))).rejects.toThrow(ErasedError)
  expect(await payloads()).toHaveLength(before.length + 1)
  expect(await erasureWork()).toHaveLength(1)
  await database.run(endRestore)
  await database.run((sql) => sql`update outbox set available_at = now() where topic = 'erase'`)
  await workOffErasure(dependencies)
  await expect.poll(erasureWork, { timeout: 30_000 }).toEqual([])
  expect(await payloads()).toEqual(before)
})
