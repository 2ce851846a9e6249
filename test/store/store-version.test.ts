import type { Sql, TransactionSql } from 'postgres'
import { describe, expect, test } from 'vitest'

import { firstTenantId } from '../../src/model/access.ts'
import { storeVersion } from '../../src/store/store-version.ts'
import { caller, useStore } from '../sessions/store.ts'
import { isOnServer } from '../support/test-store.ts'

const store = useStore()

function run<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
  return store.open.stores.database.run(work)
}

/** The version now, or the earlier one again where nothing has changed since. */
function version(since?: string): Promise<string> {
  return run((sql) => storeVersion(sql, firstTenantId, since))
}

/** A transaction that stays open until it is told how to end. */
async function begin(work: (sql: TransactionSql) => Promise<unknown>) {
  let end = (_how: 'commit' | 'rollback') => {}
  const told = new Promise<'commit' | 'rollback'>((resolve) => (end = resolve))
  let over: Promise<unknown> = Promise.resolve()
  await new Promise<void>((resolve, reject) => {
    over = run((sql) =>
      sql.begin(async (transaction) => {
        await work(transaction)
        resolve()
        if ((await told) === 'rollback') throw new Error('rolled back')
      }),
    ).catch((error: unknown) => {
      if (!(error instanceof Error && error.message === 'rolled back')) throw error
    })
    over.catch(reject)
  })
  return {
    commit: async () => {
      end('commit')
      await over
    },
    rollback: async () => {
      end('rollback')
      await over
    },
  }
}

const audit = (sql: TransactionSql, tenantId = firstTenantId) => sql`
  insert into audit_log (tenant_id, actor, actor_kind, action, outcome) values (${tenantId}, 'test', 'principal', 'test', 'ok')`

/** Gives the transaction its number without a row. */
const write = (sql: TransactionSql) => sql`select pg_current_xact_id()`

describe('storeVersion()', () => {
  test('stays while nothing is changed, and changes with every change', async () => {
    const empty = await version()
    expect(await version(empty)).toBe(empty)
    const id = await store.session([{ content: 'a' }])
    const one = await version(empty)
    expect(one).not.toBe(empty)
    expect(await version(one)).toBe(one)
    await store.open.getSession(caller, { sessionId: id, limit: 1, maxTokens: 100, view: 'full' })
    expect(await version(one)).toBe(one)
    await store.open.updateSession(caller, { sessionId: id, title: 'Berths' })
    const two = await version(one)
    expect(two).not.toBe(one)
    expect(await store.open.storeVersion(caller, two)).toBe(two)
    expect(await store.open.storeVersion(caller, empty)).not.toBe(empty)
  })
})

describe.skipIf(!isOnServer)('storeVersion() beside transactions that are open', () => {
  test('tells of a change with a lower number that is committed later', async () => {
    const late = await begin((sql) => audit(sql))
    await store.session([{ content: 'b' }])
    const before = await version()
    expect(await version(before)).toBe(before)
    await late.commit()
    const after = await version(before)
    expect(after).not.toBe(before)
    // The newest number is the same: it alone would not have told.
    expect(after.split(' ')[0]).toBe(before.split(' ')[0])
    expect(await version(after)).toBe(after)
  })

  test('tells of it in a savepoint of its transaction too', async () => {
    const late = await begin(async (sql) => {
      await write(sql)
      await sql.savepoint((part) => audit(part))
    })
    await store.session([{ content: 'c' }])
    const before = await version()
    await late.commit()
    expect(await version(before)).not.toBe(before)
  })

  test('stays where the change is taken back, or was not one of the tenant', async () => {
    await run((sql) => sql`insert into tenants (id, name) values (7, 'seven') on conflict do nothing`)
    const base = await version()
    const [taken, foreign, idle] = [
      await begin((sql) => audit(sql)),
      await begin((sql) => audit(sql, 7)),
      await begin(write),
    ]
    const before = await version(base)
    expect(before).toBe(base)
    const open = await version()
    await taken.rollback()
    await foreign.commit()
    await idle.commit()
    expect(await version(open)).toBe(open)
  })

  test('tells of it however many others have written meanwhile, and not of one that has written nothing', async () => {
    const [late, idle] = [await begin((sql) => audit(sql)), await begin(write)]
    await store.session(Array.from({ length: 3 }, (_, at) => ({ content: `d${at}` })))
    await run((sql) =>
      sql.unsafe(`do $$ begin for i in 1..1500 loop
        insert into audit_log (tenant_id, actor, actor_kind, action, outcome) values (${firstTenantId}, 'test', 'principal', 'test', 'ok');
        commit; end loop; end $$`),
    )
    const before = await version()
    await idle.commit()
    expect(await version(before)).toBe(before)
    await late.commit()
    expect(await version(before)).not.toBe(before)
  })
})
