import { describe, expect, it } from 'vitest'

import { openEmbedder } from '../../src/adapters/embedders/open-embedder.ts'
import { providerFailure } from '../support/provider-failure.ts'
import { GeminiStandIn } from '../support/stand-ins/gemini.ts'
import { OpenAiStandIn } from '../support/stand-ins/openai.ts'
import { temporaryDirectory } from '../support/transcripts.ts'

const { signal } = new AbortController()

describe('openEmbedder()', () => {
  it('opens Gemini at the address that is set, and asks again after a failure', async () => {
    await using standIn = await GeminiStandIn.start()
    const embedder = await openEmbedder({ kind: 'gemini', apiKey: standIn.apiKey, baseUrl: standIn.url, dimensions: 8 })
    standIn.plan({ kind: 'reset' })
    await expect(embedder?.embed(['text'], { purpose: 'query', signal })).resolves.toHaveLength(1)
    await expect(embedder?.describe({ signal })).resolves.toMatchObject({ name: 'gemini-embedding-2', dimensions: 8 })
    expect(standIn.requests).toHaveLength(2)
  })

  it('opens a server with its key, and asks again after a failure', async () => {
    await using standIn = await OpenAiStandIn.start('sk-1')
    const { url, model } = standIn
    const embedder = await openEmbedder({ kind: 'openai-compatible', url, model, apiKey: 'sk-1', dimensions: 4 })
    standIn.plan({ kind: 'status', status: 503 })
    await expect(embedder?.embed(['text'], { purpose: 'query', signal })).resolves.toHaveLength(1)
    await expect(embedder?.describe({ signal })).resolves.toMatchObject({ name: model, dimensions: 4 })
    expect(embedder?.isPaid).toBe(true)
    expect(standIn.requests).toHaveLength(2)
  })

  it('opens the local model', async () => {
    const embedder = await openEmbedder({ kind: 'local' })
    await expect(embedder?.describe({ signal })).resolves.toMatchObject({ provider: 'local', dimensions: 384 })
    await embedder?.close()
  })

  it('looks at the directory of another model at once', async () => {
    const directory = await temporaryDirectory()
    expect(await providerFailure(openEmbedder({ kind: 'onnx', directory }))).toMatchObject({ failure: 'not_installed' })
  })

  it('opens nothing where semantic search is off', async () => {
    await expect(openEmbedder({ kind: 'none' })).resolves.toBeUndefined()
  })
})
