import { describe, expect, it } from 'vitest'

import { PgvectorIndex } from '../../src/adapters/vector-indexes/pgvector-index.ts'
import { UnavailableError } from '../../src/errors.ts'
import { newId } from '../../src/model/ids.ts'
import { roleSchema } from '../../src/model/messages/message.ts'
import type { VectorFilter, VectorKey, VectorRecord } from '../../src/ports/vector-index.ts'
import { graphStatement, useGraph } from '../../src/store/vectors/nearest-units.ts'
import { describeVectorIndex } from '../contract/describe-vector-index.ts'
import { useStore } from '../sessions/store.ts'
import { isOnServer, lacksVectors } from '../support/test-store.ts'

const store = useStore()
const options = { signal: AbortSignal.timeout(600_000) }

describe.skipIf(lacksVectors)('in the database', () => {
  describeVectorIndex('PgvectorIndex', async () => ({
    index: new PgvectorIndex(store.open.stores.database),
    settle: async () => undefined,
    dispose: async () => undefined,
  }))
})

const dimensions = 48
const space = { tenantId: 3, modelId: 1, dimensions }
const count = 1_500
const noon = Date.UTC(2026, 2, 1, 12)

/** Numbers that look random and are the same in every run. */
function scattered(seed: number): Float32Array {
  const values = Array.from({ length: dimensions }, (_, axis) => Math.sin(seed * 12.9898 + axis * 78.233) * 43_758.5453)
  const centred = values.map((value) => value - Math.floor(value) - 0.5)
  const length = Math.hypot(...centred)
  return Float32Array.from(centred, (value) => value / length)
}

const sessions = [newId(), newId(), newId()]
const records: readonly VectorRecord[] = Array.from({ length: count }, (_, at) => ({
  level: 0,
  // One of 500 is a system message, the others are of three other roles.
  role: at % 500 === 7 ? 'system' : ((['user', 'assistant', 'tool'] as const)[at % 3] ?? 'user'),
  sessionId: sessions[at % 3] ?? '',
  firstSeq: at,
  part: 0,
  vector: scattered(at + 1),
  timestampMs: noon + at * 60_000,
}))

function meets(record: VectorRecord, filter: VectorFilter): boolean {
  return (
    record.sessionId !== filter.notSessionId &&
    (filter.sessionIds ?? [record.sessionId]).includes(record.sessionId) &&
    record.timestampMs >= (filter.sinceMs ?? 0) &&
    (filter.roles ?? roleSchema.options).includes(record.role)
  )
}

function trulyNearest(vector: Float32Array, filter: VectorFilter): number[] {
  const distance = (record: VectorRecord) =>
    -record.vector.reduce((sum, value, at) => sum + value * (vector[at] ?? 0), 0)
  return records
    .filter((record) => meets(record, filter))
    .toSorted((a, b) => distance(a) - distance(b))
    .slice(0, 10)
    .map(({ firstSeq }) => firstSeq)
}

