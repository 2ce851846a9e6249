import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, it, onTestFinished } from 'vitest'

import { GeminiEmbedder } from '../../src/adapters/embedders/gemini-embedder.ts'
import { OpenAiCompatibleEmbedder } from '../../src/adapters/embedders/openai-compatible-embedder.ts'
import { PgvectorIndex } from '../../src/adapters/vector-indexes/pgvector-index.ts'
import { forget } from '../../src/erasure/forget.ts'
import { UnavailableError } from '../../src/errors.ts'
import { DailyBudget } from '../../src/indexing/daily-budget.ts'
import { BudgetedEmbedder } from '../../src/indexing/vectors/budgeted-embedder.ts'
import { ModelRegistry } from '../../src/indexing/vectors/model-registry.ts'
import { VectorWorker } from '../../src/indexing/vectors/vector-worker.ts'
import { createLog } from '../../src/log.ts'
import type { ArchiveStore } from '../../src/ports/archive-store.ts'
import type { VectorIndex, VectorRecord } from '../../src/ports/vector-index.ts'
import { readEmbedded } from '../../src/store/vectors/embedded-units.ts'
import { makeCurrent, removeModel } from '../../src/store/vectors/embedding-models.ts'
import { addOutbox } from '../../src/store/work/add-work.ts'
import { embedTopic, indexTopic, outboxBacklog, waitingReason } from '../../src/store/work/outbox.ts'
import { caller, messagesOf, useStore } from '../sessions/store.ts'
import { GeminiStandIn } from '../support/stand-ins/gemini.ts'
import { isOnServer, lacksVectors } from '../support/test-store.ts'

const store = useStore()
const { tenantId } = caller
const tokensMax = 1_000_000
/** Every test has a model of its own, so that no vector of another is found. */
let dimensions = 16

interface Working {
  readonly standIn: GeminiStandIn
  readonly embedder: BudgetedEmbedder
  readonly index: VectorIndex
  readonly worker: VectorWorker
}

async function start(
  options: {
    readonly tokensMax?: number
    readonly upsert?: VectorIndex['upsert']
    readonly archive?: ArchiveStore
  } = {},
): Promise<Working> {
  const standIn = await GeminiStandIn.start()
  const { database } = store.open.stores
  const { archive = store.open.stores.archive } = options
  dimensions += 1
  const embedder = new BudgetedEmbedder(
    new GeminiEmbedder({ apiKey: standIn.apiKey, baseUrl: standIn.url, dimensions }),
    new DailyBudget(database, options.tokensMax ?? tokensMax),
  )
  const index = new PgvectorIndex(database)
  if (options.upsert !== undefined) index.upsert = options.upsert
  const worker = new VectorWorker({ database, archive, embedder, index, log: createLog('silent') })
  onTestFinished(async () => {
    await worker.stop()
    await standIn.stop()
  })
  return { standIn, embedder, index, worker }
}

const unindexed = () => store.open.stores.database.run((sql) => outboxBacklog(sql, tenantId, { topic: indexTopic }))

const backlog = () =>
  store.open.stores.database.run((sql) => outboxBacklog(sql, tenantId, { topic: embedTopic, waiting: true }))

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(20)
}

const documents = (standIn: GeminiStandIn) =>
  standIn.batches.flatMap(({ requests }) => requests).filter(({ taskType }) => taskType !== 'RETRIEVAL_QUERY').length

/** How far apart two vectors of length 1 are; infinite where one is not there. */
function distance(one: Pick<VectorRecord, 'vector'> | undefined, other: typeof one): number {
  if (one === undefined || other === undefined) return Infinity
  return Math.hypot(...one.vector.map((value, at) => value - (other.vector[at] ?? 0)))
}

