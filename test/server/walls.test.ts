import { createHash, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import postgres, { type Sql } from 'postgres'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { openStores } from '../../src/compose.ts'
import { localCaller, type Caller, type Viewer } from '../../src/model/access.ts'
import type { SearchDependencies } from '../../src/search/search.ts'
import type { Database } from '../../src/store/database.ts'
import { saveMessages, type NewMessage } from '../../src/store/saving/save-messages.ts'
import { migrateServer } from '../../src/store/server/migrate.ts'
import { Verbatim } from '../../src/verbatim.ts'
import { quietConfig } from '../support/quiet-config.ts'
import { lacksVectors, makeDatabase, type TestDatabase } from '../support/test-store.ts'

const home = mkdtempSync(join(tmpdir(), 'verbatim-walls-'))
const [ada, bob] = [localCaller('test', 1), localCaller('test', 2)]
const secrets = { ada: 'The vault opens with marigold-ada-71.', bob: 'The vault opens with marigold-bob-72.' }
/** Who somebody is, how it is proved, and what no request needs. */
const hidden = [
  'access_tokens',
  'audit_lost',
  'audit_seals',
  'encryption_keys',
  'pseudonyms',
  'principals',
  'reasons',
  'sync_peers',
  'synced_sessions',
]
const message: Omit<NewMessage, 'id'> = {
  role: 'user',
  sender: 'Eve',
  kind: 'message',
  trust: 'owner',
  mediaType: 'application/json',
  sha256: createHash('sha256').update('"x"').digest(),
  payload: { bytes: Buffer.from('"x"') },
}
let database: TestDatabase
let owner: Sql
let stores: SearchDependencies
let verbatim: Verbatim
let adaSession = ''

beforeAll(async () => {
  database = await makeDatabase()
  owner = postgres(database.url, { max: 1, onnotice: () => undefined })
  await owner`insert into tenants (id, name) values (2, 'other')`
  // Not encrypted: a key would keep one tenant's words from another where a wall does not.
  stores = await openStores(quietConfig(home, database.url, { VERBATIM_ENCRYPTION: 'off' }))
  verbatim = new Verbatim(stores)
  const save = (caller: Caller, content: string) =>
    verbatim.saveMessages(caller, {
      sessionId: 'vault',
      messages: [{ content, sender: 'Eve', role: 'user', messageId: 'm1' }],
    })
  adaSession = (await save(ada, secrets.ada)).session_id
  await save(bob, secrets.bob)
  await verbatim.updateSession(ada, { sessionId: adaSession, title: 'marigold title', summary: 'marigold summary' })
  for (const caller of [ada, bob]) while ((await verbatim.status(caller)).index.messages_behind > 0) await sleep(50)
})
afterAll(async () => {
  await verbatim[Symbol.asyncDispose]()
  await owner.end()
  await database.drop()
  rmSync(home, { recursive: true, force: true })
})

async function tenantTables(): Promise<string[]> {
  const rows = await owner<{ name: string }[]>`
    select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
    where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace order by 1`
  return rows.map(({ name }) => name)
}

/** Every way in that takes an id or finds something, with the ids of `ada`; each gives what it answered or why it did not. */
async function everythingOfAda(of: Verbatim, caller: Caller): Promise<string[]> {
  const search = { limit: 10, maxTokens: 4_000, context: 3, format: 'json', mode: 'hybrid' } as const
  const page = { limit: 50, maxTokens: 4_000, view: 'full', includeEmbeddings: false } as const
  const ways: Record<string, () => Promise<unknown>> = {
    search: () => of.search(caller, { ...search, query: 'vault marigold' }),
    searchSession: () => of.search(caller, { ...search, query: 'vault', sessionId: adaSession }),
    getSession: () => of.getSession(caller, { ...page, sessionId: adaSession }),
    getOwnId: () => of.getSession(caller, { ...page, sessionId: 'vault' }),
    readMessage: () => of.readMessage(caller, { sessionId: adaSession, messageId: 'm1' }),
    list: () => of.listSessions(caller, { limit: 100 }),
    summarize: () =>
      of.summarize(caller, { sessionId: adaSession, style: 'brief', maxTokens: 500, refresh: false, keep: true }),
    recall: () => of.recallContext(caller, { sessionId: adaSession, maxTokens: 1_000, format: 'json' }),
    update: () => of.updateSession(caller, { sessionId: adaSession, title: 'taken' }),
    profile: () => of.profile(caller),
    versions: async () => [...(await of.sessionVersions(caller, [adaSession]))],
    sessionId: () => of.sessionId(caller, adaSession),
    complete: () => of.completeSessionId(caller, { prefix: adaSession.slice(0, 8), limit: 10 }),
  }
  const answers: string[] = []
  for (const [name, way] of Object.entries(ways))
    answers.push(`${name}: ${await way().then((value) => JSON.stringify(value), String)}`)
  return answers
}

function expectNothingOfAda(answers: readonly string[]): void {
  for (const answer of answers) {
    expect(answer).not.toContain('marigold-ada')
    expect(answer).not.toContain('marigold title')
    expect(answer).not.toContain('marigold summary')
    expect(answer).not.toContain('internal')
  }
}

async function expectUntouched(): Promise<void> {
  const [session] = await owner`select convert_from(title, 'UTF8') as title from sessions where tenant_id = 1`
  expect(session).toEqual({ title: 'marigold title' })
}

/** The database with another behaviour where it is made for a viewer. */
function withViews(of: () => Database): Verbatim {
  return new Verbatim({ ...stores, database: { ...stores.database, of } })
}

describe('the walls between tenants', () => {
  test('stand around every table with rows of tenants, and hold for the owner of the tables too', async () => {
    const tables = await tenantTables()
    expect(tables).toEqual(expect.arrayContaining(['messages', 'sessions', 'search_units', 'audit_log', 'outbox']))
    const forced = await owner<{ name: string }[]>`
      select relname as name from pg_class where relrowsecurity and relforcerowsecurity order by 1`
    expect(forced.map(({ name }) => name)).toEqual(tables)
  })

  test('let a viewer see the rows of one tenant, although the statement asks for all', async () => {
    let seen = 0
    for (const table of await tenantTables()) {
      if (hidden.includes(table)) continue
      const tenants = await stores.database
        .of(bob)
        .run((sql) => sql<{ tenant_id: number }[]>`select distinct tenant_id from ${sql(table)}`)
      expect({ table, others: tenants.filter(({ tenant_id: id }) => id !== 2) }).toEqual({ table, others: [] })
      seen += tenants.length
    }
    expect(seen).toBeGreaterThanOrEqual(4)
  })

  test('keep proofs of identity and the rows of the audit log from being read or changed', async () => {
    const forBob = stores.database.of(bob)
    for (const table of hidden)
      await expect(forBob.run((sql) => sql`select from ${sql(table)}`)).rejects.toThrow('permission denied')
    await expect(forBob.run((sql) => sql`delete from session_grants`)).rejects.toThrow('permission denied')
    await expect(forBob.run((sql) => sql`delete from audit_log`)).rejects.toThrow('permission denied')
    await expect(forBob.run((sql) => sql`update audit_log set actor = 'x'`)).rejects.toThrow('permission denied')
    await expect(forBob.run((sql) => sql`select from tenants`)).rejects.toThrow('permission denied')
  })

  test('take no row for another tenant, and change none', async () => {
    const forBob = stores.database.of(bob)
    await expect(forBob.run((sql) => sql`insert into outbox (tenant_id, topic) values (1, 'index')`)).rejects.toThrow(
      'row-level security',
    )
    const changed = await forBob.run(
      (sql) => sql`update sessions set version = version + 1 returning tenant_id as tenant`,
    )
    expect([...changed]).toEqual([{ tenant: 2 }])
    expect(await forBob.run((sql) => sql`delete from messages where tenant_id = 1 returning id`)).toHaveLength(0)
  })

  test('forget the viewer when the transaction is over', async () => {
    await stores.database.of(bob).run((sql) => sql`select 1`)
    const roles = await Promise.all(
      Array.from({ length: 20 }, () =>
        stores.database.run(
          (sql) => sql`select current_user as role, current_setting('verbatim.tenant', true) as tenant`,
        ),
      ),
    )
    expect(new Set(roles.flat().map((row) => `${row['role']} ${row['tenant'] ?? ''}`.trim()))).toEqual(
      new Set([new URL(database.url).username]),
    )
  })

  test('leave the owner the index on terms', async () => {
    const plan = await owner.begin(async (sql) => {
      await sql`set local enable_seqscan = off`
      return await sql`explain select from search_units where terms && '{1,2}'::bigint[]`
    })
    expect(JSON.stringify(plan)).toMatch(/Bitmap Index Scan on search_units_p\d+_terms/)
  })

  test('all of them: the ids of another tenant lead nowhere', async () => {
    const own = await everythingOfAda(verbatim, ada)
    expect(own.filter((answer) => answer.includes('marigold-ada')).length).toBeGreaterThanOrEqual(5)
    await verbatim.updateSession(ada, { sessionId: adaSession, title: 'marigold title' })
    const answers = await everythingOfAda(verbatim, bob)
    expectNothingOfAda(answers)
    expect(answers.find((answer) => answer.startsWith('search:'))).toContain('marigold-bob')
    await expectUntouched()
  })

  test('without row level security: statements that name the tenant', async () => {
    const withoutWall = withViews(() => stores.database)
    expect((await everythingOfAda(withoutWall, ada)).join('')).toContain('marigold-ada')
    await verbatim.updateSession(ada, { sessionId: adaSession, title: 'marigold title' })
    expectNothingOfAda(await everythingOfAda(withoutWall, bob))
    await expectUntouched()
  })

  test('for roles too, where the statements ask for all of the tenant', async () => {
    const principal = '01900000-0000-7000-8000-00000000000a'
    const other = '01900000-0000-7000-8000-00000000000b'
    await owner`
      insert into session_grants (tenant_id, session_id, principal_id, role) values (1, ${adaSession}, ${principal}, 'owner')`
    try {
      const asOther = withViews(() => stores.database.of({ tenantId: 1, principalId: other }))
      expectNothingOfAda(await everythingOfAda(asOther, ada))
      await expectUntouched()
      const asOwner = withViews(() => stores.database.of({ tenantId: 1, principalId: principal }))
      expect((await everythingOfAda(asOwner, ada)).join('')).toContain('marigold-ada')
      await verbatim.updateSession(ada, { sessionId: adaSession, title: 'marigold title' })
      await owner`update session_grants set role = 'auditor' where session_id = ${adaSession}`
      const rows = await stores.database
        .of({ tenantId: 1, principalId: principal })
        .run(
          (sql) =>
            sql`select (select count(*) from sessions)::int as heads, (select count(*) from messages)::int as messages`,
        )
      expect([...rows]).toEqual([{ heads: 1, messages: 0 }])
    } finally {
      await owner`delete from session_grants`
    }
  })

  test('against the login of another database of the server', async () => {
    const { adminUrl } = inject('testServer')
    const admin = postgres(adminUrl, { max: 1, onnotice: () => undefined })
    const role = `neighbour_${process.pid}`
    await admin.unsafe(`create role ${role} login password '${role}'`)
    await admin.unsafe(`grant verbatim_tenant to ${role}`)
    const url = new URL(database.url)
    url.username = role
    url.password = role
    const neighbour = postgres(url.href, { max: 1, onnotice: () => undefined })
    try {
      const seen = await neighbour.begin(async (sql) => {
        await sql`set local role verbatim_tenant`
        await sql`set local verbatim.tenant = '1'`
        return await sql`select from messages`
      })
      expect(seen).toHaveLength(0)
    } finally {
      await neighbour.end()
      await admin.unsafe(`drop role ${role}`)
      await admin.end()
    }
  })

  test('let a save in for the viewer alone, whatever its arguments name', async () => {
    const principal = '01900000-0000-7000-8000-00000000000a'
    const other = '01900000-0000-7000-8000-00000000000b'
    const saveAs = (
      viewer: Viewer,
      tenantId: number,
      ids: { readonly id: string; readonly externalId?: string; readonly create?: boolean },
    ) =>
      stores.database.run((sql) =>
        saveMessages(
          sql,
          {
            tenantId,
            actor: 'test',
            client: 'test',
            session: { source: 'mcp', create: true, ...ids },
            messages: [{ ...message, id: randomUUID() }],
            revise: false,
          },
          stores.database.of(viewer),
        ),
      )
    const [before] = await owner`select count(*)::int as count from messages`
    for (const create of [true, false])
      await expect(saveAs(bob, 1, { id: adaSession, create })).rejects.toMatchObject({ code: 'VB403' })
    await owner`
      insert into session_grants (tenant_id, session_id, principal_id, role) values (1, ${adaSession}, ${principal}, 'reader')`
    try {
      for (const principalId of [principal, other])
        for (const ids of [
          { id: adaSession },
          { id: adaSession, create: false },
          { id: randomUUID(), externalId: 'vault' },
        ])
          await expect(saveAs({ tenantId: 1, principalId }, 1, ids)).rejects.toThrow('you have no role in it')
      expect([...(await owner`select count(*)::int as count from messages`)]).toEqual([before])
      await owner`update session_grants set role = 'writer' where session_id = ${adaSession}`
      for (const create of [true, false]) {
        const saved = await saveAs({ tenantId: 1, principalId: principal }, 1, { id: adaSession, create })
        expect(saved).toMatchObject({ sessionId: adaSession, created: false })
        await owner`delete from messages where id = ${saved.messages[0]?.id ?? ''}`
      }
    } finally {
      await owner`delete from session_grants`
    }
  })

  test('are raised again where one was taken away, and around vectors that came later', async () => {
    await owner`drop policy verbatim_v3_select on messages`
    await owner`revoke select on sessions from verbatim_tenant`
    await owner`drop table if exists unit_vectors`
    await migrateServer({ url: database.url, applicationName: 'test' }, 'drizzle')
    const policies = await owner`select from pg_policies where tablename = 'messages'`
    expect(policies).toHaveLength(5)
    expect((await everythingOfAda(verbatim, ada)).join('')).toContain('marigold-ada')
    await verbatim.updateSession(ada, { sessionId: adaSession, title: 'marigold title' })
    const vectors = await owner`select relforcerowsecurity as forced from pg_class where relname = 'unit_vectors'`
    expect([...vectors]).toEqual(lacksVectors ? [] : [{ forced: true }])
  })

  test('without statements that name the right tenant: row level security', async () => {
    // Every predicate asks for the rows of the first tenant, as they would if a statement had forgotten whose call it is.
    const confused = withViews(() => stores.database.of(bob))
    const answers = await everythingOfAda(confused, ada)
    expectNothingOfAda(answers)
    expect(answers.join('')).not.toContain('marigold-bob')
    await expectUntouched()
  })
})
