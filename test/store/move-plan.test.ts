import { expect, test } from 'vitest'

import { movedOtherwise, notMoved, plainTables } from '../../src/store/copy/move-plan.ts'
import { useStore } from '../sessions/store.ts'

const store = useStore()

test('every table that has a tenant is moved to another store, or it is said why not', async () => {
  const rows = await store.open.stores.database.run(
    (sql) => sql<{ name: string }[]>`
      select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
      where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace`,
  )
  const planned = [...plainTables.map(({ name }) => name), ...Object.keys(movedOtherwise), ...Object.keys(notMoved)]
  const inStore = rows.map(({ name }) => name)
  // Without pgvector there is no table of vectors.
  expect([...new Set([...inStore, 'unit_vectors'])].toSorted()).toEqual(planned.toSorted())
})
