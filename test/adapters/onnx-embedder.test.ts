import { execFile } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, it, onTestFinished } from 'vitest'

import { LocalEmbedder } from '../../src/adapters/embedders/local-embedder.ts'
import { digestOf, readOnnxDirectory } from '../../src/adapters/embedders/onnx-directory.ts'
import { OnnxEmbedder } from '../../src/adapters/embedders/onnx-embedder.ts'
import { ConflictError } from '../../src/errors.ts'
import { describeEmbedder } from '../contract/describe-embedder.ts'
import { root } from '../house/sources.ts'
import { buildParts } from '../support/build-parts.ts'
import { hasOnnxPackages } from '../support/onnx-packages.ts'
import { providerFailure } from '../support/provider-failure.ts'
import { temporaryDirectory } from '../support/transcripts.ts'

const { signal } = new AbortController()

/** all-MiniLM-L6-v2 as ONNX, to compare with the packaged one. */
const directory = process.env['TEST_ONNX_MODEL']
const reason = !hasOnnxPackages
  ? 'onnxruntime-node and @huggingface/tokenizers are not installed'
  : directory === undefined
    ? 'TEST_ONNX_MODEL names no directory of all-MiniLM-L6-v2 as ONNX'
    : undefined
if (reason !== undefined) console.warn(`Skipped: OnnxEmbedder with a model, as ${reason}`)

