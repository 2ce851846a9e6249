import { createHash, randomUUID } from 'node:crypto'

import { beforeAll, describe, expect, it } from 'vitest'

import { saveSealed } from '../../src/capture/save-sealed.ts'
import { verify } from '../../src/capture/verify.ts'
import { checkEncryption } from '../../src/cli/checks/check-encryption.ts'
import { openVerbatim } from '../../src/compose.ts'
import { TermHashers } from '../../src/indexing/terms/term-hashers.ts'
import { createTermHasher, defaultTermKey } from '../../src/indexing/terms/terms.ts'
import { newId } from '../../src/model/ids.ts'
import { saveMessages } from '../../src/store/saving/save-messages.ts'
import { caller, messagesOf, useStore } from '../sessions/store.ts'
import { quietConfig } from '../support/quiet-config.ts'

const store = useStore({ VERBATIM_ENCRYPTION: 'on' })

const secret = 'the marzipan is under the lighthouse'
const large = `${secret} ${'z'.repeat(2 * 1024 * 1024)}`
let sessionId: string

async function rowsOf<Row extends object>(table: 'messages' | 'sessions' | 'summaries' | 'encryption_keys') {
  return await store.open.stores.database.run((sql) => sql<Row[]>`select * from ${sql(table)}`)
}

beforeAll(async () => {
  sessionId = await store.session([
    { content: secret, metadata: { note: secret }, messageId: 'first' },
    { content: large },
    { content: [{ type: 'text', text: secret }] },
    { content: secret.repeat(100) },
  ])
  const change = { title: secret, summary: secret, tags: ['harbour'] }
  await store.open.updateSession(caller, { sessionId, ...change })
})

