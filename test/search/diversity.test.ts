import { describe, expect, it } from 'vitest'

import { boundAuthors } from '../../src/search/ranking/diversity.ts'
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