describe.skipIf(lacksVectors)('VectorWorker', () => {
  it('makes one vector of a message that two pieces of work cover', async () => {
    const { index, worker } = await start()
    const sessionId = await store.session([
      { content: 'A heron stood in the rain.' },
      { content: 'It flew off at noon.' },
    ])
    await store.open.stores.database.run((sql) =>
      addOutbox(sql, embedTopic, [
        { tenantId, sessionId, firstSeq: 1, lastSeq: 2 },
        { tenantId, sessionId, firstSeq: 2, lastSeq: 2 },
      ]),
    )
    worker.wake()
    await until(async () => (await backlog()).messages === 0)
    const [model] = await store.open.stores.database.run(
      (sql) => sql<{ id: number }[]>`select id from embedding_models where dimensions = ${dimensions}`,
    )
    const space = { tenantId, modelId: model?.id ?? 0, dimensions }
    expect(await index.count(space, { signal: new AbortController().signal })).toBe(2)
  })

  it('makes vectors anew of a model that was gone back to while those of it were removed', async () => {
    const { database } = store.open.stores
    const { signal } = new AbortController()
    const done = async (worker: VectorWorker) => {
      worker.wake()
      await until(async () => (await backlog()).messages === 0)
    }
    const first = await start()
    const firstDimensions = dimensions
    await store.session([{ content: 'A heron stood in the rain.' }, { content: 'It flew off at noon.' }])
    await until(async () => (await unindexed()).messages === 0)
    const space = await new ModelRegistry({ database, ...first }).spaceOf(tenantId, signal)
    await done(first.worker)
    const vectors = await first.index.count(space, { signal })
    expect(vectors).toBeGreaterThan(1)

    const second = await start()
    let isRemoved = false
    const { index } = second
    const deleteSpace = index.deleteSpace.bind(index)
    index.deleteSpace = async (former, options) => {
      // Another process goes back, and finds a vector of every message.
      if (former.dimensions === firstDimensions) {
        await new ModelRegistry({ database, ...first }).spaceOf(tenantId, signal)
        await done(first.worker)
      }
      await deleteSpace(former, options)
      isRemoved ||= former.dimensions === firstDimensions
    }
    await new ModelRegistry({ database, ...second }).spaceOf(tenantId, signal)
    await done(second.worker)
    await until(async () => isRemoved)
    await second.worker.stop()
    await done(first.worker)
    expect(await first.index.count(space, { signal })).toBe(vectors)
  })

  it('leaves nothing to be embedded anew where another replica has removed a former model before', async () => {
    const { database } = store.open.stores
    await store.session([{ content: 'A heron stood in the rain.' }])
    await until(async () => (await unindexed()).messages === 0)
    const about = { provider: 'test', dimensions: 3, revision: '1', index: 'elsewhere' }
    const former = await database.run((sql) => makeCurrent(sql, tenantId, { ...about, name: 'former' }))
    await database.run((sql) => makeCurrent(sql, tenantId, { ...about, name: 'current' }))
    await database.run((sql) => sql`delete from outbox where topic = ${embedTopic}`)
    const remove = () => database.run((sql) => removeModel(sql, { tenantId, modelId: former.id }))
    await remove()
    await remove()
    expect((await backlog()).messages).toBe(0)
  })

  it('keeps no vector of words before a message that were anonymised while it was embedded', async () => {
    const { database, archive } = store.open.stores
    const email = 'kanarie.k@posteo.de'
    const sessionId = await store.session([{ content: `Ask ${email}` }, { content: 'Yes, on Friday' }])
    const [message] = messagesOf(await store.pages(sessionId, { maxTokens: 5_000 }))
    // The first one alone: of the second one the words are as they were.
    const anonymise = async () => {
      const erasing = { database, archive, index: undefined, visible: database }
      const chosen = { action: 'anonymise', messageId: message?.id } as const
      const preview = await forget(erasing, caller, chosen)
      if (preview.status !== 'preview') throw new Error('no preview')
      const receipt = await forget(erasing, caller, { ...chosen, confirm: preview.confirm })
      expect(receipt).toMatchObject({ status: 'anonymised', erased: { anonymised: 1 } })
    }
    const written: VectorRecord[] = []
    const { standIn, index, worker } = await start({
      upsert: async (space, records, options) => {
        // The two may come in two batches.
        const second = records.filter((record) => record.sessionId === sessionId && record.firstSeq === 2)
        if (second.length > 0 && written.length === 0) await anonymise()
        written.push(...second)
        await new PgvectorIndex(database).upsert(space, records, options)
      },
    })
    await database.run((sql) => addOutbox(sql, embedTopic, [{ tenantId, sessionId, firstSeq: 1, lastSeq: 2 }]))
    worker.wake()
    await until(async () => written.length > 1 && (await backlog()).messages === 0)
    const texts = standIn.batches.flatMap(({ requests }) => requests.map(({ content }) => content.parts[0]?.text))
    expect(texts.filter((text) => text?.endsWith('Friday') === true && text.includes('Ask'))).toEqual([
      `title: none | text: Ann: Ask ${email}\nAnn: Yes, on Friday`,
      'title: none | text: [person]: Ask [email]\nAnn: Yes, on Friday',
    ])
    const [stale, anew] = written
    const [model] = await database.run(
      (sql) => sql<{ id: number }[]>`select id from embedding_models where dimensions = ${dimensions}`,
    )
    const space = { tenantId, modelId: model?.id ?? 0, dimensions }
    const key = { level: 0, sessionId, firstSeq: 2, part: 0 }
    const [stored] = await index.fetch(space, [key], { signal: new AbortController().signal })
    // A server keeps half the digits.
    expect(distance(stored, anew)).toBeLessThan(0.01)
    expect(distance(stored, stale)).toBeGreaterThan(0.1)
    expect(await database.run((sql) => readEmbedded(sql, space, [key]))).toHaveLength(1)
  })

  it('puts work off with the reason where no model is told, but none that another process of a server may do', async () => {
    const { database, archive } = store.open.stores
    const sessionId = await store.session([{ content: 'A crane.' }])
    await until(async () => (await unindexed()).messages === 0)
    let logged = ''
    const log = createLog('warn', { write: (text) => (logged += text) })
    const target = { kind: 'url', url: 'http://127.0.0.1:9/v1' } as const
    const embedder = new OpenAiCompatibleEmbedder({ target, model: 'nobody' })
    const worker = new VectorWorker({ database, archive, embedder, index: new PgvectorIndex(database), log })
    onTestFinished(() => worker.stop())
    const reasonOf = async (provider?: string) => {
      await database.run((sql) => sql`delete from outbox where topic = ${embedTopic}`)
      await database.run((sql) => sql`delete from embedding_models`)
      if (provider !== undefined)
        await database.run(
          (sql) => sql`
            insert into embedding_models (tenant_id, id, provider, name, dimensions, revision, vector_index, state)
            values (${tenantId}, 1, ${provider}, 'nobody', 4, 'plain/1', 'pgvector', 'current')`,
        )
      await database.run((sql) => addOutbox(sql, embedTopic, [{ tenantId, sessionId, firstSeq: 1, lastSeq: 1 }]))
      logged = ''
      worker.wake()
      await until(() => Promise.resolve(logged.includes('embedding waits for 15 s')))
      return await database.run((sql) => waitingReason(sql, tenantId, embedTopic))
    }
    const why = /^Cannot use openai-compatible as it does not answer\. Try again later/u
    expect(await reasonOf()).toMatch(why)
    for (const provider of ['openai-compatible', 'gemini'])
      expect((await reasonOf(provider)) ?? 'is not put off').toMatch(isOnServer ? /^is not put off$/u : why)
    await database.run((sql) => sql`delete from embedding_models`)
    await database.run((sql) => sql`delete from outbox where topic = ${embedTopic}`)
  })

  it('counts a message once as waiting, however often it is given as work', async () => {
    const sessionId = await store.session([{ content: 'A stork.' }, { content: 'Another stork.' }])
    const { database } = store.open.stores
    const add = (firstSeq: number) =>
      database.run((sql) => addOutbox(sql, embedTopic, [{ tenantId, sessionId, firstSeq, lastSeq: 2 }]))
    // Whoever indexes gives it as work too, and what an erasure before has left.
    await until(async () => (await unindexed()).messages === 0)
    await database.run((sql) => sql`delete from outbox where topic = ${embedTopic}`)
    await add(1)
    await add(2)
    expect((await backlog()).messages).toBe(2)
    await database.run((sql) => sql`delete from outbox where topic = ${embedTopic}`)
  })

  it('counts the attempts of work that fails after a paid call, and pauses between them', async () => {
    const failing = () => Promise.reject(new Error('the disk is full'))
    const { standIn, worker } = await start({ upsert: failing })
    await store.session([{ content: 'An otter slept.' }])
    worker.wake()
    await until(async () => {
      const [row] = await store.open.stores.database.run(
        (sql) => sql<{ attempts: number }[]>`select max(attempts) as attempts from outbox where topic = ${embedTopic}`,
      )
      return (row?.attempts ?? 0) > 0
    })
    const sent = documents(standIn)
    for (let wakes = 0; wakes < 5; wakes++) {
      worker.wake()
      await sleep(50)
    }
    expect(documents(standIn)).toBe(sent)
    await store.open.stores.database.run((sql) => sql`delete from outbox where topic = ${embedTopic}`)
  })

  it('leaves of work that is too much for today only what has no vector', async () => {
    const used = (await store.open.status(caller)).semantic_search.tokens_today
    const { worker, embedder, index } = await start({ tokensMax: used + 50 })
    const { database } = store.open.stores
    const [short, long] = [
      await store.session([{ content: 'A grebe dives.' }]),
      await store.session([{ content: 'A grebe dives again. '.repeat(50) }]),
    ]
    await until(async () => (await unindexed()).messages === 0)
    // A new model takes all sessions as work, which is not what is looked at here.
    await new ModelRegistry({ database, embedder, index }).prepare(new AbortController().signal)
    await database.run((sql) => sql`delete from outbox where topic = ${embedTopic}`)
    const embed = async (...sessions: readonly string[]) => {
      const work = sessions.map((sessionId) => ({ tenantId, sessionId, firstSeq: 1, lastSeq: 1 }))
      await database.run((sql) => addOutbox(sql, embedTopic, work))
      worker.wake()
    }
    const left = () =>
      database.run(
        (sql) => sql<{ id: string }[]>`select session_id as id from outbox where topic = ${embedTopic} order by id`,
      )
    await embed(short)
    await expect.poll(left, { timeout: 20_000 }).toEqual([])
    await embed(long, short)
    await expect.poll(left, { timeout: 20_000 }).toEqual([{ id: long }])
    await database.run((sql) => sql`delete from outbox where topic = ${embedTopic}`)
  })
})

