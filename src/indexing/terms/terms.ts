import { createHmac, type KeyObject } from 'node:crypto'

import { detached } from './fold.ts'
import type { Token, TokenKind } from './tokenize.ts'

/**
 * The key of stores without encryption: public, so its hashes hide nothing; it only makes terms one size. A store keeps the
 * key it was made with, since other keys find none of its terms.
 */
export const defaultTermKey: Uint8Array = Buffer.from('verbatim search terms, version 1', 'utf8')

/** A 64-bit two's complement number, as PostgreSQL's bigint holds it. */
export type TermHasher = (term: string) => bigint

/** Terms whose hashes are remembered, twice: a full generation becomes the old one, and the old one is dropped. */
const cachedTermsMax = 50_000

/**
 * Hashes terms as the first 64 bits, big-endian, of HMAC-SHA-256(key, UTF-8 of the term). With a secret key the index shows
 * which units share a term and not which term it is. A million distinct terms collide with probability 3e-8.
 */
export function createTermHasher(key: Uint8Array | KeyObject): TermHasher {
  let recent = new Map<string, bigint>()
  let older = new Map<string, bigint>()
  return (term) => {
    const known = recent.get(term)
    if (known !== undefined) return known
    const hash = older.get(term) ?? createHmac('sha256', key).update(term, 'utf8').digest().readBigInt64BE(0)
    if (recent.size >= cachedTermsMax) {
      older = recent
      recent = new Map()
    }
    recent.set(detached(term), hash)
    return hash
  }
}

/** What the index holds of one unit. `terms[i]` occurs `frequencies[i]` times; `length` is the unit's size for BM25. */
export interface UnitTerms {
  readonly terms: readonly bigint[]
  readonly frequencies: readonly number[]
  readonly length: number
}

export interface UnitTermsOptions {
  /** Distinct terms kept at most. */
  readonly max: number
  /** Terms that go first when there are too many: stop words. */
  readonly lowValue?: (term: string) => boolean
}

/** What is kept first under the cap: names and numbers are rare and asked for by the letter, single characters are everywhere. */
const rankOfKind: Readonly<Record<TokenKind, number>> = {
  identifier: 0,
  word: 1,
  gram: 1,
  stem: 2,
  joined: 3,
  part: 3,
  character: 4,
}
const rankOfLowValue = 5

interface TermCount {
  readonly term: string
  readonly rank: number
  count: number
}

/**
 * The distinct terms of a unit in order of their first appearance, with how often each occurs. Above `max` the least
 * telling go first, and of equals the later ones. `length` counts words and pairs of characters once each, without the
 * stems, parts and wholes that are added to them, so that indexing a word in several forms does not make a text longer.
 */
export function unitTerms(tokens: Iterable<Token>, hasher: TermHasher, options: UnitTermsOptions): UnitTerms {
  const counts = new Map<string, TermCount>()
  let length = 0
  for (const token of tokens) {
    if (token.kind === 'word' || token.kind === 'gram') length++
    const known = counts.get(token.term)
    if (known !== undefined) known.count++
    else {
      const rank = options.lowValue?.(token.term) === true ? rankOfLowValue : rankOfKind[token.kind]
      counts.set(token.term, { term: token.term, rank, count: 1 })
    }
  }
  const kept = keepMostTelling([...counts.values()], options.max)
  return { terms: kept.map(({ term }) => hasher(term)), frequencies: kept.map(({ count }) => count), length }
}

function keepMostTelling(counts: readonly TermCount[], max: number): readonly TermCount[] {
  if (counts.length <= max) return counts
  const kept = new Set(counts.toSorted((a, b) => a.rank - b.rank).slice(0, max))
  return counts.filter((count) => kept.has(count))
}
