import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { readNamesDirectory } from '../../src/adapters/names/names-directory.ts'
import { OnnxNameFinder, type NamesEngine } from '../../src/adapters/names/onnx-name-finder.ts'
import { namesOfLabels, wordsOf, wordsThatFit } from '../../src/adapters/names/token-labels.ts'
import { ProviderError } from '../../src/ports/provider-error.ts'
import { writeNamesModel } from '../support/onnx-names-model.ts'
import { hasOnnxPackages } from '../support/onnx-packages.ts'
import { providerFailure } from '../support/provider-failure.ts'
import { temporaryDirectory } from '../support/transcripts.ts'

const { signal } = new AbortController()

if (!hasOnnxPackages)
  console.warn(
    'Skipped: OnnxNameFinder with a model, as onnxruntime-node and @huggingface/tokenizers are not installed',
  )

/** A real model of a good size, to be looked at: a directory as VERBATIM_NAMES_PATH names one. */
const directory = process.env['TEST_ONNX_NAMES_MODEL']
const labelled = { Ada: 'B-PER', Lovelace: 'I-PER', Köln: 'B-LOC', Acme: 'B-ORG', Bob: 'B-PER', March: 'B-MISC' }

async function open(tokensMax?: number): Promise<OnnxNameFinder> {
  const finder = new OnnxNameFinder({
    directory: await writeNamesModel(
      await temporaryDirectory(),
      labelled,
      tokensMax === undefined ? {} : { tokensMax },
    ),
  })
  onTestFinished(() => finder.close())
  return finder
}

describe('readNamesDirectory()', () => {
  it('reads the labels by their numbers and what the model reads at once', async () => {
    const model = await readNamesDirectory(await writeNamesModel(await temporaryDirectory(), labelled))
    expect(model).toMatchObject({ tokensMax: 512, labels: ['O', 'B-PER', 'I-PER', 'B-LOC', 'B-ORG', 'B-MISC'] })
  })

  it.each(['model.onnx', 'tokenizer.json', 'config.json'])('says that it needs %s', async (name) => {
    const root = await temporaryDirectory()
    for (const other of ['model.onnx', 'tokenizer.json', 'config.json'])
      if (other !== name) await writeFile(join(root, other), '{}')
    const error = await providerFailure(readNamesDirectory(root))
    expect(error).toMatchObject({ failure: 'not_installed' })
    expect(error.remedy).toContain(name)
  })

  it('says what a model without labels for names lacks', async () => {
    const root = await writeNamesModel(await temporaryDirectory(), { good: 'POSITIVE' })
    expect((await providerFailure(readNamesDirectory(root))).remedy).toContain('id2label')
    await writeFile(join(root, 'config.json'), '{')
    expect((await providerFailure(readNamesDirectory(root))).remedy).toContain('config.json')
  })
})

describe('readNamesDirectory() of a model for short texts', () => {
  it.each([0, 2, 7])('says that one which reads %d tokens at once cannot be used', async (tokens) => {
    const root = await writeNamesModel(await temporaryDirectory(), labelled)
    await writeFile(join(root, 'tokenizer_config.json'), JSON.stringify({ model_max_length: tokens }))
    const error = await providerFailure(readNamesDirectory(root))
    expect(error).toMatchObject({ failure: 'not_installed' })
    expect(error.remedy).toContain('model_max_length')
    await writeFile(join(root, 'tokenizer_config.json'), JSON.stringify({ model_max_length: 8 }))
    expect((await readNamesDirectory(root)).tokensMax).toBe(8)
  })
})

describe('namesOfLabels()', () => {
  it('joins words of one kind, and begins anew where the label says so or a line ends', () => {
    const text = 'Ada Lovelace Bob\nBob Acme'
    const labels = ['B-PER', 'I-PER', 'B-PER', 'I-PER', 'ORG']
    expect(namesOfLabels(text, wordsOf(text), labels)).toEqual([
      { type: 'person', name: 'Ada Lovelace' },
      { type: 'person', name: 'Bob' },
      { type: 'person', name: 'Bob' },
      { type: 'organization', name: 'Acme' },
    ])
  })

  it('takes characters of scripts without spaces one by one', () => {
    expect(wordsOf('我叫Ann!').map(({ start, end }) => [start, end])).toEqual([
      [0, 1],
      [1, 2],
      [2, 5],
      [5, 6],
    ])
  })
})

