import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { archiveAll } from '../../src/archive/archive-all.ts'
import { restore } from '../../src/archive/restore/restore.ts'
import { verifyArchive } from '../../src/archive/verify-archive.ts'
import { documentBytes, originalOf } from '../../src/capture/documents/export-original.ts'
import { importFile } from '../../src/capture/documents/import-files.ts'
import { verify } from '../../src/capture/verify.ts'
import { openVerbatim } from '../../src/compose.ts'
import { createTermHasher, defaultTermKey } from '../../src/indexing/terms/terms.ts'
import { embeddingTexts } from '../../src/indexing/vectors/embedding-texts.ts'
import { convertStore } from '../../src/keys/convert-store.ts'
import { createLog } from '../../src/log.ts'
import { exportSession } from '../../src/sessions/exports/export-session.ts'
import type { ConversionTarget } from '../../src/store/keys/conversion-work.ts'
import type { Verbatim } from '../../src/verbatim.ts'
import { StoreFixture } from '../embedded/store-fixture.ts'
import { caller, useStore } from '../sessions/store.ts'
import { filesWith } from '../support/files-with.ts'
import { Killed, mortalStores } from '../support/mortal-stores.ts'
import { quietConfig } from '../support/quiet-config.ts'
import { isOnServer, makeDatabase } from '../support/test-store.ts'

const rootKey = 'c7'.repeat(32)
const keyed = { VERBATIM_ROOT_KEY: rootKey }
const store = useStore(keyed)
const directory = mkdtempSync(join(tmpdir(), 'verbatim-conversion-'))
const log = createLog('silent')
const nothing = () => undefined
const word = `kanarie${randomBytes(9).toString('hex')}`
const secret = `the ${word} is under the lighthouse`
const large = `${secret} ${'z'.repeat(2 * 1024 * 1024)}`
const first = { content: secret, metadata: { note: secret }, messageId: 'first', sender: 'Ann', role: 'user' } as const
const path = join(directory, 'talk.jsonl')
const closing: (() => Promise<unknown>)[] = []
let sessionId: string
let importedId: string
let original: string
let exportBefore: string[]

/** A transcript of which an entry has no id: it is known by its hash. */
function transcript(): string {
  const message = { role: 'user', content: secret }
  const rows = [
    { type: 'user', uuid: 'u1', sessionId: 'talk', timestamp: '2026-01-01T00:00:00.000Z', message },
    { type: 'summary', summary: `${secret} in short`, leafUuid: 'u1' },
  ]
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
}

beforeAll(async () => {
  const many = Array.from({ length: 210 }, (_, n) => ({ content: `${n}: ${secret}` }))
  sessionId = await store.session([first, { content: large }, { content: [{ type: 'text', text: secret }] }, ...many])
  await store.open.updateSession(caller, { sessionId, title: secret, summary: secret })
  writeFileSync(path, transcript())
  const { stores } = store.open
  const imported = await importFile(stores, caller, { path })
  importedId = imported.documents[0]?.sessionIds[0] ?? ''
  await indexed()
  await archiveAll({ ...stores, log }, caller, nothing)
  original = await originalFile()
  exportBefore = await exported(store.open, sessionId)
})
afterAll(async () => {
  for (const close of closing.toReversed()) await close()
  rmSync(directory, { recursive: true })
}, 60_000)

async function indexed(): Promise<void> {
  while ((await store.open.status(caller)).index.messages_behind > 0) await sleep(100)
}

function open(settings: Readonly<Record<string, string>> = keyed): Promise<Verbatim> {
  return openVerbatim(quietConfig(store.fixture.home, store.databaseUrl, settings))
}

/** Lines, without what comes with the index, which is made in the background. */
async function exported({ stores }: Pick<Verbatim, 'stores'>, id: string): Promise<string[]> {
  let text = ''
  for await (const chunk of exportSession(stores, caller, { sessionId: id, format: 'jsonl' })) text += chunk
  return text.replaceAll(/"sentiment":[^,}]*/g, '').split('\n')
}

async function originalFile(): Promise<string> {
  const { stores } = store.open
  const file = await originalOf(stores, caller, { sessionId: importedId })
  let text = ''
  for await (const bytes of documentBytes(stores, caller, file)) text += Buffer.from(bytes).toString()
  return text
}