describe.skipIf(lacksVectors)('BudgetedEmbedder', () => {
  it('makes no call that the budget of the day does not hold, for documents and for queries', async () => {
    const { standIn, embedder } = await start({ tokensMax: 0 })
    const signal = new AbortController().signal
    for (const purpose of ['document', 'query'] as const)
      await expect(embedder.embed(['some words'], { purpose, signal })).rejects.toMatchObject({
        failure: 'over_budget',
      })
    expect(standIn.requests).toEqual([])
  })

  it('counts queries into the budget of the day', async () => {
    const { embedder } = await start()
    const used = async () => (await store.open.status(caller)).semantic_search.tokens_today
    const before = await used()
    await embedder.embed(['how many words are these'], { purpose: 'query', signal: new AbortController().signal })
    expect(await used()).toBeGreaterThan(before)
  })

  it('looks again at a large message whose archive is away, and embeds the others', async () => {
    const { archive } = store.open.stores
    const away = () => Promise.reject(new UnavailableError('Cannot read from the archive directory: it is away'))
    const { worker, standIn } = await start({ archive: { ...archive, get: away } })
    const sessionId = await store.session([{ content: 'Salt and fog. '.repeat(90_000) }, { content: 'A tern.' }])
    await store.open.stores.database.run((sql) =>
      addOutbox(sql, embedTopic, [{ tenantId, sessionId, firstSeq: 1, lastSeq: 2 }]),
    )
    // The index may leave the same as work once more, after this worker has looked.
    const waiting = async () => {
      worker.wake()
      return await store.open.stores.database.run(
        (sql) => sql<{ first: string; last: string; why: string; later: boolean }[]>`
          select first_seq as first, last_seq as last, last_error as why, available_at > now() as later
          from outbox where topic = ${embedTopic} and session_id = ${sessionId}`,
      )
    }
    await expect
      .poll(waiting, { timeout: 20_000 })
      .toEqual([{ first: '1', last: '1', why: expect.stringContaining('Cannot read from the archive'), later: true }])
    expect(documents(standIn)).toBeGreaterThan(0)
    await store.open.stores.database.run((sql) => sql`delete from outbox where session_id = ${sessionId}`)
  })
})
