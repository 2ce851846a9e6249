import { randomBytes } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { archiveAll } from '../../src/archive/archive-all.ts'
import { Archiver } from '../../src/archive/archiver.ts'
import { createLog } from '../../src/log.ts'
import type { ArchiveStore } from '../../src/ports/archive-store.ts'
import { Vault } from '../../src/store/keys/vault.ts'
import { caller, useStore } from '../sessions/store.ts'
import { quietConfig } from '../support/quiet-config.ts'

const settings = { VERBATIM_ENCRYPTION: 'on', VERBATIM_ROOT_KEY: randomBytes(32).toString('hex') }
const store = useStore(settings)
const log = createLog('silent')
const nothing = () => undefined

async function erase(selection: { readonly sessionId: string; readonly messageId?: string }) {
  const preview = await store.open.erasures.forget(caller, selection)
  if (preview.status !== 'preview') throw new Error('no preview')
  const receipt = await store.open.erasures.forget(caller, { ...selection, confirm: preview.confirm })
  if (receipt.status === 'preview') throw new Error('no receipt')
  return receipt
}

async function keysOf(sessionId: string) {
  return await store.open.stores.database.run(
    (sql) => sql<{ id: string; wrapped: Uint8Array | null; destroyed: boolean }[]>`
      select id, wrapped, destroyed_at is not null as destroyed from encryption_keys where session_id = ${sessionId}`,
  )
}

async function objectsOf(sessionId: string): Promise<string[]> {
  const names: string[] = []
  for await (const name of store.open.stores.archive.list('')) if (name.includes(sessionId)) names.push(name)
  return names
}

const archived = () => archiveAll({ ...store.open.stores, log }, caller, nothing)

describe('an encrypted session that is erased', () => {
  it('leaves its key neither in the database nor in the archive, and what was sealed by it stays closed', async () => {
    const id = await store.session([{ content: 'a heron in the rain' }])
    const stays = await store.session([{ content: 'a boat came in' }])
    expect((await archived()).problems).toEqual([])
    const { database } = store.open.stores
    const [before] = await database.run(
      (sql) => sql<{ id: string; payload: Uint8Array }[]>`select id, payload from messages where session_id = ${id}`,
    )
    const place = { field: 'payload', id: before?.id ?? '' } as const
    const sealed = before?.payload ?? Buffer.alloc(0)
    // Of a process that comes anew: one that has just read the session keeps its key in memory where another process erases it.
    const sealsOf = async () => {
      const { encryption } = quietConfig(store.fixture.home, store.databaseUrl, settings)
      const vault = new Vault((work) => database.run(work), encryption)
      try {
        return await vault.sealsOf(caller.tenantId, [{ sessionId: id, version: 1 }])
      } finally {
        vault.close()
      }
    }
    expect((await sealsOf())(id, 1)?.open(place, sealed).toString()).toContain('heron')
    expect((await objectsOf(id)).filter((name) => name.startsWith('keys/'))).toHaveLength(1)

    expect(await erase({ sessionId: id })).toMatchObject({
      status: 'erased',
      erased: { sessions: 1, messages: 1, session_keys: 1, archived_keys: 1 },
    })
    expect(await keysOf(id)).toMatchObject([{ wrapped: null, destroyed: true }])
    expect(await objectsOf(id)).toEqual([])
    // What a backup of the rows holds: there is nothing any more that opens it.
    expect((await sealsOf())(id, 1)).toBeUndefined()
    expect((await store.pages(stays, { maxTokens: 10_000 })).flatMap(({ messages }) => messages)).toHaveLength(1)
    expect((await archived()).problems).toEqual([])
    expect(await objectsOf(id)).toEqual([])
  })

  it('gets no key into the archive from who was archiving it meanwhile', async () => {
    const id = await store.session([{ content: 'soon gone' }])
    const { archive, database } = store.open.stores
    let receipt: Awaited<ReturnType<typeof erase>> | undefined
    // What was read before the erasure is written after it.
    const slow: ArchiveStore = {
      put: async (key, bytes) => {
        receipt ??= await erase({ sessionId: id })
        await archive.put(key, bytes)
      },
      get: (key) => archive.get(key),
      delete: (key) => archive.delete(key),
      erase: (name) => archive.erase(name),
      list: (prefix) => archive.list(prefix),
      check: () => archive.check(),
    }
    // The background work may have brought all of it there before.
    await archive.erase(`keys/${caller.tenantId}/${id}/`)
    await database.run(
      (sql) => sql`delete from archive_manifests where kind = 'key' and subject_id in
        (select id from encryption_keys where session_id = ${id})`,
    )
    const archiving = new Archiver({ database, archive: slow, log }).archiveSession({
      tenantId: caller.tenantId,
      sessionId: id,
    })
    // The session goes away beneath it: whether it notices depends on what it has left to do.
    await Promise.allSettled([archiving])
    expect(receipt).toMatchObject({ status: 'erased' })
    expect(await objectsOf(id)).toEqual([])
    const noted = await database.run(
      (sql) =>
        sql`select from archive_manifests m join encryption_keys k on m.subject_id = k.id where k.session_id = ${id}`,
    )
    expect(noted).toHaveLength(0)
  })

  it('keeps what is left readable where single messages go, and their words are no more in the index', async () => {
    const id = await store.session([{ content: 'the zarquon is here' }, { content: 'the rest stays' }])
    await archived()
    const search = async (query: string) =>
      (
        await store.open.search(caller, {
          query,
          limit: 10,
          maxTokens: 2_000,
          mode: 'full_text',
          context: 0,
          format: 'json',
        })
      ).results.map(({ session_id: hit }) => hit)
    await expect.poll(() => search('zarquon'), { timeout: 30_000 }).toEqual([id])
    const [first] = (await store.pages(id, { maxTokens: 10_000 })).flatMap(({ messages }) => messages)
    const termsOf = async () => {
      const rows = await store.open.stores.database.run(
        (sql) => sql<{ term: string }[]>`select unnest(terms)::text as term from search_units where session_id = ${id}`,
      )
      return new Set(rows.map(({ term }) => term))
    }
    const before = await termsOf()
    const receipt = await erase({ sessionId: id, messageId: first?.id ?? '' })
    expect(receipt).toMatchObject({ status: 'erased', erased: { messages: 1, session_keys: 0, archived_keys: 0 } })
    expect(await search('zarquon')).toEqual([])
    expect(await search('rest')).toEqual([id])
    const after = await termsOf()
    const gone = [...before].filter((term) => !after.has(term))
    expect(gone.length).toBeGreaterThan(0)
    const counted = await store.open.stores.database.run(
      (sql) => sql`select from term_stats where documents > 0 and term in
        (select jsonb_array_elements_text(${JSON.stringify(gone)}::text::jsonb)::bigint) and level = 0`,
    )
    expect(counted).toHaveLength(0)
    const contents = (await store.pages(id, { maxTokens: 10_000 })).flatMap(({ messages }) => messages)
    expect(contents.map(({ content }) => content)).toEqual(['', 'the rest stays'])
    expect((await archived()).problems).toEqual([])
  })
})
