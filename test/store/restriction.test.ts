import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { storeToken, newTokenText } from '../../src/access/access-tokens.ts'
import { grantAccess } from '../../src/access/session-access.ts'
import { TokenVerifier } from '../../src/access/token-verifier.ts'
import { GeminiEmbedder } from '../../src/adapters/embedders/gemini-embedder.ts'
import { PgvectorIndex } from '../../src/adapters/vector-indexes/pgvector-index.ts'
import { PineconeIndex } from '../../src/adapters/vector-indexes/pinecone-index.ts'
import { openStores, openVerbatim } from '../../src/compose.ts'
import { TermHashers } from '../../src/indexing/terms/term-hashers.ts'
import { VectorWorker } from '../../src/indexing/vectors/vector-worker.ts'
import { withCitations } from '../../src/insight/summaries/by-host/with-citations.ts'
import { createLog } from '../../src/log.ts'
import type { Caller } from '../../src/model/access.ts'
import type { VectorIndex } from '../../src/ports/vector-index.ts'
import { changeRestriction } from '../../src/rights/restrict.ts'
import { search } from '../../src/search/search.ts'
import { updateSession } from '../../src/sessions/update-session.ts'
import { addOutboxAgain } from '../../src/store/work/add-work.ts'
import { embedTopic, finishOutbox, learnTopic, outboxBacklog, workOff } from '../../src/store/work/outbox.ts'
import type { Verbatim } from '../../src/verbatim.ts'
import { caller, useStore } from '../sessions/store.ts'
import { quietConfig } from '../support/quiet-config.ts'
import { GeminiStandIn } from '../support/stand-ins/gemini.ts'
import { PineconeStandIn } from '../support/stand-ins/pinecone.ts'
import { lacksVectors } from '../support/test-store.ts'

const store = useStore()
const { tenantId } = caller
const page = { limit: 50, maxTokens: 8_000, view: 'full' } as const
const question = { limit: 20, maxTokens: 8_000, context: 3, format: 'json', mode: 'full_text' } as const

const change = (target: { session?: string; participant?: string }, isRestricted: boolean) =>
  changeRestriction(store.open.stores.database, caller, { ...target, isRestricted, reason: 'asked' })

async function reader(name: string, sessionId: string): Promise<Caller> {
  const { database } = store.open.stores
  const token = newTokenText()
  await storeToken(database, caller, { token, name, principal: name, scopes: ['memory:read'] })
  const { access } = await new TokenVerifier(database, createLog('silent')).verify(token)
  // Somebody must own what is shared with some.
  const keeper = `keeper of ${sessionId}`
  await storeToken(database, caller, {
    token: newTokenText(),
    name: keeper,
    principal: keeper,
    scopes: ['memory:read'],
  })
  await grantAccess(database, caller, { session: sessionId, principal: keeper, role: 'owner' })
  await grantAccess(database, caller, { session: sessionId, principal: name, role: 'reader' })
  return { tenantId, principal: name, principalId: access?.principalId ?? '', client: 'test' }
}

/** On a server the index may be behind for a moment. */
async function indexed(): Promise<void> {
  const behind = async () => (await store.open.status(caller)).index.messages_behind
  await vi.waitUntil(async () => (await behind()) === 0, { timeout: 30_000 })
}

/** All that one is shown without asking for the session itself. */
async function everythingShown(of: Verbatim, word: string, sessionId: string): Promise<string> {
  const shown = [
    await of.search(caller, { ...question, query: word }),
    await of.search(caller, { ...question, query: 'harbour', sessionId }),
    await of.listSessions(caller, { limit: 100 }),
    await of.listSessions(caller, { limit: 100, participant: 'Bob Marsh' }),
    await of.profile(caller),
    await of.summarize(caller, { sessionId, style: 'brief', maxTokens: 600, refresh: false, keep: false }),
    await of.summarize(caller, { sessionId, style: 'detailed', maxTokens: 600, refresh: true, keep: false }),
    await of.recallContext(caller, { sessionId, maxTokens: 4_000, format: 'json' }),
    (await of.getSession(caller, { ...page, sessionId, limit: 1 })).context_summary,
  ]
  return JSON.stringify(
    shown.map((reply) =>
      reply !== null && typeof reply === 'object' && 'notice' in reply ? { ...reply, query: '' } : reply,
    ),
  )
}

