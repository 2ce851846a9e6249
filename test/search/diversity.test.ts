import { describe, expect, it } from 'vitest'

import { boundAuthors, boundRepeats } from '../../src/search/ranking/diversity.ts'
import { weights } from '../../src/search/ranking/weights.ts'

const results = (authors: string, scoreOf: (at: number) => number) =>
  authors.split('').map((author, at) => ({ author, score: scoreOf(at), id: at }))
const order = (authors: string, scoreOf: (at: number) => number) =>
  boundAuthors(results(authors, scoreOf), { authorOf: ({ author }) => author, weights })

describe('boundAuthors()', () => {
  it('leaves two of ten places to others, where they say something near as good', () => {
    const bounded = order(`${'a'.repeat(12)}bc`, (at) => 1 - at / 100)
    expect(bounded.map(({ author }) => author).join('')).toBe('aaaaaaaabcaaaa')
  })

  it('leaves them to nobody who says much less, and keeps every result', () => {
    const bounded = order(`${'a'.repeat(12)}b`, (at) => (at === 12 ? 0.1 : 1))
    expect(bounded.map(({ author }) => author).join('')).toBe(`${'a'.repeat(12)}b`)
    expect(new Set(bounded.map(({ id }) => id)).size).toBe(13)
  })

  it('never lets a score rise from one result to the next, beyond what is bounded too', () => {
    const bounded = order('a'.repeat(40) + 'b'.repeat(60), (at) => 1 - at / 400)
    expect(bounded).toHaveLength(100)
    for (const [at, { score }] of bounded.entries()) expect(score).toBeLessThanOrEqual(bounded[at - 1]?.score ?? 1)
  })
})

describe('boundRepeats()', () => {
  const terms = new Map([
    ['a', [1n, 2n, 3n, 4n, 5n, 6n, 7n]],
    ['b', [11n, 12n, 13n]],
    ['c', [21n, 22n]],
  ])
  /** Each `a` has a term of its own beside those that all have. */
  const sketchOf = (said: string, at: number) =>
    said === '-' ? undefined : [...(terms.get(said) ?? []), ...(said === 'a' ? [BigInt(100 + at)] : [])]
  const spaced = (said: string, scoreOf: (at: number) => number) =>
    boundRepeats(results(said, scoreOf), { sketches: said.split('').map(sketchOf), weights })
  const saying = (said: string, scoreOf: (at: number) => number) =>
    spaced(said, scoreOf)
      .map(({ author }) => author)
      .join('')

  it('leaves seven of ten places to what says something else and scores a quarter', () => {
    expect(saying(`${'a'.repeat(12)}bc`, (at) => (at < 12 ? 1 : 0.3))).toBe(`aaabc${'a'.repeat(9)}`)
    expect(saying(`${'a'.repeat(12)}bc`, (at) => (at < 12 ? 1 : 0.2))).toBe(`${'a'.repeat(12)}bc`)
  })

  it('lets no score rise and loses nothing', () => {
    const bounded = spaced(`${'a'.repeat(30)}bbcc--`, (at) => 1 - at / 60)
    expect(new Set(bounded.map(({ id }) => id)).size).toBe(36)
    for (const [at, { score }] of bounded.entries()) expect(score).toBeLessThanOrEqual(bounded[at - 1]?.score ?? 1)
  })
})