describe.skipIf(lacksVectors)('PgvectorIndex above the threshold', () => {
  const index = () => new PgvectorIndex(store.open.stores.database, { exactVectorsMax: 200 })

  /** The part of the truly nearest ten that are found, over twenty queries; 1 where there are none. */
  async function recall(filter: VectorFilter): Promise<number> {
    let found = 0
    let wanted = 0
    for (let query = 0; query < 20; query += 1) {
      const vector = scattered(-query - 1)
      const { matches } = await index().query(space, { vector, level: 0, limit: 10, filter }, options)
      const expected = trulyNearest(vector, filter)
      expect(matches).toHaveLength(expected.length)
      const seqs = new Set(matches.map(({ firstSeq }) => firstSeq))
      found += expected.filter((seq) => seqs.has(seq)).length
      wanted += expected.length
    }
    return wanted === 0 ? 1 : found / wanted
  }

  it('maintain() builds a graph of each level that has passed it, once', async () => {
    await index().upsert(space, records.slice(0, 150), options)
    expect(await index().maintain(space, options)).toEqual([0, 1, 2].map((level) => ({ level, hasGraph: false })))
    await index().upsert(space, records.slice(150, 1_200), options)
    const built = [0, 1, 2].map((level) => ({ level, hasGraph: level === 0 }))
    expect(await index().maintain(space, options)).toEqual(built)
    expect(await index().maintain(space, options)).toEqual(built)
    // Those that come later go into the graph.
    await index().upsert(space, records.slice(1_200), options)
  })

  it('query() walks the graph', async () => {
    const query = { scope: space, level: 0, vector: scattered(5), limit: 10, filter: {} }
    const statement = graphStatement(query, { form: isOnServer ? 'halves' : 'bits', candidates: 400 })
    const plan = await store.open.stores.database.run((sql) =>
      sql.begin(async (transaction) => {
        await useGraph(transaction, 400)
        return await transaction.unsafe<{ 'QUERY PLAN': string }[]>(`explain ${statement.text}`, statement.values)
      }),
    )
    expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toContain('Index Scan using unit_vectors_near_3_1_0')
  })

  it.each<[string, VectorFilter]>([
    ['no filter', {}],
    ['roles that many have', { roles: ['user', 'tool'] }],
    ['a role that three have', { roles: ['system'] }],
    ['a time that few are in', { sinceMs: noon + (count - 50) * 60_000 }],
    ['a time that most are in', { sinceMs: noon + 100 * 60_000 }],
    ['one session', { sessionIds: sessions.slice(1, 2) }],
    ['all sessions but one', { notSessionId: sessions[1] }],
    ['roles of other sessions', { notSessionId: sessions[0], roles: ['assistant', 'tool'] }],
    ['what nothing meets', { sinceMs: noon + count * 60_000 }],
  ])('query() finds as many as there are, and nearly the nearest, with %s', async (_name, filter) => {
    // Vectors without any likeness are the hardest to find: real ones are found to 0.99.
    expect(await recall(filter)).toBeGreaterThan(0.9)
  })

  it('query() finds what was written or changed after the graph was built, and not what was deleted', async () => {
    const key: VectorKey = { level: 0, sessionId: newId(), firstSeq: 0, part: 0 }
    const vector = scattered(9_999)
    const nearest = async () =>
      (await index().query(space, { vector, level: 0, limit: 1, filter: {} }, options)).matches[0]?.sessionId
    await index().upsert(space, [{ ...key, role: 'user', timestampMs: noon, vector: scattered(8_888) }], options)
    expect(await nearest()).not.toBe(key.sessionId)
    await index().upsert(space, [{ ...key, role: 'user', timestampMs: noon, vector }], options)
    expect(await nearest()).toBe(key.sessionId)
    await index().delete(space, [key], options)
    expect(await nearest()).not.toBe(key.sessionId)
  })

  // To break one takes a superuser, as the embedded store has.
  it.skipIf(isOnServer)('maintain() builds a graph anew whose build was broken off', async () => {
    await store.open.stores.database.run(
      (sql) => sql`update pg_index set indisvalid = false where indexrelid = 'unit_vectors_near_3_1_0'::regclass`,
    )
    expect(await recall({})).toBe(1)
    expect((await index().maintain(space, options))[0]).toEqual({ level: 0, hasGraph: true })
    expect(await recall({})).toBeGreaterThan(0.97)
  })

  it('deleteSpace() takes the graph with it', async () => {
    await index().deleteSpace(space, options)
    expect((await index().maintain(space, options))[0]).toEqual({ level: 0, hasGraph: false })
    const left = await store.open.stores.database.run(
      (sql) => sql`select from pg_class where relname like 'unit_vectors_near_%'`,
    )
    expect(left).toHaveLength(0)
  })
})

describe.skipIf(lacksVectors)('PgvectorIndex with long vectors', () => {
  it('keeps vectors that are longer than a page', async () => {
    const long = { tenantId: 4, modelId: 1, dimensions: 3_072 }
    const vector = Float32Array.from({ length: 3_072 }, (_, at) => Math.sin(at) / Math.sqrt(1_536))
    const record: VectorRecord = {
      level: 0,
      sessionId: newId(),
      firstSeq: 0,
      part: 0,
      role: 'user',
      timestampMs: noon,
      vector,
    }
    const index = new PgvectorIndex(store.open.stores.database)
    await index.upsert(long, [record], options)
    const { matches } = await index.query(long, { vector, level: 0, limit: 1, filter: {} }, options)
    expect(matches[0]?.similarity).toBeCloseTo(1, 3)
    const kept = (await index.fetch(long, [record], options))[0]?.vector
    // A server keeps halves: 11 bits of each number.
    const errors = [...vector].map((value, at) => Math.abs(value - (kept?.[at] ?? Infinity)))
    expect(Math.max(...errors)).toBeLessThanOrEqual(isOnServer ? 2 ** -11 : 0)
  })
})

/** The last: it takes the table away. */
describe.skipIf(lacksVectors)('PgvectorIndex where there is no pgvector', () => {
  it('says what to do', async () => {
    await store.open.stores.database.run((sql) => sql`drop table if exists unit_vectors`)
    const index = new PgvectorIndex(store.open.stores.database)
    const error = await index.count(space, options).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(UnavailableError)
    expect(error).toHaveProperty('remedy', expect.stringContaining('create extension vector'))
    await store.open.stores.database.run((sql) => sql`select make_unit_vectors()`)
    expect(await index.count(space, options)).toBe(0)
  })
})