describe('a participant who is restricted', () => {
  it('is in nothing that is searched, recalled, listed or summarized, in any process, until released', async () => {
    const sessionId = await store.session([
      { content: 'We meet at the harbour.', sender: 'Ada Quill' },
      { content: 'My plimsoll is at the harbour at noon. It must stay there.', sender: 'Bob Marsh' },
      { content: 'Good, then at the harbour. I bring the charts for it.', sender: 'Ada Quill' },
    ])
    const other = await store.session([{ content: 'Another plimsoll, said by Bob.', sender: 'Bob Marsh' }])
    const { database } = store.open.stores
    await updateSession(
      withCitations({ ...store.open.stores, hashers: new TermHashers(store.open.stores.database.vault) }, caller),
      caller,
      {
        sessionId,
        title: 'plimsoll talk',
        summary: 'Bob has a plimsoll.',
      },
    )
    await database.run(
      (sql) => sql`
        with m as (select id, session_id from messages where session_id = ${sessionId} and seq = 2), f as (
          insert into facts (tenant_id, id, session_id, kind, body, statement_term, terms, confidence, made_by)
          select ${tenantId}, id, session_id, 'fact', convert_to('{"text":"plimsoll","subject":"Bob Marsh"}', 'UTF8'), 1, '{}', 1, 'test'
          from m returning id)
        insert into fact_sources (tenant_id, fact_id, session_id, message_id, seq, span_start, span_end)
        select ${tenantId}, f.id, m.session_id, m.id, 2, 0, 8 from f, m`,
    )
    // Another process that shares the store, and has ranked the same question before.
    await using replica = await openVerbatim(quietConfig(store.fixture.home, store.databaseUrl))
    await indexed()
    for (const of of [store.open, replica])
      expect((await everythingShown(of, 'plimsoll', sessionId)).match(/plimsoll/g)?.length).toBeGreaterThan(5)

    expect(await change({ participant: 'Bob Marsh' }, true)).toEqual({
      kind: 'participant',
      name: 'Bob Marsh',
      sessions: 2,
      messages: 2,
    })
    for (const of of [replica, store.open]) {
      const shown = await everythingShown(of, 'plimsoll', sessionId)
      expect(shown).not.toMatch(/plimsoll/)
      // What others said is found as before, also beside what is restricted.
      expect(shown).toMatch(/I bring the charts/)
      const { results } = await of.search(caller, { ...question, query: 'harbour' })
      expect(results.flatMap(({ messages }) => messages.map(({ seq }) => seq))).toEqual([1, 3])
    }
    expect((await store.open.search(caller, { ...question, query: 'noon' })).results).toEqual([])

    // Read whole by its owner it says so; a reader is shown that there is a message, and no more.
    const whole = await store.open.getSession(caller, { ...page, sessionId })
    expect(whole.messages.map(({ restricted }) => restricted)).toEqual([undefined, 'participant', undefined])
    expect(JSON.stringify(whole.messages[1])).toMatch(/plimsoll/)
    const eve = await reader('eve', sessionId)
    for (const view of ['full', 'compact'] as const) {
      const { messages } = await store.open.getSession(eve, { ...page, sessionId, view })
      expect(messages[1]).toMatchObject({ restricted: 'participant', error: expect.stringMatching(/restricted/) })
      expect(JSON.stringify(messages)).not.toMatch(/plimsoll|noon/)
      expect(JSON.stringify(messages)).toMatch(/charts/)
    }
    const messageId = whole.messages[1]?.id ?? ''
    await expect(store.open.readMessage(eve, { sessionId, messageId })).rejects.toThrow(/restricted/)
    expect((await store.open.readMessage(caller, { sessionId, messageId })).message.restricted).toBe('participant')

    await change({ participant: 'Bob Marsh' }, false)
    for (const of of [store.open, replica]) expect(await everythingShown(of, 'plimsoll', sessionId)).toMatch(/plimsoll/)
    expect(
      (await store.open.search(caller, { ...question, query: 'plimsoll', sessionId: other })).results,
    ).toHaveLength(1)
  })
})

describe('what is released', () => {
  it('is learned from also where somebody is just at its work, and has read it as restricted', async () => {
    const { database } = store.open.stores
    const saved = await store.open.saveMessages(caller, {
      messages: [{ content: 'I work at Harbour Systems.', sender: 'Eve Still', role: 'user' }],
    })
    await indexed()
    await change({ participant: 'Eve Still' }, true)
    const work = { tenantId, sessionId: saved.session_id, firstSeq: 1, lastSeq: 1 }
    await database.run((sql) => addOutboxAgain(sql, learnTopic, [work]))
    // Who learns has taken the work, finds nothing that may be used, and is about to say that it is done.
    await workOff(database, { topic: learnTopic, limit: 100 }, async (items, commit) => {
      await change({ participant: 'Eve Still' }, false)
      const ids = items.map(({ id }) => id)
      await commit((sql) => finishOutbox(sql, ids))
    })
    const told = async () => JSON.stringify(await store.open.profile(caller))
    await vi.waitFor(async () => expect(await told()).toContain('Harbour Systems'), { timeout: 30_000, interval: 100 })
  })
})

