import { describe, expect, it } from 'vitest'

import { boundShares } from '../../src/search/ranking/diversity.ts'
import { weights } from '../../src/search/ranking/weights.ts'

const results = (authors: string, scoreOf: (at: number) => number) =>
  authors.split('').map((author, at) => ({ author, score: scoreOf(at), id: at }))
const order = (authors: string, scoreOf: (at: number) => number) =>
  boundShares(results(authors, scoreOf), { authorOf: ({ author }) => author, weights })

describe('boundShares()', () => {
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

describe('boundShares() of what is said again and again', () => {
  /** Results by what they say: `a` to `c` again and again, `-` each something else. */
  const spaced = (said: string, scoreOf: (at: number) => number, authors?: string) =>
    boundShares(results(said, scoreOf), {
      repeats: said.split('').map((what) => (what === '-' ? undefined : what.charCodeAt(0))),
      ...(authors === undefined ? {} : { authorOf: ({ id }) => authors[id] }),
      weights,
    })
  const saying = (...args: Parameters<typeof spaced>) =>
    spaced(...args)
      .map(({ author }) => author)
      .join('')

  it('leaves seven of ten places to what says something else and scores a quarter', () => {
    expect(saying(`${'a'.repeat(12)}${'-'.repeat(9)}`, (at) => (at < 12 ? 1 : 0.3))).toBe(
      `aaa${'-'.repeat(7)}aaa--${'a'.repeat(6)}`,
    )
    expect(saying(`${'a'.repeat(12)}-b`, (at) => (at < 12 ? 1 : 0.2))).toBe(`${'a'.repeat(12)}-b`)
  })

  it('bounds none of what each says something else', () => {
    expect(saying('-'.repeat(20), () => 1)).toBe('-'.repeat(20))
  })

  it('keeps to both bounds by the scores that were found', () => {
    // All but the last two are of one author: what he says again and again, and something else; they score too little for either bound.
    const bounded = spaced(
      `${'a'.repeat(20)}${'-'.repeat(11)}--`,
      (at) => (at < 20 ? 1 : at < 31 ? 0.3 : 0.14),
      `${'x'.repeat(31)}yy`,
    )
    expect(bounded.slice(-2).map(({ id }) => id)).toEqual([31, 32])
    expect(bounded.slice(0, 10).filter(({ id }) => id < 20)).toHaveLength(3)
  })

  it('lets no score rise and loses nothing', () => {
    const bounded = spaced(`${'a'.repeat(30)}bbcc--`, (at) => 1 - at / 60)
    expect(new Set(bounded.map(({ id }) => id)).size).toBe(36)
    for (const [at, { score }] of bounded.entries()) expect(score).toBeLessThanOrEqual(bounded[at - 1]?.score ?? 1)
  })
})
