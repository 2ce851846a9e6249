import { join } from 'node:path'

import { expect, it, vi } from 'vitest'

import type { Database } from '../../src/store/database.ts'
import { readTenantKeys } from '../../src/store/keys/encryption-keys.ts'
import { TenantKeyring } from '../../src/store/keys/tenant-keyring.ts'
import { caller, useStore } from '../sessions/store.ts'
import { temporaryDirectory } from '../support/transcripts.ts'

const store = useStore({ VERBATIM_ENCRYPTION: 'off' })
const { tenantId } = caller

it('TenantKeyring.require() gives the key that it made also where another looked for one before there was any', async () => {
  const { database } = store.open.stores
  const hasKey = () => database.run(async (sql) => (await readTenantKeys(sql, tenantId, 'tenant')).length > 0)
  expect(await hasKey()).toBe(false)
  let calls = 0
  let other: Promise<unknown> | undefined
  const run: Database['run'] = async (work) => {
    const call = ++calls
    if (call === 2) {
      // While the key is about to be made, somebody else looks, finds none, and hears of it when it is there.
      other = keyring.find(tenantId)
    }
    const result = await database.run(work)
    if (call === 3) await vi.waitUntil(hasKey)
    return result
  }
  const keyring = new TenantKeyring(run, {
    rootKey: { kind: 'file', path: join(await temporaryDirectory(), 'root.key') },
  })
  const { newest } = await keyring.require(tenantId)
  expect(newest.version).toBe(1)
  expect(await other).toBeUndefined()
  expect(await keyring.find(tenantId)).toMatchObject({ newest: { id: newest.id } })
})
