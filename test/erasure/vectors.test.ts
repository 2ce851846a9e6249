import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, it, onTestFinished } from 'vitest'

import { GeminiEmbedder } from '../../src/adapters/embedders/gemini-embedder.ts'
import { PgvectorIndex } from '../../src/adapters/vector-indexes/pgvector-index.ts'
import { PineconeIndex } from '../../src/adapters/vector-indexes/pinecone-index.ts'
import { eraseOutside } from '../../src/erasure/erase-outside.ts'
import { forget } from '../../src/erasure/forget.ts'
import { workOffErasure } from '../../src/erasure/run-erasure.ts'
import { VectorWorker } from '../../src/indexing/vectors/vector-worker.ts'
import { createLog } from '../../src/log.ts'
import { newId } from '../../src/model/ids.ts'
import type { VectorIndex, VectorSpace } from '../../src/ports/vector-index.ts'
import { readReceipts } from '../../src/store/erasure/receipts.ts'
import { embedTopic, outboxBacklog } from '../../src/store/work/outbox.ts'
import { caller, useStore } from '../sessions/store.ts'
import { GeminiStandIn } from '../support/stand-ins/gemini.ts'
import { PineconeStandIn } from '../support/stand-ins/pinecone.ts'
import { lacksVectors } from '../support/test-store.ts'

const store = useStore()
const { tenantId } = caller
const log = createLog('silent')
/** Every test has a model of its own. */
let dimensions = 24

async function startGemini(): Promise<{ readonly standIn: GeminiStandIn; readonly embedder: GeminiEmbedder }> {
  const standIn = await GeminiStandIn.start()
  onTestFinished(() => standIn.stop())
  dimensions += 1
  return { standIn, embedder: new GeminiEmbedder({ apiKey: standIn.apiKey, baseUrl: standIn.url, dimensions }) }
}

/** Waits for the index, and embeds what there is. */
async function embedAll(embedder: GeminiEmbedder, index: VectorIndex): Promise<void> {
  const { database, archive } = store.open.stores
  const worker = new VectorWorker({ database, archive, embedder, index, log })
  const backlog = () => database.run((sql) => outboxBacklog(sql, tenantId, { topic: embedTopic, waiting: true }))
  worker.wake()
  await sleep(50)
  while ((await backlog()).messages > 0) {
    worker.wake()
    await sleep(20)
  }
  await worker.stop()
}

async function queueEmbedding(sessionIds: readonly string[]): Promise<void> {
  for (const id of sessionIds)
    await store.open.stores.database.run(
      (sql) => sql`
        insert into outbox (tenant_id, topic, session_id, first_seq, last_seq)
        select tenant_id, ${embedTopic}, id, 1, last_seq from sessions where id = ${id}`,
    )
}

async function eraseNow(index: VectorIndex, chosen: Parameters<typeof forget>[2]) {
  const { database, archive } = store.open.stores
  const dependencies = { database, archive, index, visible: database, waitMs: 60_000 }
  const preview = await forget(dependencies, caller, chosen)
  if (preview.status !== 'preview') throw new Error('no preview')
  const reply = await forget(dependencies, caller, { ...chosen, confirm: preview.confirm })
  if (reply.status === 'preview') throw new Error('no receipt')
  return reply
}

/** A model whose vectors are in an index of its own, in which everything has its vector. */
async function usedPinecone() {
  const { embedder } = await startGemini()
  const pinecone = await PineconeStandIn.start()
  onTestFinished(() => pinecone.stop())
  const name = `memory-${dimensions}`
  await pinecone.createIndex(name, dimensions)
  const target = { apiKey: pinecone.apiKey, index: name, controllerHostUrl: pinecone.url }
  const index = new PineconeIndex(target)
  await store.session([{ content: 'Something was said before.' }])
  await embedAll(embedder, index)
  const [model] = await store.open.stores.database.run(
    (sql) => sql<{ id: number }[]>`select id from embedding_models where dimensions = ${dimensions}`,
  )
  return { embedder, index, target, space: { tenantId, modelId: model?.id ?? 0, dimensions } }
}

/** An index in which something is written otherwise. */
class Otherwise extends PineconeIndex {
  readonly #write: (write: () => Promise<void>) => Promise<void>