describe('a store with VERBATIM_ENCRYPTION=on', () => {
  it('holds nothing of what was saved in its rows and in the archive, its hash neither', async () => {
    const hash = createHash('sha256').update(JSON.stringify(secret)).digest('hex')
    const latin1 = (value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : JSON.stringify(value)
    const held: unknown[] = []
    for (const table of ['messages', 'sessions', 'summaries'] as const)
      held.push(...(await rowsOf<object>(table)).flatMap((row) => Object.values(row)))
    const { archive } = store.open.stores
    for await (const key of archive.list('payloads')) held.push(key, await archive.get(key))
    const text = held.map(latin1).join('\n')
    expect(text.length).toBeGreaterThan(large.length)
    expect(text).toContain('harbour')
    expect(text).not.toContain('marzipan')
    expect(text).not.toContain(hash)
    expect(text).not.toContain(Buffer.from(hash, 'hex').toString('latin1'))
  })

  it('gives back what was saved, with its SHA-256, title, metadata and summary', async () => {
    const pages = await store.pages(sessionId, { maxTokens: 8_000 })
    const [first] = pages
    expect(first?.title).toBe(secret)
    expect(first?.context_summary).toBe(secret)
    const [message] = messagesOf(pages)
    expect(message?.content).toBe(secret)
    expect(message?.metadata).toMatchObject({
      own: { note: secret },
      sha256: createHash('sha256').update(JSON.stringify(secret)).digest('hex'),
    })
    const { message: whole } = await store.open.readMessage(caller, {
      sessionId,
      messageId: messagesOf(pages)[1]?.id ?? '',
    })
    expect(whole.content).toBe(large)
  })

  it('knows a retry for what it is, and refuses other content under its id', async () => {
    const again = {
      content: secret,
      metadata: { note: secret },
      messageId: 'first',
      sender: 'Ann',
      role: 'user',
    } as const
    const { external_id: own = '' } = await store.open.getSession(caller, {
      sessionId,
      limit: 1,
      maxTokens: 1_000,
      view: 'full',
    })
    expect((await store.open.saveMessages(caller, { sessionId: own, messages: [again] })).messages[0]?.duplicate).toBe(
      true,
    )
    const other = store.open.saveMessages(caller, { sessionId: own, messages: [{ ...again, content: 'another' }] })
    await expect(other).rejects.toThrow('already used')
  })

  it('seals a new session with another key where the first was lost before anything was stored', async () => {
    const { database } = store.open.stores
    const { tenantId } = caller
    const session = { id: newId(), source: 'mcp', create: true }
    await database.vault.sealOfNew(tenantId, session.id)
    const keys = () =>
      database.run((sql) => sql<{ id: string }[]>`select id from encryption_keys where session_id = ${session.id}`)
    const [first] = await keys()
    await database.run((sql) => sql`delete from encryption_keys where session_id = ${session.id}`)
    const bytes = Buffer.from(JSON.stringify(secret))
    const message = {
      id: newId(),
      role: 'user',
      sender: 'Ann',
      kind: 'message',
      trust: 'owner',
      mediaType: 'application/json',
      sha256: createHash('sha256').update(bytes).digest(),
      payload: { bytes },
    } as const
    const rest = { tenantId, actor: 'test', client: 'test', messages: [message], revise: false }
    await saveSealed(database, { tenantId, session }, (target) =>
      database.run((sql) => saveMessages(sql, { ...rest, ...target }, database)),
    )
    const [second] = await keys()
    expect(second?.id).not.toBe(first?.id)
    // By a process that has no key at hand.
    await using other = await openVerbatim(
      quietConfig(store.fixture.home, store.databaseUrl, { VERBATIM_ENCRYPTION: 'on' }),
    )
    const read = await other.getSession(caller, { sessionId: session.id, limit: 1, maxTokens: 1_000, view: 'full' })
    expect(read.messages[0]?.content).toBe(secret)
  })

  it('finds by words and phrases what it holds', async () => {
    const query = {
      query: '"under the lighthouse" marzipan',
      limit: 5,
      maxTokens: 8_000,
      mode: 'full_text',
      context: 0,
      format: 'json',
    } as const
    const { results } = await store.open.search(caller, query)
    expect(results.map((found) => found.session_id)).toEqual([sessionId])
    expect(results[0]?.title).toBe(secret)
  })

  it('hashes terms under a key of its own, and what stands for texts that have a vector', async () => {
    const word = createTermHasher(defaultTermKey)('marzipan')
    const counts = await store.open.stores.database.run(
      (sql) => sql<{ units: number; found: number }[]>`
        select count(*)::int as units, count(*) filter (where terms @> array[${word.toString()}::text::bigint])::int as found
        from search_units`,
    )
    expect(counts[0]?.units).toBeGreaterThan(3)
    expect(counts[0]?.found).toBe(0)
    const { hasher } = await new TermHashers(store.open.stores.database.vault).of(caller.tenantId)
    expect(hasher('marzipan')).not.toBe(word)
  })

  it('gives a session made by 20 processes at once one key', async () => {
    const own = `at once ${randomUUID()}`
    const message = (n: number) => ({ content: `${n}: ${secret}`, sender: 'Ann', role: 'user' as const })
    const others = await Promise.all(
      Array.from({ length: 4 }, () =>
        openVerbatim(quietConfig(store.fixture.home, store.databaseUrl, { VERBATIM_ENCRYPTION: 'on' })),
      ),
    )
    try {
      const saved = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          (others[n % 4] ?? store.open).saveMessages(caller, { sessionId: own, messages: [message(n)] }),
        ),
      )
      const id = saved[0]?.session_id ?? ''
      expect(new Set(saved.map((reply) => reply.session_id))).toEqual(new Set([id]))
      const contents = messagesOf(await store.pages(id, { maxTokens: 8_000 })).map(({ content }) => String(content))
      expect(contents.toSorted()).toEqual(saved.map((_, n) => message(n).content).toSorted())
    } finally {
      for (const other of others) await other[Symbol.asyncDispose]()
    }
  })

  it('makes no new keys where those that it had are gone, and goes on when they are back', async () => {
    const { database } = store.open.stores
    await database.run((sql) => sql`create table kept_keys as table encryption_keys`)
    await database.run((sql) => sql`delete from encryption_keys`)
    const messages = [{ content: secret, sender: 'Cleo', role: 'user' as const }]
    // Nothing is set: what is stored says that it was encrypted.
    await using other = await openVerbatim(quietConfig(store.fixture.home, store.databaseUrl))
    try {
      await expect(other.saveMessages(caller, { messages })).rejects.toThrow(
        'Cannot make a key as this store holds encrypted sessions and none of their keys',
      )
      const query = {
        query: 'anything',
        limit: 5,
        maxTokens: 1_000,
        mode: 'hybrid',
        context: 0,
        format: 'json',
      } as const
      const refused = await other.saveMessages(caller, { messages }).catch((error: unknown) => error)
      expect(refused).toMatchObject({ remedy: expect.stringMatching(/^Run "verbatim restore --keys"/) })
      await expect(other.search(caller, query)).rejects.toThrow(
        'Cannot search as this store holds encrypted sessions and none of their keys',
      )
      expect(await checkEncryption(other.stores.database, caller)).toMatchObject({
        state: 'problem',
        remedy: expect.stringContaining('verbatim restore --keys'),
      })
      expect(await rowsOf('encryption_keys')).toEqual([])
    } finally {
      await database.run((sql) => sql`insert into encryption_keys select * from kept_keys`)
      await database.run((sql) => sql`drop table kept_keys`)
    }
    const { session_id: id } = await other.saveMessages(caller, { messages })
    const rows = await rowsOf<{ session_id: string; key_version: number }>('messages')
    expect(rows.filter((row) => row.session_id === id).map((row) => row.key_version)).toEqual([1])
  })

  it('is read by a process with VERBATIM_ENCRYPTION=off, which goes on sealing what is sealed', async () => {
    await using plain = await openVerbatim(
      quietConfig(store.fixture.home, store.databaseUrl, { VERBATIM_ENCRYPTION: 'off' }),
    )
    const { session_id: id } = await plain.saveMessages(caller, {
      sessionId,
      messages: [{ content: `more: ${secret}`, sender: 'Bo', role: 'user' }],
    })
    expect(id).toBe(sessionId)
    const { session_id: own } = await plain.saveMessages(caller, {
      messages: [{ content: 'plainly', sender: 'Bo', role: 'user' }],
    })
    const rows = await rowsOf<{ session_id: string; key_version: number; sender: string }>('messages')
    const versions = (session: string) => rows.filter((row) => row.session_id === session && row.sender === 'Bo')
    expect(versions(sessionId).map((row) => row.key_version)).toEqual([1])
    expect(versions(own).map((row) => row.key_version)).toEqual([0])
    expect((await verify(store.open.stores, caller, () => undefined)).problems).toEqual([])
  })
})
