import { expect, test } from 'vitest'

import { createTenant, listTenants } from '../../src/access/tenants.ts'
import type { Database } from '../../src/store/database.ts'
import { useStore } from '../sessions/store.ts'

const store = useStore()

test('a tenant is made once, whatever becomes of the answer, and what was there before is told apart', async () => {
  const { database } = store.open.stores
  // The connection is lost before the answer comes, and all of it is done again.
  const losing: Database = {
    ...database,
    run: async (work) => {
      await database.run(work)
      return await database.run(work)
    },
  }
  const made = await createTenant(losing, 'acme')
  expect(made).toMatchObject({ name: 'acme', disabledAt: null })
  expect(await listTenants(database)).toContainEqual(made)

  for (const any of [losing, database])
    await expect(createTenant(any, 'acme')).rejects.toThrow(
      `Cannot make tenant "acme" as there is one of this name: number ${made.id}, made at ${made.createdAt}`,
    )
  const both = await Promise.allSettled([createTenant(database, 'twins'), createTenant(database, 'twins')])
  expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  expect((await listTenants(database)).map(({ name }) => name).filter((name) => name !== 'default').length).toBe(2)
})