  constructor(
    target: ConstructorParameters<typeof PineconeIndex>[0],
    write: (write: () => Promise<void>) => Promise<void>,
  ) {
    super(target)
    this.#write = write
  }

  override async upsert(...given: Parameters<PineconeIndex['upsert']>): Promise<void> {
    await this.#write(() => super.upsert(...given))
  }
}

/** Embeds a session, with an index in which that fails, once. */
async function embedOnce(embedder: GeminiEmbedder, index: VectorIndex, sessionId: string): Promise<void> {
  const { database, archive } = store.open.stores
  await expect.poll(async () => (await store.open.status(caller)).index.messages_behind, { timeout: 30_000 }).toBe(0)
  await database.run((sql) => sql`delete from outbox where topic = ${embedTopic}`)
  await queueEmbedding([sessionId])
  const worker = new VectorWorker({ database, archive, embedder, index, log })
  worker.wake()
  const failed = () =>
    database.run(
      (sql) => sql`select from outbox where topic = ${embedTopic} and session_id = ${sessionId} and attempts > 0`,
    )
  await expect.poll(failed, { timeout: 30_000 }).not.toEqual([])
  await worker.stop()
}

/** Embeds what is left, as whoever comes after who died does. */
async function embedAgain(embedder: GeminiEmbedder, index: VectorIndex): Promise<void> {
  await store.open.stores.database.run((sql) => sql`update outbox set available_at = now() where topic = ${embedTopic}`)
  await embedAll(embedder, index)
}

/** Of which messages of a session an index has vectors. */
async function vectorsIn(space: VectorSpace, index: VectorIndex, sessionId: string): Promise<number[]> {
  const keys = [1, 2].map((firstSeq) => ({ level: 0, sessionId, firstSeq, part: 0 }))
  const found = await index.fetch(space, keys, { signal: AbortSignal.timeout(30_000) })
  return found.map(({ firstSeq }) => firstSeq).toSorted((a, b) => a - b)
}

/** How many vectors of a session may be there without being of a text. */
async function unnoted(sessionId: string): Promise<number> {
  const rows = await store.open.stores.database.run(
    (sql) => sql`select from embedded_units where session_id = ${sessionId} and octet_length(text_sha256) < 2`,
  )
  return rows.length
}

const textsOf = (standIn: GeminiStandIn) =>
  standIn.batches.flatMap(({ requests }) => requests.flatMap(({ content }) => content.parts.map(({ text }) => text)))