async function found(verbatim: Verbatim): Promise<number> {
  const query = { query: word, limit: 50, maxTokens: 4_000, mode: 'full_text', context: 0, format: 'json' } as const
  const { results, coverage } = await verbatim.search(caller, query)
  return results.length === 0 ? 0 : coverage.messages_searched
}

/** What is read and found by a process that has looked at nothing before. */
async function look(): Promise<void> {
  await using fresh = await open()
  const page = await fresh.getSession(caller, { sessionId, limit: 4, maxTokens: 8_000, view: 'full' })
  expect([page.title, page.context_summary]).toEqual([secret, secret])
  expect(page.messages[0]?.content).toBe(secret)
  expect(await found(fresh)).toBeGreaterThan(210)
  expect(await found(store.open)).toBeGreaterThan(210)
}

function convert(verbatim: Verbatim, target: ConversionTarget, lives = Infinity) {
  const stores = { ...verbatim.stores, ...mortalStores(verbatim.stores, lives), log }
  const progress = { begin: async () => undefined, add: nothing }
  return convertStore(stores, caller, { target, progress, graceMs: 20 })
}

/** Converts, killed again and again, while others save and search. */
async function convertKilled(target: ConversionTarget): Promise<void> {
  const over = new AbortController()
  const meanwhile = (async () => {
    for (let n = 0; !over.signal.aborted; n++) {
      const messages = [{ content: `meanwhile ${n} ${word}`, sender: 'Ann', role: 'user' as const }]
      await store.open.saveMessages(caller, { sessionId, messages })
      await store.open.saveMessages(caller, { sessionId: `${target} ${n % 5}`, messages })
      expect(await found(store.open)).toBeGreaterThan(210)
      await sleep(100)
    }
  })()
  await using converting = await open()
  let kills = 0
  try {
    for (let lives = 1; ; lives = 2 * lives) {
      try {
        expect(await convert(converting, target, lives)).toMatchObject({ problems: [], kept_objects: [] })
        break
      } catch (error) {
        if (!(error instanceof Killed)) throw error
        kills++
        await look()
      }
    }
  } finally {
    over.abort()
    await meanwhile
  }
  expect(kills).toBeGreaterThan(3)
}

async function state() {
  const plainWord = createTermHasher(defaultTermKey)(word).toString()
  const [row] = await store.open.stores.database.run(
    (sql) => sql<Record<string, unknown>[]>`
      select (select jsonb_agg(distinct key_version > 0) from sessions) as sessions,
        (select jsonb_agg(distinct key_version > 0) from messages) as messages,
        (select jsonb_agg(distinct key_version > 0) from summaries) as summaries,
        (select jsonb_agg(distinct key_version > 0) from import_files where octet_length(layout) > 0) as files,
        (select state from encryption_states) as state,
        (select count(distinct level)::int from search_units) as levels,
        (select count(distinct level)::int from term_stats) as counted_levels,
        (select count(*) > 0 from search_units where terms @> array[${plainWord}::text::bigint]) as plain_words,
        (select count(*)::int from encryption_keys where wrapped is not null and purpose <> 'tombstone') > 0 as keys`,
  )
  return row
}

async function objects(prefix: string): Promise<string[]> {
  const names: string[] = []
  for await (const name of store.open.stores.archive.list(prefix)) names.push(name)
  return names
}

/** Everything that the store says of itself is right, and what is saved again is known. */
async function proveWhole(): Promise<void> {
  const { stores } = store.open
  await indexed()
  expect((await archiveAll({ ...stores, log }, caller, nothing)).problems).toEqual([])
  expect((await verifyArchive(stores, caller)).problems).toEqual([])
  await using fresh = await open()
  expect((await verify(fresh.stores, caller, nothing)).problems).toEqual([])
  const now = new Set(await exported(store.open, sessionId))
  // The first line is the session's own, whose totals have grown.
  expect(exportBefore.slice(1).filter((line) => !now.has(line))).toEqual([])
  expect(await originalFile()).toBe(original)
  const { messages } = await store.open.saveMessages(caller, { sessionId, messages: [first] })
  expect(messages[0]?.duplicate).toBe(true)
  const again = await importFile(stores, caller, { path, again: true })
  expect(again.documents.map(({ added, known }) => [added, known])).toEqual([[0, 2]])
}

