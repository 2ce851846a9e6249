import { expect, it } from 'vitest'

import { newId } from '../../src/model/ids.ts'
import { linkParents } from '../../src/store/imports/imported-sessions.ts'
import { inTransaction } from '../../src/store/transaction.ts'
import { caller, useStore } from '../sessions/store.ts'

const store = useStore()
const { tenantId } = caller
const others = 3_000

it('linkParents() links what waits for its parent, and does not read the sessions that wait for none', async () => {
  const { database } = store.open.stores
  const ids = JSON.stringify(Array.from({ length: others }, newId))
  const session = async (externalId: string, parent: string | null) => {
    const id = newId()
    await database.run(
      (sql) => sql`
        insert into sessions (tenant_id, id, source, external_id, parent_external_id, created_at, last_active_at, active_hour)
        values (${tenantId}, ${id}, 'claude-code', ${externalId}, ${parent}, now(), now(), now())`,
    )
    return id
  }
  await database.run(
    (sql) => sql`
      insert into sessions (tenant_id, id, source, external_id, created_at, last_active_at, active_hour)
      select ${tenantId}, other::uuid, 'claude-code', other, now(), now(), now() from jsonb_array_elements_text(${ids}::text::jsonb) other`,
  )
  const parent = await session('parent', null)
  const [child, orphan] = [await session('child', 'parent'), await session('orphan', 'never comes')]
  await database.run((sql) => sql`analyze sessions`)

  const read = await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      await linkParents(transaction, tenantId)
      const [row] = await transaction<{ read: string }[]>`
        select seq_tup_read + coalesce(idx_tup_fetch, 0) as read from pg_stat_xact_user_tables where relname = 'sessions'`
      return Number(row?.read)
    }),
  )
  const parents = await database.run(
    (sql) => sql<{ id: string; parent: string | null }[]>`
      select id, parent_session_id as parent from sessions where id in (${child}, ${orphan}) order by id`,
  )
  expect(parents).toEqual([
    { id: child, parent },
    { id: orphan, parent: null },
  ])
  expect(read).toBeGreaterThan(0)
  expect(read).toBeLessThan(50)
})