describe('erasing vectors', () => {
  it('in Pinecone leaves those of a session that a hold has kept', async () => {
    const { database, archive } = store.open.stores
    const { embedder } = await startGemini()
    const pinecone = await PineconeStandIn.start()
    onTestFinished(() => pinecone.stop())
    await pinecone.createIndex('held', dimensions)
    const index = new PineconeIndex({ apiKey: pinecone.apiKey, index: 'held', controllerHostUrl: pinecone.url })
    const sessionId = await store.session([{ content: 'A wagtail on the pier.' }])
    await embedAll(embedder, index)
    await queueEmbedding([sessionId])
    await embedAll(embedder, index)
    const [model] = await database.run(
      (sql) => sql<{ id: number }[]>`select id from embedding_models where dimensions = ${dimensions}`,
    )
    const space = { tenantId, modelId: model?.id ?? 0, dimensions }
    const vectors = () =>
      index.fetch(space, [{ level: 0, sessionId, firstSeq: 1, part: 0 }], {
        signal: AbortSignal.timeout(30_000),
      })
    await expect.poll(vectors, { timeout: 20_000 }).toHaveLength(1)
    // As a step leaves it that finds the session on hold.
    const progress = { stretches: [], rowsErased: true, hasBegun: false, isHeld: true }
    const details = { erasure: newId(), whole: true, payloads: [], files: [], going: [], claim: 1, ...progress }
    await eraseOutside({ database, archive, index }, { id: 0, tenantId, sessionId, attempts: 0, details })
    expect(await vectors()).toHaveLength(1)
  })

  it('in Pinecone waits until it answers, and says so; nobody else loses one', async () => {
    const { embedder } = await startGemini()
    const pinecone = await PineconeStandIn.start()
    onTestFinished(() => pinecone.stop())
    await pinecone.createIndex('memory', dimensions)
    const index = new PineconeIndex({ apiKey: pinecone.apiKey, index: 'memory', controllerHostUrl: pinecone.url })
    const doomed = await store.session([{ content: 'A heron in the rain.' }, { content: 'It flew off at noon.' }])
    const stays = await store.session([{ content: 'A boat came in.' }])
    await embedAll(embedder, index)
    await queueEmbedding([doomed, stays])
    await embedAll(embedder, index)
    const [model] = await store.open.stores.database.run(
      (sql) => sql<{ id: number }[]>`select id from embedding_models where dimensions = ${dimensions}`,
    )
    const space = { tenantId, modelId: model?.id ?? 0, dimensions }
    const vectorsOf = (sessionId: string) => {
      const keys = [1, 2].map((firstSeq) => ({ level: 0, sessionId, firstSeq, part: 0 }))
      return index.fetch(space, keys, { signal: AbortSignal.timeout(30_000) })
    }
    expect(await vectorsOf(doomed)).toHaveLength(2)

    pinecone.plan('/vectors/delete', { kind: 'status', status: 503 }, 8)
    const receipt = await eraseNow(index, { sessionId: doomed })
    expect(receipt).toMatchObject({
      status: 'pending',
      completed_at: null,
      erased: { messages: 2, vectors: 0 },
      pending: [{ session_id: doomed, waits_for: expect.stringMatching(/pinecone/i) }],
    })
    expect(await vectorsOf(doomed)).toHaveLength(2)

    // The background work of the store takes the same work, as it may at any moment: it has the settings of no such index.
    const { database, archive } = store.open.stores
    const receiptAfter = async (chosen: VectorIndex | undefined) => {
      await database.run((sql) => sql`update outbox set available_at = now() where topic = 'erase'`)
      await workOffErasure({ database, archive, index: chosen, log })
      const [now] = await database.run((sql) => readReceipts(sql, tenantId, { id: receipt.erasure_id, limit: 1 }))
      return now
    }
    // Without the settings of that index nothing is lost either.
    await expect
      .poll(async () => (await receiptAfter(undefined))?.pending[0]?.waits_for, { timeout: 30_000 })
      .toMatch(/VERBATIM_VECTORS does not name it/)
    await expect
      .poll(async () => (await receiptAfter(index))?.completed_at ?? null, { timeout: 60_000, interval: 20 })
      .not.toBeNull()
    const [done] = await database.run((sql) => readReceipts(sql, tenantId, { id: receipt.erasure_id, limit: 1 }))
    expect(done).toMatchObject({ erased: { sessions: 1, messages: 2, vectors: 2 }, pending: [] })
    expect(await vectorsOf(doomed)).toEqual([])
    expect(await vectorsOf(stays)).toHaveLength(1)
  })

  it.skipIf(lacksVectors)('makes that of the message after an erased one anew, without what was erased', async () => {
    const { standIn, embedder } = await startGemini()
    const index = new PgvectorIndex(store.open.stores.database)
    const id = await store.session([
      { content: 'The secret word is zarquon.' },
      { content: 'Noted, I will keep it.' },
      { content: 'Something else.' },
    ])
    await embedAll(embedder, index)
    await queueEmbedding([id])
    await embedAll(embedder, index)
    const vectors = () =>
      store.open.stores.database.run(
        (sql) => sql<
          { seq: string }[]
        >`select first_seq as seq from unit_vectors u join embedding_models m on m.id = u.model_id
          where m.dimensions = ${dimensions} and session_id = ${id} order by first_seq`,
      )
    expect((await vectors()).map(({ seq }) => Number(seq))).toEqual([1, 2, 3])
    const before = textsOf(standIn).length
    expect(textsOf(standIn).filter((text) => text.includes('zarquon') && text.includes('Noted'))).not.toEqual([])
    const [message] = (await store.pages(id, { maxTokens: 25_000 })).flatMap(({ messages }) => messages)
    expect(await eraseNow(index, { sessionId: id, messageId: message?.id })).toMatchObject({
      status: 'erased',
      erased: { messages: 1 },
    })
    expect((await vectors()).map(({ seq }) => Number(seq))).toEqual([3])
    await embedAll(embedder, index)
    expect((await vectors()).map(({ seq }) => Number(seq))).toEqual([2, 3])
    const made = textsOf(standIn).slice(before)
    expect(made).toHaveLength(1)
    expect(made[0]).toContain('Noted')
    expect(made[0]).not.toContain('zarquon')
  })

  it('in Pinecone of what was anonymised, and makes them anew without it', async () => {
    const { standIn, embedder } = await startGemini()
    const pinecone = await PineconeStandIn.start()
    onTestFinished(() => pinecone.stop())
    await pinecone.createIndex('memory', dimensions)
    const index = new PineconeIndex({ apiKey: pinecone.apiKey, index: 'memory', controllerHostUrl: pinecone.url })
    const id = await store.session([{ content: 'Ask zarquon@posteo.de.' }, { content: 'Noted.' }, { content: 'Good.' }])
    await embedAll(embedder, index)
    await queueEmbedding([id])
    await embedAll(embedder, index)
    const before = textsOf(standIn).length
    expect(textsOf(standIn).join()).toContain('zarquon')
    const [message] = (await store.pages(id, { maxTokens: 25_000 })).flatMap(({ messages }) => messages)
    expect(await eraseNow(index, { action: 'anonymise', sessionId: id, messageId: message?.id })).toMatchObject({
      status: 'anonymised',
      // Its own, and that of the message after it.
      erased: { anonymised: 1, vectors: 2 },
    })
    await expect.poll(async () => (await store.open.status(caller)).index.messages_behind, { timeout: 30_000 }).toBe(0)
    await embedAll(embedder, index)
    const made = textsOf(standIn).slice(before)
    // A message by itself, and one by itself and with what was said before it.
    expect(made).toHaveLength(3)
    expect(made.join()).toContain('[email]')
    expect(made.join()).not.toContain('zarquon')
    const [model] = await store.open.stores.database.run(
      (sql) => sql<{ id: number }[]>`select id from embedding_models where dimensions = ${dimensions}`,
    )
    const space = { tenantId, modelId: model?.id ?? 0, dimensions }
    const keys = [1, 2, 3].map((firstSeq) => ({ level: 0, sessionId: id, firstSeq, part: 0 }))
    expect(await index.fetch(space, keys, { signal: AbortSignal.timeout(30_000) })).toHaveLength(3)
  })

  it('in Pinecone of a message whose writer died before it noted what it wrote', async () => {
    const { embedder, index, target, space } = await usedPinecone()
    const sessionId = await store.session([{ content: 'The secret is zarquon.' }, { content: 'It rains.' }])
    const dying = new Otherwise(target, async (write) => {
      await write()
      throw new Error('killed')
    })
    await embedOnce(embedder, dying, sessionId)
    expect(await vectorsIn(space, index, sessionId)).toEqual([1, 2])
    const [message] = (await store.pages(sessionId, { maxTokens: 5_000 })).flatMap(({ messages }) => messages)
    expect(await eraseNow(index, { sessionId, messageId: message?.id })).toMatchObject({ status: 'erased' })
    expect(await vectorsIn(space, index, sessionId)).not.toContain(1)
    await embedAgain(embedder, index)
    expect(await vectorsIn(space, index, sessionId)).toEqual([2])
    expect(await unnoted(sessionId)).toBe(0)
  })

  it.each(['message', 'session'])(
    'in Pinecone which one wrote who died, after they were removed with the %s',
    async (what) => {
      const { embedder, index, target, space } = await usedPinecone()
      const sessionId = await store.session([{ content: 'The secret is zarquon.' }, { content: 'It rains.' }])
      const [message] = (await store.pages(sessionId, { maxTokens: 5_000 })).flatMap(({ messages }) => messages)
      const chosen = what === 'message' ? { sessionId, messageId: message?.id } : { sessionId }
      const late = new Otherwise(target, async (write) => {
        expect(await eraseNow(index, chosen)).toMatchObject({ status: 'erased' })
        await write()
        throw new Error('killed')
      })
      await embedOnce(embedder, late, sessionId)
      expect(await vectorsIn(space, index, sessionId)).toEqual([1, 2])
      await embedAgain(embedder, index)
      expect(await vectorsIn(space, index, sessionId)).toEqual(what === 'message' ? [2] : [])
      expect(await unnoted(sessionId)).toBe(0)
    },
  )
})
