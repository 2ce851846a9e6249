import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'

import { GeminiEmbedder } from '../../src/adapters/embedders/gemini-embedder.ts'
import { OpenAiCompatibleEmbedder } from '../../src/adapters/embedders/openai-compatible-embedder.ts'
import type { Embedder, EmbeddingPurpose } from '../../src/ports/embedder.ts'
import { providerFailure } from '../support/provider-failure.ts'
import { geminiError, GeminiStandIn, retryInfo } from '../support/stand-ins/gemini.ts'
import type { Fault } from '../support/stand-ins/json-server.ts'
import { OpenAiStandIn } from '../support/stand-ins/openai.ts'

const { signal } = new AbortController()
const embed = (embedder: Embedder, texts: readonly string[], purpose: EmbeddingPurpose = 'document') =>
  embedder.embed(texts, { purpose, signal })

const gemini = await GeminiStandIn.start()
const openai = await OpenAiStandIn.start('sk-stand-in')
const target = { kind: 'url', url: `${openai.url}/v1` } as const

afterAll(() => Promise.all([gemini.stop(), openai.stop()]))

const cases = [
  {
    name: 'GeminiEmbedder',
    standIn: gemini,
    open: (requestMs?: number, apiKey = gemini.apiKey): Embedder =>
      new GeminiEmbedder({ apiKey, baseUrl: `${gemini.url}/`, dimensions: 16, requestMs }),
  },
  {
    name: 'OpenAiCompatibleEmbedder',
    standIn: openai,
    open: (requestMs?: number, apiKey = 'sk-stand-in'): Embedder =>
      new OpenAiCompatibleEmbedder({ target, model: openai.model, apiKey, dimensions: 16, requestMs }),
  },
]

const status = (code: number, name = 'SOME'): Fault => ({ kind: 'status', status: code, body: geminiError(code, name) })

describe.each(cases)('$name', ({ standIn, open }) => {
  it.each<[string, Fault, { failure: string; status?: number }]>([
    ['400', status(400), { failure: 'rejected', status: 400 }],
    ['401', status(401), { failure: 'refused', status: 401 }],
    ['403', status(403), { failure: 'refused', status: 403 }],
    ['404', status(404), { failure: 'refused', status: 404 }],
    ['429', status(429), { failure: 'rate_limited', status: 429 }],
    ['500', status(500), { failure: 'unavailable', status: 500 }],
    ['503', status(503), { failure: 'unavailable', status: 503 }],
    ['a reset', { kind: 'reset' }, { failure: 'unavailable' }],
    ['half an answer', { kind: 'truncated' }, { failure: 'unavailable' }],
    ['words', { kind: 'text', text: 'provider text' }, { failure: 'malformed' }],
    ['another object', { kind: 'text', text: '{"embedding":[1]}' }, { failure: 'malformed' }],
    ['a vector too few', { kind: 'vectors', change: (vectors) => vectors.slice(1) }, { failure: 'malformed' }],
    ['one for all', { kind: 'vectors', change: (vectors) => vectors.slice(0, 1) }, { failure: 'malformed' }],
    [
      'shorter vectors',
      { kind: 'vectors', change: (all) => all.map((vector) => vector.slice(1)) },
      { failure: 'malformed' },
    ],
    [
      'a zero vector',
      { kind: 'vectors', change: (all) => all.map((vector) => vector.map(() => 0)) },
      { failure: 'malformed' },
    ],
    [
      'numbers beyond 32 bits',
      { kind: 'vectors', change: (all) => all.map((vector) => vector.map(() => 1e200)) },
      { failure: 'malformed' },
    ],
  ])('tells %s by its kind, without the words of the provider, and asks once', async (_name, fault, expected) => {
    const before = standIn.requests.length
    standIn.plan(fault)
    const embedder = open()
    const error = await providerFailure(embed(embedder, ['one', 'two']))
    expect(error).toMatchObject(expected)
    expect(`${error.message} ${error.remedy}`).not.toContain('provider text')
    expect(standIn.requests.length - before).toBe(1)
    await expect(embed(embedder, ['one', 'two'])).resolves.toHaveLength(2)
  })

  it('waits no longer than its time', async () => {
    standIn.plan({ kind: 'slow', ms: 400 })
    expect(await providerFailure(embed(open(40), ['one']))).toMatchObject({ failure: 'timeout', isTransient: true })
  })

  it('refuses for good where the key is wrong, and does not show it', async () => {
    const error = await providerFailure(embed(open(undefined, 'wrong-key'), ['one']))
    expect(error).toMatchObject({ failure: 'refused', isTransient: false })
    expect(error.remedy).toContain('its key')
    expect(`${error.message} ${error.remedy}`).not.toContain('wrong-key')
  })

  it('cannot be used where nobody listens', async () => {
    const gone = await OpenAiStandIn.start()
    await gone.stop()
    const embedder =
      standIn === gemini
        ? new GeminiEmbedder({ apiKey: 'key', baseUrl: gone.url })
        : new OpenAiCompatibleEmbedder({ target: { kind: 'url', url: gone.url }, model: 'any' })
    expect(await providerFailure(embed(embedder, ['one']))).toMatchObject({ failure: 'unavailable' })
  })
})

