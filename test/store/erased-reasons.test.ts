import { expect, it } from 'vitest'

import { verifyAudit } from '../../src/audit/verify-audit.ts'
import { openVerbatim } from '../../src/compose.ts'
import { convertReason } from '../../src/keys/convert-reasons.ts'
import { changeRestriction } from '../../src/rights/restrict.ts'
import type { Database } from '../../src/store/database.ts'
import { caller, useStore } from '../sessions/store.ts'
import { quietConfig } from '../support/quiet-config.ts'
import { rootKeyOfTests } from '../support/root-key.ts'

const settings = { VERBATIM_ENCRYPTION: 'on', VERBATIM_ROOT_KEY: rootKeyOfTests }
const store = useStore(settings)

it('is no problem of the record where it is erased while it is looked at', async () => {
  const session = await store.session([{ content: 'The ship is at berth 14.', sender: 'Bob Marsh' }])
  await changeRestriction(store.open.stores.database, caller, { session, isRestricted: true, reason: 'asked' })
  // It remembers no key of those who wrote.
  await using fresh = await openVerbatim(quietConfig(store.fixture.home, store.databaseUrl, settings))
  const { database } = fresh.stores
  const report = async (run: Database['run']) => await verifyAudit({ run, vault: database.vault }, caller)
  await expect
    .poll(async () => (await report((work) => database.run(work))).waiting, { timeout: 60_000, interval: 300 })
    .toBe(0)
  database.vault.close()
  let isErased = false
  const erasing: Database['run'] = async (work) => {
    const done = await database.run(work)
    const isRead = Array.isArray(done) && done.some((row: object) => 'keyVersion' in row && 'body' in row)
    if (!isErased && isRead) {
      isErased = true
      await database.run(async (sql) => {
        await sql`update reasons set body = null, session_id = null, key_version = 0 where session_id = ${session}`
        await sql`update encryption_keys set wrapped = null, destroyed_at = now() where session_id = ${session}`
      })
    }
    return done
  }
  expect((await report(erasing)).problems).toEqual([])
  expect(isErased).toBe(true)
})

it('stays erased where it was read to be converted before that', async () => {
  const { database } = store.open.stores
  const before = (await database.run((sql) => sql<{ id: string }[]>`select id from reasons`)).map(({ id }) => id)
  const session = await store.session([{ content: 'The ship is at berth 14.', sender: 'Bob Marsh' }])
  const restrict = (target: { session?: string; participant?: string }) =>
    changeRestriction(database, caller, { ...target, isRestricted: true, reason: 'asked' })
  await restrict({ session })
  await restrict({ participant: 'Bob Marsh' })
  // Not sealed, as what is erased is not either.
  const rows = async () =>
    await database.run(
      (sql) =>
        sql<
          { id: string; body: Uint8Array | null }[]
        >`select id, body from reasons where id not in (select jsonb_array_elements_text(${JSON.stringify(before)}::text::jsonb)::uuid) order by id`,
    )
  await database.run((sql) => sql`update reasons set body = '\\x01', key_version = 0 where body is not null`)
  const ids = (await rows()).map(({ id }) => id)
  expect(ids).toHaveLength(2)
  for (const id of ids) {
    let asked = 0
    const erasing: Database = {
      ...database,
      vault: database.vault,
      run: async (work) => {
        const done = await database.run(work)
        asked++
        if (asked === 1) await database.run((sql) => sql`update reasons set body = null where id = ${id}`)
        return done
      },
    }
    await convertReason(erasing, { tenantId: caller.tenantId, id }, 'encrypted')
    expect(asked).toBe(2)
  }
  expect((await rows()).map(({ body }) => body)).toEqual([null, null])
})