describe('wordsThatFit()', () => {
  it('ends with a sentence where one ends late enough, and takes one word at least', () => {
    const text = 'a b c. d e f'
    const words = wordsOf(text).map((word) => ({ ...word, tokens: 1 }))
    expect(wordsThatFit(text, words, 100)).toBe(7)
    expect(wordsThatFit(text, words, 6)).toBe(4)
    expect(wordsThatFit(text, words, 0)).toBe(1)
  })
})

describe('OnnxNameFinder with a model that does not come to the end of a text', () => {
  /** A model that has no answer about a text with "slow" in time, and computes on. */
  class SlowEngine implements NamesEngine {
    isUsable = true
    isHung = false
    findNames: NamesEngine['findNames'] = (text) => {
      if (!text.includes('slow')) return Promise.resolve([{ type: 'person', name: 'Ada' }])
      this.isUsable = false
      this.isHung = true
      return Promise.reject(new ProviderError('onnx', 'timeout'))
    }
    close = () => Promise.resolve()
  }

  function openSlow() {
    const engines: SlowEngine[] = []
    const finder = new OnnxNameFinder({
      directory: '',
      open: () => {
        const engine = new SlowEngine()
        engines.push(engine)
        return Promise.resolve(engine)
      },
    })
    onTestFinished(() => finder.close())
    return { finder, engines }
  }

  const ada = { names: [{ type: 'person', name: 'Ada' }], isWhole: true }

  it('says what came before, and that this text has no answer, and leaves the others for later', async () => {
    const { finder } = openSlow()
    expect(await finder.find(['one', 'slow', 'three'], { signal })).toEqual([ada, undefined])
  })

  it('loads no other model beside it, until it has ended', async () => {
    const { finder, engines } = openSlow()
    expect(await finder.find(['slow'], { signal })).toEqual([undefined])
    expect(await providerFailure(finder.find(['two'], { signal }))).toMatchObject({ failure: 'unavailable' })
    expect(engines).toHaveLength(1)
    for (const engine of engines) engine.isHung = false
    expect(await finder.find(['two'], { signal })).toEqual([ada])
    expect(engines).toHaveLength(2)
  })
})

describe.skipIf(hasOnnxPackages)('OnnxNameFinder without its packages', () => {
  it('says what to install', async () => {
    const error = await providerFailure((await open()).find(['text'], { signal }))
    expect(error).toMatchObject({ failure: 'not_installed' })
    expect(error.remedy).toContain('npm install onnxruntime-node @huggingface/tokenizers')
  })
})

describe.skipIf(!hasOnnxPackages)('OnnxNameFinder with a model', () => {
  it('finds names with their kinds, and nothing of other labels', async () => {
    const [first, second] = await (
      await open()
    ).find(['In March (Ada Lovelace) left Köln; Acme paid.', 'none'], { signal })
    expect(first).toEqual({
      names: [
        { type: 'person', name: 'Ada Lovelace' },
        { type: 'place', name: 'Köln' },
        { type: 'organization', name: 'Acme' },
      ],
      isWhole: true,
    })
    expect(second).toEqual({ names: [], isWhole: true })
  })

  it('reads a text that is longer than the model reads at once', async () => {
    const text = `${'so it goes. '.repeat(40)}then Ada Lovelace left. ${'so it goes. '.repeat(40)}Bob`
    const [found] = await (await open(16)).find([text], { signal })
    expect(found?.names.map(({ name }) => name)).toEqual(['Ada Lovelace', 'Bob'])
  })

  it('says that a file which is no model cannot be used', async () => {
    const root = await writeNamesModel(await temporaryDirectory(), labelled)
    await writeFile(join(root, 'model.onnx'), 'weights')
    const finder = new OnnxNameFinder({ directory: root })
    onTestFinished(() => finder.close())
    expect(await providerFailure(finder.find(['text'], { signal }))).toMatchObject({ failure: 'unavailable' })
  })

  it.skipIf(directory === undefined)('finds names by a model of a good size', async () => {
    const finder = new OnnxNameFinder({ directory: directory ?? '' })
    onTestFinished(() => finder.close())
    const [found] = await finder.find(['Angela Merkel met Barack Obama in Berlin.'], { signal })
    expect(found?.names.map(({ name }) => name)).toEqual(['Angela Merkel', 'Barack Obama', 'Berlin'])
  })
})
