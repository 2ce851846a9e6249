import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'

import { PineconeIndex } from '../../src/adapters/vector-indexes/pinecone-index.ts'
import { ConflictError } from '../../src/errors.ts'
import { newId } from '../../src/model/ids.ts'
import { ProviderError } from '../../src/ports/provider-error.ts'
import type { VectorRecord } from '../../src/ports/vector-index.ts'
import { PineconeStandIn, type Fault } from '../support/stand-ins/pinecone.ts'

const dimensions = 4
const space = { tenantId: 1, modelId: 3, dimensions }
const options = { signal: AbortSignal.timeout(600_000) }
const query = { vector: Float32Array.of(1, 0, 0, 0), level: 0, limit: 5, filter: {} }

function recordOf(firstSeq = 1, vector = Float32Array.of(1, 0, 0, 0)): VectorRecord {
  return { level: 0, sessionId: newId(), firstSeq, part: 0, vector, timestampMs: 1_700_000_000_000, role: 'user' }
}

let standIn: PineconeStandIn

beforeEach(async () => {
  standIn = await PineconeStandIn.start()
  await standIn.createIndex('memory', dimensions)
})
afterEach(async () => standIn.stop())

function indexOf(rest: Partial<ConstructorParameters<typeof PineconeIndex>[0]> = {}): PineconeIndex {
  return new PineconeIndex({
    apiKey: standIn.apiKey,
    index: 'memory',
    controllerHostUrl: standIn.url,
    requestMs: 2_000,
    pollMs: 5,
    ...rest,
  })
}

async function failureOf(work: Promise<unknown>): Promise<ProviderError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof ProviderError)) throw new Error('Expected a ProviderError', { cause: error })
  return error
}

function requestsTo(path: string): number {
  return standIn.requests.filter((request) => request.path === path).length
}

describe('PineconeIndex when Pinecone fails', () => {
  it.each<[string, Fault, Partial<ProviderError> & { readonly requests?: number }]>([
    [
      '429 with seconds',
      { kind: 'status', status: 429, retryAfter: '7' },
      { failure: 'rate_limited', status: 429, retryAfterMs: 7_000 },
    ],
    [
      '429 with nothing',
      { kind: 'status', status: 429 },
      { failure: 'rate_limited', status: 429, retryAfterMs: undefined },
    ],
    [
      '429 with nonsense',
      { kind: 'status', status: 429, retryAfter: 'soon' },
      { failure: 'rate_limited', retryAfterMs: undefined },
    ],
    [
      '429 with a time that has passed',
      { kind: 'status', status: 429, retryAfter: 'Thu, 01 Jan 2026 00:00:00 GMT' },
      { retryAfterMs: 0 },
    ],
    ['500', { kind: 'status', status: 500 }, { failure: 'unavailable', status: 500, requests: 2 }],
    [
      '503',
      { kind: 'status', status: 503, retryAfter: '2' },
      { failure: 'unavailable', status: 503, retryAfterMs: 2_000, requests: 2 },
    ],
    ['401', { kind: 'status', status: 401 }, { failure: 'refused', status: 401 }],
    ['402', { kind: 'status', status: 402 }, { failure: 'refused', status: 402 }],
    ['403', { kind: 'status', status: 403 }, { failure: 'refused', status: 403 }],
    ['404', { kind: 'status', status: 404 }, { failure: 'refused', status: 404 }],
    ['400', { kind: 'status', status: 400 }, { failure: 'rejected', status: 400 }],
    ['a reset', { kind: 'reset' }, { failure: 'unavailable', status: undefined }],
    ['an answer that breaks off', { kind: 'truncated' }, { failure: 'unavailable' }],
    ['an answer that is no JSON', { kind: 'body', body: '<html>' }, { failure: 'malformed' }],
    ['an answer without scores', { kind: 'body', body: '{"matches":[{"id":"a"}]}' }, { failure: 'malformed' }],
    ['ids that are not ours', { kind: 'body', body: '{"matches":[{"id":"a","score":1}]}' }, { failure: 'malformed' }],
    [
      'an answer that has no end',
      { kind: 'body', body: `{"a":"${'x'.repeat(17_000_000)}"}` },
      { failure: 'malformed' },
    ],
  ])('says what %s means', async (_name, fault, { requests = 1, ...expected }) => {
    standIn.plan('/query', fault, 10)
    const error = await failureOf(indexOf().query(space, query, options))
    expect(error).toMatchObject(expected)
    expect(requestsTo('/query')).toBe(requests)
  })

  it('says after how long, where Pinecone names a time', async () => {
    const retryAfter = new Date(Date.now() + 60_000).toUTCString()
    standIn.plan('/query', { kind: 'status', status: 429, retryAfter })
    const error = await failureOf(indexOf().query(space, query, options))
    expect(error.retryAfterMs).toBeGreaterThan(50_000)
    expect(error.retryAfterMs).toBeLessThanOrEqual(60_000)
  })

  it('gets over one 5xx by itself', async () => {
    standIn.plan('/vectors/upsert', { kind: 'status', status: 500 })
    const index = indexOf()
    await index.upsert(space, [recordOf()], options)
    expect((await index.query(space, query, options)).matches).toHaveLength(1)
  })

  it('does not wait longer than it may', async () => {
    standIn.plan('/query', { kind: 'slow', ms: 1_000 })
    const error = await failureOf(indexOf({ requestMs: 50 }).query(space, query, options))
    expect(error.failure).toBe('timeout')
    expect(error.isTransient).toBe(true)
  })

  it('stops when the caller does, with the reason of the caller', async () => {
    standIn.plan('/query', { kind: 'slow', ms: 1_000 })
    const controller = new AbortController()
    const index = indexOf()
    await index.count(space, options)
    const reason = new Error('The caller has left')
    const call = index.query(space, query, { signal: controller.signal })
    controller.abort(reason)
    await expect(call).rejects.toBe(reason)
  })

  it('quotes neither Pinecone nor the key', async () => {
    standIn.plan('/query', { kind: 'status', status: 400, body: '{"message":"provider text"}' })
    const error = await failureOf(indexOf().query(space, query, options))
    expect(`${error.message} ${error.remedy}`).not.toMatch(/provider text|pcsk/)
    const refused = await failureOf(indexOf({ apiKey: 'pcsk_wrong' }).query(space, query, options))
    expect(refused).toMatchObject({ failure: 'refused', status: 401 })
    expect(refused.message).not.toContain('pcsk')
  })

  it('says that nobody is there', async () => {
    const index = indexOf({ controllerHostUrl: 'http://127.0.0.1:1' })
    expect(await failureOf(index.count(space, options))).toMatchObject({ failure: 'unavailable' })
  })

  it('takes no vector of other dimensions than it asked for', async () => {
    const record = recordOf()
    const id = `${record.sessionId}:0:1:0`
    standIn.plan('/vectors/fetch', { kind: 'body', body: JSON.stringify({ vectors: { [id]: { id, values: [1] } } }) })
    expect((await failureOf(indexOf().fetch(space, [record], options))).failure).toBe('malformed')
  })

  it('does not list without end', async () => {
    const body = '{"vectors":[],"pagination":{"next":"again"}}'
    standIn.plan('/vectors/list', { kind: 'body', body }, 10)
    expect((await failureOf(indexOf().deleteSession(space, newId(), options))).failure).toBe('malformed')
  })
})