describe('GeminiEmbedder', () => {
  it('says when to come again, as RetryInfo does', async () => {
    const body = geminiError(429, 'RESOURCE_EXHAUSTED', [
      { '@type': 'type.googleapis.com/google.rpc.Help' },
      retryInfo('34.07s'),
    ])
    gemini.plan({ kind: 'status', status: 429, body })
    const embedder = new GeminiEmbedder({ apiKey: gemini.apiKey, baseUrl: gemini.url })
    expect(await providerFailure(embed(embedder, ['one']))).toMatchObject({ retryAfterMs: 34_070, isTransient: true })
  })

  it.each([
    {
      model: 'gemini-embedding-001',
      tokens: 2_048,
      document: { taskType: 'RETRIEVAL_DOCUMENT', content: { parts: [{ text: 'one' }] } },
      query: { taskType: 'RETRIEVAL_QUERY', content: { parts: [{ text: 'one' }] } },
    },
    {
      model: 'gemini-embedding-2',
      tokens: 8_192,
      document: { content: { parts: [{ text: 'title: none | text: one' }] } },
      query: { content: { parts: [{ text: 'task: search result | query: one' }] } },
    },
  ])('tells $model what a text is for in its own way', async ({ model, tokens, document, query }) => {
    const embedder = new GeminiEmbedder({ apiKey: gemini.apiKey, baseUrl: gemini.url, model: `models/${model}` })
    gemini.requests.length = 0
    await embed(embedder, ['one', 'two'])
    await embed(embedder, ['one'], 'query')
    const [documents, queries] = gemini.batches
    expect(documents?.requests).toHaveLength(2)
    expect(documents?.requests[0]).toMatchObject({ ...document, outputDimensionality: 768 })
    expect(queries?.requests[0]).toMatchObject(query)
    // What one of them is told by words, it is not told by the field as well.
    expect(documents?.requests[0]?.taskType).toBe('taskType' in document ? document.taskType : undefined)
    expect(embedder.limits.tokensPerTextMax).toBe(tokens)
    const described = await embedder.describe({ signal })
    expect(described).toMatchObject({ provider: 'gemini', name: model, dimensions: 768 })
  })

  it('keeps vectors of two preparations apart', async () => {
    const revisionOf = async (model: string) =>
      (await new GeminiEmbedder({ apiKey: 'key', model }).describe({ signal })).revision
    expect(await revisionOf('gemini-embedding-001')).not.toBe(await revisionOf('gemini-embedding-2'))
  })
})

describe('OpenAiCompatibleEmbedder', () => {
  beforeAll(() => {
    openai.requests.length = 0
  })

  it.each([
    ['seconds', () => '7', 7_000],
    ['a date', () => new Date(Date.now() + 60_000).toUTCString(), 60_000],
  ])('says when to come again, as %s in Retry-After do', async (_name, retryAfter, ms) => {
    openai.plan({ kind: 'status', status: 429, headers: { 'retry-after': retryAfter() } })
    const embedder = new OpenAiCompatibleEmbedder({ target, model: openai.model, apiKey: 'sk-stand-in' })
    const { retryAfterMs = 0 } = await providerFailure(embed(embedder, ['one']))
    expect(Math.abs(retryAfterMs - ms)).toBeLessThan(2_000)
  })

  it('asks once for the dimensions that nobody configured, and sends none', async () => {
    openai.requests.length = 0
    const embedder = new OpenAiCompatibleEmbedder({ target, model: openai.model, apiKey: 'sk-stand-in' })
    const model = {
      provider: 'openai-compatible',
      name: openai.model,
      dimensions: openai.dimensions,
      revision: 'plain/1',
    }
    await expect(embedder.describe({ signal })).resolves.toEqual(model)
    await expect(embedder.describe({ signal })).resolves.toEqual(model)
    expect(openai.embeddingRequests).toHaveLength(1)
    expect(openai.embeddingRequests[0]).not.toHaveProperty('dimensions')
  })

  it('does not ask for dimensions that are configured, and sends them', async () => {
    openai.requests.length = 0
    const embedder = new OpenAiCompatibleEmbedder({ target, model: openai.model, apiKey: 'sk-stand-in', dimensions: 5 })
    await expect(embedder.describe({ signal })).resolves.toMatchObject({ dimensions: 5 })
    expect(openai.requests).toEqual([])
    await embed(embedder, ['one'])
    expect(openai.embeddingRequests[0]).toMatchObject({ dimensions: 5, encoding_format: 'float', input: ['one'] })
  })

  it('refuses vectors of other dimensions than it had before', async () => {
    const embedder = new OpenAiCompatibleEmbedder({ target, model: openai.model, apiKey: 'sk-stand-in' })
    await embed(embedder, ['one'])
    openai.plan({ kind: 'vectors', change: (vectors) => vectors.map((vector) => vector.slice(1)) })
    expect(await providerFailure(embed(embedder, ['one']))).toMatchObject({ failure: 'malformed' })
  })

  it.each(['', '/', '/v1', '/v1/', '/v1/embeddings'])(
    'finds the service at an address that ends in "%s"',
    async (end) => {
      const url = `${openai.url}${end}`
      const embedder = new OpenAiCompatibleEmbedder({
        target: { kind: 'url', url },
        model: openai.model,
        apiKey: 'sk-stand-in',
      })
      await expect(embed(embedder, ['one'])).resolves.toHaveLength(1)
    },
  )

  it('is paid where it has a key', () => {
    expect(new OpenAiCompatibleEmbedder({ target, model: 'any', apiKey: 'key' }).isPaid).toBe(true)
    expect(new OpenAiCompatibleEmbedder({ target, model: 'any' }).isPaid).toBe(false)
  })

  it('follows no redirect, which would lead the key elsewhere', async () => {
    const elsewhere = await OpenAiStandIn.start()
    onTestFinished(() => elsewhere.stop())
    openai.plan({ kind: 'status', status: 307, headers: { location: elsewhere.url } })
    const embedder = new OpenAiCompatibleEmbedder({ target, model: openai.model, apiKey: 'sk-stand-in' })
    expect(await providerFailure(embed(embedder, ['one']))).toMatchObject({ failure: 'refused', status: 307 })
    expect(elsewhere.requests).toEqual([])
  })
})