describe('a session that is restricted', () => {
  it('is read by its owner alone, and neither summarized nor recalled from', async () => {
    const sessionId = await store.session([{ content: 'A gallimaufry of ropes.', sender: 'Ann' }])
    const mallory = await reader('mallory', sessionId)
    expect((await store.open.getSession(mallory, { ...page, sessionId })).messages).toHaveLength(1)
    await change({ session: sessionId }, true)
    expect((await store.open.search(caller, { ...question, query: 'gallimaufry' })).results).toEqual([])
    expect(await store.open.getSession(caller, { ...page, sessionId })).toMatchObject({ restricted: true })
    await expect(store.open.getSession(mallory, { ...page, sessionId })).rejects.toThrow(/restricted/)
    const summary = { sessionId, style: 'brief', maxTokens: 500, refresh: true, keep: true } as const
    await expect(store.open.summarize(caller, summary)).rejects.toThrow(/restricted/)
    const recall = { sessionId, maxTokens: 4_000, format: 'json' } as const
    await expect(store.open.recallContext(caller, recall)).rejects.toThrow(/restricted/)
    await change({ session: sessionId }, false)
    expect((await store.open.search(caller, { ...question, query: 'gallimaufry' })).results).toHaveLength(1)
  })
})

describe('what is restricted and meaning', () => {
  let dimensions = 30

  async function embedAll(embedder: GeminiEmbedder, index: VectorIndex): Promise<void> {
    const { database, archive } = store.open.stores
    const worker = new VectorWorker({ database, archive, embedder, index, log: createLog('silent') })
    const backlog = () => database.run((sql) => outboxBacklog(sql, tenantId, { topic: embedTopic, waiting: true }))
    worker.wake()
    await sleep(50)
    while ((await backlog()).messages > 0) {
      worker.wake()
      await sleep(20)
    }
    await worker.stop()
  }

  async function queueAll(): Promise<void> {
    await store.open.stores.database.run(
      (sql) => sql`insert into outbox (tenant_id, topic, session_id, first_seq, last_seq)
        select tenant_id, ${embedTopic}, id, 1, last_seq from sessions where tenant_id = ${tenantId}`,
    )
  }

  it.each(['pinecone', 'pgvector'] as const)(
    'goes to no provider, and vectors that are in %s already bring nothing up',
    async (kind) => {
      if (kind === 'pgvector' && lacksVectors) return
      const gemini = await GeminiStandIn.start()
      onTestFinished(() => gemini.stop())
      dimensions += 1
      const embedder = new GeminiEmbedder({ apiKey: gemini.apiKey, baseUrl: gemini.url, dimensions })
      const pinecone = await PineconeStandIn.start()
      onTestFinished(() => pinecone.stop())
      await pinecone.createIndex('memory', dimensions)
      const index =
        kind === 'pinecone'
          ? new PineconeIndex({ apiKey: pinecone.apiKey, index: 'memory', controllerHostUrl: pinecone.url })
          : new PgvectorIndex(store.open.stores.database)
      const name = `Cleo ${kind}`
      const bird = kind === 'pinecone' ? 'heron' : 'stork'
      const said = (content: string) => ({ content: `${content} ${kind}`, sender: name })
      const sessionId = await store.session([
        said(`A ${bird} in the rain.`),
        { content: 'A gull in the sun.', sender: 'Ann' },
      ])
      await embedAll(embedder, index)
      await queueAll()
      await embedAll(embedder, index)
      const stores = await openStores(quietConfig(store.fixture.home, store.databaseUrl))
      onTestFinished(() => stores.database.close())
      const semantic = {
        index,
        embedQuery: async (_model: unknown, text: string, { signal }: { readonly signal: AbortSignal }) => {
          const [vector] = await embedder.embed([text], { purpose: 'query', signal })
          if (vector === undefined) throw new Error('no vector')
          return vector
        },
      }
      const nearest = async () => {
        const input = { ...question, mode: 'semantic', query: `A ${bird} in the rain. ${kind}` } as const
        const reply = await search({ ...stores, semantic }, caller, input)
        return JSON.stringify(reply.results)
      }
      await expect.poll(nearest, { timeout: 20_000 }).toMatch(RegExp(bird))

      await change({ participant: name }, true)
      expect(await nearest()).not.toMatch(RegExp(bird))
      expect(await nearest()).toMatch(/gull/)
      const sentBefore = gemini.requests.length
      await store.open.saveMessages(caller, {
        sessionId,
        messages: [
          { ...said('A bittern at night.'), role: 'user' },
          { content: 'An egret.', sender: 'Ann', role: 'user' },
        ],
      })
      await queueAll()
      await embedAll(embedder, index)
      const sent = () =>
        gemini.requests
          .slice(sentBefore)
          .map(({ text }) => text)
          .join()
      expect(sent()).toMatch(/egret/)
      expect(sent()).not.toMatch(/bittern/)

      await change({ participant: name }, false)
      await embedAll(embedder, index)
      expect(sent()).toMatch(/bittern/)
      await expect.poll(nearest, { timeout: 20_000 }).toMatch(RegExp(bird))
    },
  )
})