describe('PineconeIndex and the index that it is given', () => {
  it('refuses one of other dimensions, and says what to do', async () => {
    await standIn.createIndex('other', 9)
    const error = await indexOf({ index: 'other' })
      .query(space, query, options)
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConflictError)
    expect(error).toHaveProperty(
      'message',
      'Cannot use the Pinecone index "other" as it has 9 dimensions and the embedding model has 4',
    )
    expect(error).toHaveProperty('remedy', expect.stringContaining('PINECONE_INDEX'))
  })

  it('refuses a second model of other dimensions', async () => {
    const index = indexOf()
    await index.upsert(space, [recordOf()], options)
    const other = { ...space, modelId: 4, dimensions: 8 }
    await expect(index.count(other, options)).rejects.toBeInstanceOf(ConflictError)
  })

  it('refuses one that compares otherwise', async () => {
    await standIn.createIndex('euclidean', dimensions, 'euclidean')
    await expect(indexOf({ index: 'euclidean' }).count(space, options)).rejects.toBeInstanceOf(ConflictError)
  })

  it('refuses one that is missing where it may make none', async () => {
    expect(await failureOf(indexOf({ index: 'absent' }).count(space, options))).toMatchObject({
      failure: 'refused',
      status: 404,
    })
  })

  it('makes one that is missing, and waits until it is ready', async () => {
    const create = { cloud: 'aws', region: 'us-east-1' } as const
    const index = indexOf({ index: 'fresh', create })
    await index.upsert(space, [recordOf()], options)
    expect((await index.query(space, query, options)).matches).toHaveLength(1)
    expect(requestsTo('/indexes/fresh')).toBe(4)
  })

  it('uses one that another process makes at the same time', async () => {
    const create = { cloud: 'aws', region: 'us-east-1' } as const
    const both = [indexOf({ index: 'fresh', create }), indexOf({ index: 'fresh', create })]
    expect(await Promise.all(both.map((index) => index.count(space, options)))).toEqual([0, 0])
  })

  it('looks for the index again when it has been made anew', async () => {
    const index = indexOf()
    await index.count(space, options)
    await standIn.deleteIndex('memory')
    await standIn.createIndex('memory', dimensions)
    expect((await failureOf(index.count(space, options))).failure).toBe('unavailable')
    expect(await index.count(space, options)).toBe(0)
  })
})

