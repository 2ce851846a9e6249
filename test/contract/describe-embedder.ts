import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { InputError, LimitError } from '../../src/errors.ts'
import type { Embedder } from '../../src/ports/embedder.ts'

export interface EmbedderUnderTest {
  readonly embedder: Embedder
  dispose(): Promise<void>
}

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)
}

/** What every embedder does, whatever is behind it. `open` is called once for all of the tests. */
export function describeEmbedder(name: string, open: () => Promise<EmbedderUnderTest>): void {
  describe(`${name} as an Embedder`, () => {
    let underTest: EmbedderUnderTest
    let embedder: Embedder
    const { signal } = new AbortController()

    beforeAll(async () => {
      underTest = await open()
      embedder = underTest.embedder
    })

    afterAll(async () => {
      await embedder.close()
      await embedder.close()
      await underTest.dispose()
    })

    const embed = (...texts: readonly string[]) => embedder.embed(texts, { purpose: 'document', signal })

    async function one(text: string): Promise<Float32Array> {
      const [vector] = await embed(text)
      if (vector === undefined) throw new Error('Expected a vector')
      return vector
    }

    it('describes its model, the same each time', async () => {
      const model = await embedder.describe({ signal })
      expect(model.name.length).toBeGreaterThan(0)
      expect(model.dimensions).toBeGreaterThan(0)
      expect(model.revision.length).toBeGreaterThan(0)
      await expect(embedder.describe({ signal })).resolves.toEqual(model)
    })

    it('gives one vector of length 1 for each text, in their order', async () => {
      const texts = ['the harbour at dawn', 'interest rates', 'a recipe for rye bread']
      const { dimensions } = await embedder.describe({ signal })
      const vectors = await embed(...texts)
      expect(vectors.map((vector) => vector.length)).toEqual(texts.map(() => dimensions))
      for (const [index, text] of texts.entries()) {
        const vector = vectors[index] ?? new Float32Array()
        expect(vector).toBeInstanceOf(Float32Array)
        expect(Math.hypot(...vector)).toBeCloseTo(1, 5)
        expect(cosine(vector, await one(text))).toBeCloseTo(1, 5)
      }
      expect(cosine(vectors[0] ?? new Float32Array(), vectors[1] ?? new Float32Array())).toBeLessThan(0.9)
    })

    it('takes queries', async () => {
      const [vector] = await embedder.embed(['when does the ferry leave?'], { purpose: 'query', signal })
      expect(Math.hypot(...(vector ?? []))).toBeCloseTo(1, 5)
    })

    it('gives nothing for nothing', async () => {
      await expect(embed()).resolves.toEqual([])
    })

    it.each([
      ['a half of a surrogate pair', 'before \ud83d after'],
      ['control characters', 'nul \u0000 and bell \u0007'],
      ['other scripts', 'Привет, мир! こんにちは 🌍'],
      ['one word without an end', 'x'.repeat(200_000)],
      ['more than any model reads', 'all work and no play '.repeat(50_000)],
    ])('takes %s', async (_name, text) => {
      expect(Math.hypot(...(await one(text)))).toBeCloseTo(1, 5)
    })

    it('takes as many texts as it says, and no more', async () => {
      const { textsPerCallMax } = embedder.limits
      const texts = Array.from({ length: textsPerCallMax + 1 }, (_, index) => `text ${index}`)
      await expect(embed(...texts.slice(1))).resolves.toHaveLength(textsPerCallMax)
      await expect(embed(...texts)).rejects.toThrow(LimitError)
    })

    it.each(['', ' \n\t'])('refuses the blank text %j by its place', async (blank) => {
      await expect(embed('text', blank)).rejects.toThrow(InputError)
      await expect(embed('text', blank)).rejects.toThrow('text 2 of 2')
    })

    it('throws the reason of a signal, aborted before or meanwhile', async () => {
      const reason = new Error('enough')
      const before = AbortSignal.abort(reason)
      await expect(embedder.embed(['text'], { purpose: 'query', signal: before })).rejects.toBe(reason)
      await expect(embedder.describe({ signal: before })).rejects.toBe(reason)
      const meanwhile = new AbortController()
      const call = embedder.embed(['text'], { purpose: 'query', signal: meanwhile.signal })
      meanwhile.abort(reason)
      await expect(call).rejects.toBe(reason)
      await expect(embed('text')).resolves.toHaveLength(1)
    })
  })
}
