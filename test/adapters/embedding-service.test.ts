import { stat } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'

import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'

import { LocalEmbedder } from '../../src/adapters/embedders/local-embedder.ts'
import {
  OpenAiCompatibleEmbedder,
  purposeHeader,
  retryHeader,
} from '../../src/adapters/embedders/openai-compatible-embedder.ts'
import { ServiceQueryEmbedder } from '../../src/adapters/embedders/service-query-embedder.ts'
import { EmbeddingService } from '../../src/background/embedding-service.ts'
import { limits } from '../../src/limits.ts'
import { Caches } from '../../src/model/caches.ts'
import { newId } from '../../src/model/ids.ts'
import type { Embedder, EmbedOptions } from '../../src/ports/embedder.ts'
import { ProviderError, type ProviderFailure } from '../../src/ports/provider-error.ts'
import { describeEmbedder } from '../contract/describe-embedder.ts'
import { providerFailure } from '../support/provider-failure.ts'

/** Short enough for a socket, wherever the repository is. */
function socketPath(): string {
  const name = `verbatim-test-${newId().slice(-12)}`
  return process.platform === 'win32' ? String.raw`\\.\pipe\${name}` : join('/tmp', `${name}.sock`)
}

async function start(embedder: Embedder): Promise<{ service: EmbeddingService; client: Embedder; path: string }> {
  const path = socketPath()
  const service = await EmbeddingService.start({ embedder, path })
  return { service, path, client: new OpenAiCompatibleEmbedder({ target: { kind: 'socket', path } }) }
}

const local = new LocalEmbedder()
const { service, client, path } = await start(local)

afterAll(async () => {
  await service.close()
  await service.close()
  await local.close()
})

describeEmbedder('OpenAiCompatibleEmbedder of the local service', () =>
  Promise.resolve({ embedder: client, dispose: () => Promise.resolve() }),
)

const { signal } = new AbortController()

interface Exchange {
  readonly method?: string
  readonly url?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

function send({
  method = 'POST',
  url = '/v1/embeddings',
  body = '',
  headers = {},
}: Exchange): Promise<{ status: number | undefined; body: unknown }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ socketPath: path, path: url, method, headers, agent: false }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** An embedder that does only what a test says. */
function embedderThat(
  embed: (texts: readonly string[], options: EmbedOptions) => Promise<readonly Float32Array[]>,
): Embedder {
  return {
    isPaid: false,
    limits: { textsPerCallMax: 8, tokensPerTextMax: 8 },
    describe: () => Promise.resolve({ provider: 'local', name: 'fake', dimensions: 1, revision: '1' }),
    embed,
    close: () => Promise.resolve(),
  }
}