describe('convertStore()', () => {
  it(
    'encrypts all that a store holds, killed again and again, while it is read, searched and saved to',
    { timeout: 240_000 },
    async () => {
      await convertKilled('encrypted')
      expect(await state()).toEqual({
        sessions: [true],
        messages: [true],
        summaries: [true],
        files: [true],
        state: 'encrypted',
        levels: 1,
        counted_levels: 1,
        plain_words: false,
        keys: true,
      })
      await proveWhole()
      expect((await objects('payloads/')).every((name) => name.includes('.k'))).toBe(true)
      // On a server former versions of rows are left in its files.
      expect(filesWith([store.fixture.home], word)).toEqual([])
    },
  )

  it('does nothing where nothing is to be done', async () => {
    await using converting = await open()
    const report = await convert(converting, 'encrypted')
    expect(report).toMatchObject({ sessions: 0, messages: 0, files: 0, removed_payloads: 0, problems: [] })
  })

  it('is followed by processes that were told otherwise', async () => {
    await using off = await open({ ...keyed, VERBATIM_ENCRYPTION: 'off' })
    await off.saveMessages(caller, { messages: [{ content: 'more', sender: 'Bo', role: 'user' }] })
    expect(await state()).toMatchObject({ sessions: [true], messages: [true] })
  })

  it('hashes texts that have a vector under the key of the tenant, and as they are again', async () => {
    const { database } = store.open.stores
    const text = 'a heron in the rain'
    const id = await store.session([{ content: text }])
    const [own] = embeddingTexts({ sender: 'Ann', text }, undefined)
    const hash = async () =>
      (
        await database.run(
          (sql) => sql<{ hash: string }[]>`
            select encode(text_sha256, 'hex') as hash from embedded_units where session_id = ${id}`,
        )
      )[0]?.hash
    const keyedHash = (await database.vault.search.termsOf(caller.tenantId)).texts?.digestOfText(own?.sha256 ?? '')
    await database.run(async (sql) => {
      await sql`insert into embedding_models (tenant_id, id, provider, name, dimensions, state) values (1, 9, 'test', 'test', 3, 'retired')`
      await sql`
        insert into embedded_units (tenant_id, model_id, level, session_id, first_seq, part, text_sha256)
        values (1, 9, 0, ${id}, 1, 0, decode(${keyedHash ?? ''}, 'hex'))`
    })
    await using converting = await open()
    await convert(converting, 'plain')
    expect(await hash()).toBe(own?.sha256)
    await convert(converting, 'encrypted')
    const other = (await database.vault.search.termsOf(caller.tenantId)).texts?.digestOfText(own?.sha256 ?? '')
    expect(await hash()).toBe(other)
    expect(other).not.toBe(keyedHash)
    await database.run((sql) => sql`delete from embedded_units`)
    await proveWhole()
  })

  it('decrypts all of it again, so that no key is needed', { timeout: 240_000 }, async () => {
    await convertKilled('plain')
    expect(await state()).toEqual({
      sessions: [false],
      messages: [false],
      summaries: [false],
      files: [false],
      state: 'plain',
      levels: 1,
      counted_levels: 1,
      plain_words: true,
      keys: false,
    })
    await proveWhole()
    expect(await objects('keys/')).toEqual([])
    expect((await objects('payloads/')).some((name) => name.includes('.k'))).toBe(false)
    await using keyless = await open({})
    await keyless.stores.database.vault.check(caller.tenantId)
    expect(await exported(keyless, sessionId)).toEqual(await exported(store.open, sessionId))
  })

  it('leaves an archive from which the same is restored', async () => {
    const database = isOnServer ? await makeDatabase() : undefined
    if (database !== undefined) closing.push(database.drop)
    const fixture = new StoreFixture()
    closing.push(() => fixture.dispose())
    const target = await openVerbatim(quietConfig(fixture.home, database?.url))
    closing.push(() => target[Symbol.asyncDispose]())
    const stores = { ...target.stores, archive: store.open.stores.archive }
    expect((await restore({ ...stores, log }, caller, nothing)).problems).toEqual([])
    for (const id of [sessionId, importedId])
      expect(await exported({ stores }, id)).toEqual(await exported(store.open, id))
  })
})