describe('PineconeIndex and what Pinecone takes', () => {
  it('keeps a request within 2 MB, whatever the dimensions', async () => {
    const long = { ...space, dimensions: 3_072 }
    await standIn.createIndex('long', long.dimensions)
    const vector = Float32Array.from({ length: 3_072 }, (_, at) => Math.sin(at) / Math.sqrt(1_536))
    const records = Array.from({ length: 150 }, (_, at) => recordOf(at, vector))
    const index = indexOf({ index: 'long' })
    await index.upsert(long, records, options)
    expect(await index.count(long, options)).toBe(150)
    const fetched = await index.fetch(long, records, options)
    expect(fetched).toHaveLength(150)
    expect(fetched.every((found) => Buffer.from(found.vector.buffer).equals(Buffer.from(vector.buffer)))).toBe(true)
    expect(Math.max(...standIn.requests.map(({ sizeBytes }) => sizeBytes))).toBeLessThan(2_000_000)
  })

  it('tells it numbers and names of a fixed vocabulary, in a namespace of the tenant and the model', async () => {
    const record = recordOf(12)
    await indexOf().upsert(space, [record], options)
    const request = standIn.requests.find(({ path }) => path === '/vectors/upsert')
    const sent = z
      .object({ namespace: z.string(), vectors: z.array(z.record(z.string(), z.unknown())) })
      .parse(JSON.parse(request?.body ?? ''))
    const metadata = { level: 0, session: record.sessionId, timestamp: record.timestampMs, role: 'user' }
    expect(sent).toEqual({
      namespace: 't1-m3',
      vectors: [{ id: `${record.sessionId}:0:12:0`, values: [1, 0, 0, 0], metadata }],
    })
  })

  it('deletes a space that is not there without an error', async () => {
    const index = indexOf()
    await index.upsert(space, [recordOf()], options)
    await index.deleteSpace(space, options)
    expect(standIn.namespaces('memory')).toEqual([])
    await index.deleteSpace(space, options)
    await index.delete(space, [recordOf()], options)
  })

  it('asks nothing for a filter that nothing meets', async () => {
    const index = indexOf()
    const sessionId = newId()
    for (const filter of [{ roles: [] }, { sessionIds: [sessionId], notSessionId: sessionId }])
      expect(await index.query(space, { ...query, filter }, options)).toEqual({ matches: [], behind: false })
    expect(standIn.requests).toEqual([])
  })
})

describe('PineconeIndex before Pinecone can find what was written', () => {
  it('says that it is behind, until it is not', async () => {
    standIn.lag = 'manual'
    const index = indexOf()
    await index.upsert(space, [recordOf()], options)
    expect(await index.query(space, query, options)).toEqual({ matches: [], behind: true })
    // Another namespace has numbers of its own.
    expect((await index.query({ ...space, tenantId: 2 }, query, options)).behind).toBe(false)
    standIn.settle()
    await index.upsert(space, [recordOf()], options)
    expect(await index.query(space, query, options)).toMatchObject({ matches: [{ firstSeq: 1 }], behind: true })
    standIn.settle()
    expect(await index.query(space, query, options)).toMatchObject({ matches: [{}, {}], behind: false })
  })

  it('claims nothing of writes that it did not make', async () => {
    standIn.lag = 'manual'
    await indexOf().upsert(space, [recordOf()], options)
    expect((await indexOf().query(space, query, options)).behind).toBe(false)
  })

  it('deletes of a session what it has only just written, too', async () => {
    standIn.lag = { reads: 1 }
    const index = indexOf()
    const record = recordOf()
    await index.upsert(space, [record], options)
    await index.deleteSession(space, record.sessionId, options)
    standIn.settle()
    expect(await index.count(space, options)).toBe(0)
  })

  it('finds after a while what is slow to be indexed', async () => {
    standIn.lag = { ms: 150 }
    const index = indexOf()
    await index.upsert(space, [recordOf()], options)
    await expect.poll(async () => (await index.query(space, query, options)).behind, { timeout: 10_000 }).toBe(false)
    expect((await index.query(space, query, options)).matches).toHaveLength(1)
  })
})