/** A directory that looks like a model; its weights are none. */
async function modelDirectory(files: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const root = await temporaryDirectory()
  const all = { 'model.onnx': 'weights', 'tokenizer.json': {}, 'config.json': { hidden_size: 24 }, ...files }
  for (const [path, content] of Object.entries<unknown>(all)) {
    if (content === undefined) continue
    await mkdir(join(root, path, '..'), { recursive: true })
    await writeFile(join(root, path), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return root
}

describe('readOnnxDirectory()', () => {
  it('takes the mean and all positions where nothing else is said', async () => {
    const { model, dimensions, prompts } = await readOnnxDirectory(await modelDirectory())
    expect(model).toMatchObject({ pooling: 'mean', tokensMax: 512 })
    expect(dimensions).toBe(24)
    expect(prompts).toEqual({ query: '', document: '' })
  })

  it('follows what the files of Sentence Transformers say', async () => {
    const root = await modelDirectory({
      '1_Pooling/config.json': { word_embedding_dimension: 24, pooling_mode_cls_token: true },
      'sentence_bert_config.json': { max_seq_length: 256, do_lower_case: false },
      'config_sentence_transformers.json': { prompts: { query: 'query: ', passage: 'passage: ' } },
    })
    const { model, prompts } = await readOnnxDirectory(root)
    expect(model).toMatchObject({ pooling: 'cls', tokensMax: 256 })
    expect(prompts).toEqual({ query: 'query: ', document: 'passage: ' })
  })

  it('believes no length that the positions do not allow', async () => {
    const root = await modelDirectory({
      'config.json': { model_type: 'xlm-roberta', max_position_embeddings: 514 },
      'tokenizer_config.json': { model_max_length: 1e30 },
    })
    const { model, dimensions } = await readOnnxDirectory(root)
    expect(model).toMatchObject({ tokensMax: 512, tokenizerConfigPath: join(root, 'tokenizer_config.json') })
    expect(dimensions).toBeUndefined()
  })

  it('finds the model in the folder that Hugging Face has for it', async () => {
    const root = await modelDirectory({ 'model.onnx': undefined, 'onnx/model.onnx': 'weights' })
    expect((await readOnnxDirectory(root)).model.modelPath).toBe(join(root, 'onnx', 'model.onnx'))
  })

  it.each(['model.onnx', 'tokenizer.json', 'config.json'])('says that %s is missing', async (name) => {
    const error = await providerFailure(modelDirectory({ [name]: undefined }).then(readOnnxDirectory))
    expect(error).toMatchObject({ failure: 'not_installed', isTransient: false })
    expect(error.remedy).toContain(name)
  })

  it('refuses pooling that it does not know, and files that are not JSON', async () => {
    const pooled = await modelDirectory({ '1_Pooling/config.json': { pooling_mode_max_tokens: true } })
    await expect(readOnnxDirectory(pooled)).rejects.toThrow(ConflictError)
    const broken = await modelDirectory({ 'config.json': '{' })
    await expect(readOnnxDirectory(broken)).rejects.toThrow('Cannot read config.json of the embedding model')
  })
})

describe('digestOf()', () => {
  it('differs where one file does', async () => {
    const digest = async (files: Readonly<Record<string, unknown>>) =>
      digestOf((await readOnnxDirectory(await modelDirectory(files))).files, signal)
    const first = await digest({})
    expect(first).toBe(await digest({}))
    expect(first).not.toBe(await digest({ 'model.onnx': 'other weights' }))
    expect(first).not.toBe(await digest({ '1_Pooling/config.json': { pooling_mode_cls_token: true } }))
  })
})

describe.skipIf(hasOnnxPackages)('OnnxEmbedder without its packages', () => {
  it('describes its model all the same, and says what to install when there is text', async () => {
    const embedder = await OnnxEmbedder.open({ directory: await modelDirectory() })
    onTestFinished(() => embedder.close())
    await expect(embedder.describe({ signal })).resolves.toMatchObject({ provider: 'onnx', dimensions: 24 })
    const error = await providerFailure(embedder.embed(['text'], { purpose: 'document', signal }))
    expect(error).toMatchObject({ failure: 'not_installed', isTransient: false })
    expect(error.remedy).toContain('npm install onnxruntime-node @huggingface/tokenizers')
  })
})

describe.skipIf(reason !== undefined)('OnnxEmbedder with a model', () => {
  describeEmbedder('OnnxEmbedder', async () => ({
    embedder: await OnnxEmbedder.open({ directory: directory ?? '' }),
    dispose: () => Promise.resolve(),
  }))

  it('makes the vectors that the packaged model makes of the same weights', async () => {
    const embedder = await OnnxEmbedder.open({ directory: directory ?? '' })
    const packaged = new LocalEmbedder()
    onTestFinished(() => Promise.all([embedder.close(), packaged.close()]).then(() => undefined))
    const texts = ['This is an example sentence', 'Grüße aus Köln! 42', 'all work and no play '.repeat(20)]
    const [vectors, expected] = await Promise.all(
      [embedder, packaged].map((each) => each.embed(texts, { purpose: 'document', signal })),
    )
    for (const [index, vector] of (vectors ?? []).entries())
      for (const [place, value] of vector.entries()) expect(value).toBeCloseTo(expected?.[index]?.[place] ?? 9, 3)
  })

  it('does not end the process when it is closed in the midst of a text', async () => {
    const place = await temporaryDirectory()
    const parts = ['model-thread', 'model-thread-engine', 'onnx-directory'].map((name) => `adapters/embedders/${name}`)
    await buildParts(place, parts)
    await symlink(join(root, 'node_modules'), join(place, 'node_modules'), 'junction')
    const script = join(place, 'script.mjs')
    await writeFile(
      script,
      `import { ModelThreadEngine } from './dist/adapters/embedders/model-thread-engine.js'
      import { readOnnxDirectory } from './dist/adapters/embedders/onnx-directory.js'
      const { model } = await readOnnxDirectory(process.argv[2])
      for (let round = 0; round < 4; round += 1) {
        const engine = await ModelThreadEngine.open(model, () => new Error('not installed'))
        engine.embed('word '.repeat(500)).catch(() => undefined)
        await new Promise((resolve) => setTimeout(resolve, 10 + 20 * round))
        await engine.close()
      }
      console.log('alive')`,
    )
    const { stdout } = await promisify(execFile)(process.execPath, [script, directory ?? ''])
    expect(stdout.trim()).toBe('alive')
  })

  it('says that a file which is no model cannot be used', async () => {
    const embedder = await OnnxEmbedder.open({ directory: await modelDirectory() })
    onTestFinished(() => embedder.close())
    const error = await providerFailure(embedder.embed(['text'], { purpose: 'document', signal }))
    expect(error).toMatchObject({ failure: 'unavailable' })
  })
})