describe('EmbeddingService', () => {
  it('describes the model that is behind it, without loading it', async () => {
    await expect(client.describe({ signal })).resolves.toEqual(await local.describe({ signal }))
  })

  it('gives the vectors of the model behind it', async () => {
    const texts = ['first text', 'second text']
    const options = { purpose: 'document', signal } as const
    const [expected, actual] = [await local.embed(texts, options), await client.embed(texts, options)]
    for (const [index, vector] of actual.entries())
      for (const [place, value] of vector.entries()) expect(value).toBeCloseTo(expected[index]?.[place] ?? 0, 6)
  })

  it('takes one string, and gives base64 to clients that ask for it', async () => {
    const input = { input: 'text', model: 'minilm-l6-v2', encoding_format: 'base64' }
    const { status, body } = await send({ body: JSON.stringify(input) })
    expect(status).toBe(200)
    const { data } = z.object({ data: z.array(z.object({ embedding: z.string() })).length(1) }).parse(body)
    const bytes = Buffer.from(data[0]?.embedding ?? '', 'base64')
    const [vector] = await local.embed(['text'], { purpose: 'document', signal })
    expect(bytes.length).toBe(384 * 4)
    expect(bytes.readFloatLE(4)).toBeCloseTo(vector?.[1] ?? 0, 6)
  })

  it.skipIf(process.platform === 'win32')('lets only this user connect', async () => {
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it.each<[string, Exchange, number]>([
    ['another path', { url: '/v1/chat/completions' }, 404],
    ['another method', { method: 'GET' }, 405],
    ['no JSON', { body: 'text' }, 400],
    ['no input', { body: '{}' }, 400],
    ['numbers', { body: '{"input":[1,2]}' }, 400],
    ['a blank text', { body: '{"input":""}' }, 400],
    ['an address that is none', { method: 'GET', url: '//' }, 404],
    ['fewer dimensions', { body: '{"input":"text","dimensions":256}' }, 400],
    ['another model', { body: '{"input":"text","model":"text-embedding-3-small"}' }, 404],
    ['another purpose', { body: '{"input":"text"}', headers: { [purposeHeader]: 'fun' } }, 400],
    ['no number of ms', { body: '{"input":"text"}', headers: { [retryHeader]: 'soon' } }, 400],
    ['too many texts', { body: JSON.stringify({ input: Array.from({ length: 33 }, () => 'text') }) }, 400],
    ['too long a body', { body: JSON.stringify({ input: 'x'.repeat(limits.embeddingRequestBytesMax) }) }, 413],
  ])('refuses %s in the form of the protocol', async (_name, exchange, status) => {
    const reply = await send(exchange)
    expect(reply).toMatchObject({
      status,
      body: { error: { message: expect.any(String), type: 'invalid_request_error', param: null } },
    })
  })

  it.each<[ProviderFailure, number | undefined]>([
    ['rate_limited', 429],
    ['over_budget', undefined],
    ['unavailable', 500],
    ['unavailable', undefined],
    ['refused', 401],
    ['rejected', 413],
    ['not_installed', undefined],
    ['timeout', undefined],
    ['malformed', undefined],
  ])('passes %s of its provider on, with the status %s that it had', async (failure, status) => {
    const failing = embedderThat(() =>
      Promise.reject(new ProviderError('fake', failure, { retryAfterMs: 1_500, status })),
    )
    const { service: own, client: caller } = await start(failing)
    onTestFinished(() => own.close())
    const error = await providerFailure(caller.embed(['text'], { purpose: 'query', signal }))
    expect(error).toMatchObject({ failure, status, retryAfterMs: 2_000 })
  })

  it('is not offered before its socket is there, and is as soon as it is', async () => {
    const place = socketPath()
    const queries = new ServiceQueryEmbedder(() => place, new Caches(1_000_000))
    const model = await local.describe({ signal })
    const ask = () => queries.embed(model, 'text', { tenantId: 1, signal })
    const error = await providerFailure(ask())
    expect(error).toMatchObject({ failure: 'not_offered', isTransient: true })
    expect(error.message).toBe('Cannot use local as no process of this machine offers it yet')
    expect(error.remedy).toContain('verbatim doctor')
    const own = await EmbeddingService.start({ embedder: local, path: place })
    onTestFinished(() => own.close())
    expect(await ask()).toHaveLength(model.dimensions)
  })

  it('shows nothing of an error that is not one of ours', async () => {
    const failing = embedderThat(() => Promise.reject(new Error('secret of the engine')))
    const { service: own, client: caller } = await start(failing)
    onTestFinished(() => own.close())
    const error = await providerFailure(caller.embed(['text'], { purpose: 'query', signal }))
    expect(error).toMatchObject({ failure: 'unavailable', status: 500 })
  })

  it('hands on what texts are for and how long they may be tried, and stops working for a caller that goes away', async () => {
    const seen: EmbedOptions[] = []
    let stopped: (() => void) | undefined
    const waiting = new Promise<void>((resolve) => {
      stopped = resolve
    })
    const patient = embedderThat((_texts, options) => {
      seen.push(options)
      return new Promise((_resolve, reject) => {
        options.signal.addEventListener('abort', () => {
          stopped?.()
          reject(new Error('aborted'))
        })
      })
    })
    const { service: own, client: caller } = await start(patient)
    onTestFinished(() => own.close())
    const leaving = new AbortController()
    const call = caller.embed(['text'], { purpose: 'query', signal: leaving.signal, retryMs: 7_000 })
    await expect.poll(() => seen.length).toBe(1)
    leaving.abort(new Error('gone'))
    await expect(call).rejects.toThrow('gone')
    await waiting
    expect(seen[0]).toMatchObject({ purpose: 'query', retryMs: 7_000 })
  })

  it('takes the place of a service that did not say goodbye, and leaves no socket when it ends', async () => {
    const embedder = embedderThat((texts) => Promise.resolve(texts.map(() => Float32Array.of(1))))
    const first = await start(embedder)
    onTestFinished(() => first.service.close())
    const second = await EmbeddingService.start({ embedder, path: first.path })
    await expect(first.client.embed(['text'], { purpose: 'query', signal })).resolves.toHaveLength(1)
    await second.close()
    expect(await providerFailure(first.client.embed(['text'], { purpose: 'query', signal }))).toMatchObject({
      failure: 'unavailable',
    })
  })
})
