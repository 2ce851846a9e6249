import { describe, expect, it } from 'vitest'

import { alike, groupAlike, sketchTerms, type Sketch } from '../../src/search/ranking/sketches.ts'

/** Hashes as of so many terms, from one of a hash function of 64 bits (Steele, Lea and Flood 2014) on. */
const hashes = (from: number, count: number): bigint[] =>
  Array.from({ length: count }, (_, at) => {
    let hash = BigInt.asUintN(64, BigInt(from + at) * 0x9e3779b97f4a7c15n)
    hash = BigInt.asUintN(64, (hash ^ (hash >> 30n)) * 0xbf58476d1ce4e5b9n)
    hash = BigInt.asUintN(64, (hash ^ (hash >> 27n)) * 0x94d049bb133111ebn)
    return BigInt.asIntN(64, hash ^ (hash >> 31n))
  })
const sketch = (...terms: readonly bigint[]): Sketch =>
  [...new Set(terms)].toSorted((a, b) => (a < b ? -1 : 1)).slice(0, sketchTerms)

describe('alike()', () => {
  it('is the share of terms that both have, of short texts', () => {
    expect(alike([1n, 2n, 3n, 4n], [2n, 3n, 4n, 5n])).toBeCloseTo(3 / 5)
    expect(alike([1n, 2n], [1n, 2n])).toBe(1)
    expect(alike([1n], [2n])).toBe(0)
    expect(alike([], [])).toBe(0)
    expect(alike([], [1n])).toBe(0)
  })

  it.each([0.3, 0.65, 0.9])('comes near it, of long ones: %d', (share) => {
    // Of 1,000 terms in all so many are in both.
    const shares = Array.from({ length: 50 }, (_, run) => {
      const both = hashes(run * 10_000, Math.round(1_000 * share))
      const rest = Math.round(500 * (1 - share))
      const a = sketch(...both, ...hashes(run * 10_000 + 2_000, rest))
      const b = sketch(...both, ...hashes(run * 10_000 + 4_000, rest))
      return alike(a, b)
    })
    expect(shares.reduce((sum, found) => sum + found, 0) / shares.length).toBeCloseTo(share, 1)
  })
})

describe('groupAlike()', () => {
  it('puts each to the first that it is alike to, and what has no terms to none', () => {
    const [one, two] = [
      [1n, 2n, 3n, 4n, 5n],
      [11n, 12n, 13n],
    ]
    expect(groupAlike([one, two, [1n, 2n, 3n, 4n, 6n], undefined, two, [1n, 2n, 3n]], 0.6)).toEqual([
      0,
      1,
      0,
      undefined,
      1,
      0,
    ])
  })
})
