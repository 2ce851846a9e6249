import { createHmac } from 'node:crypto'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { isStopWord } from '../../src/indexing/terms/stop-words.ts'
import { createTermHasher, defaultTermKey, unitTerms } from '../../src/indexing/terms/terms.ts'
import { tokenize } from '../../src/indexing/terms/tokenize.ts'
import { awkwardText } from './bad-inputs.ts'

const hasher = createTermHasher(defaultTermKey)

describe('createTermHasher()', () => {
  it('gives the first 64 bits of HMAC-SHA-256 as a signed number', () => {
    const digest = createHmac('sha256', defaultTermKey).update('wörter', 'utf8').digest('hex')
    expect(hasher('wörter')).toBe(BigInt.asIntN(64, BigInt(`0x${digest.slice(0, 16)}`)))
  })

  it('stays the same: stores keep these numbers', () => {
    expect(hasher('verbatim')).toBe(-1921674237067822832n)
  })

  it('fits the bigint of PostgreSQL for any text, and depends on the key', () => {
    const other = createTermHasher(new Uint8Array(32).fill(7))
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (term) => {
        expect(BigInt.asIntN(64, hasher(term))).toBe(hasher(term))
        expect(other(term)).not.toBe(hasher(term))
      }),
    )
  })

  it('answers the same when its cache has turned over', () => {
    const small = createTermHasher(defaultTermKey)
    const before = small('first')
    for (let index = 0; index < 120_000; index++) small(`term ${index}`)
    expect(small('first')).toBe(before)
  })
})

describe('unitTerms()', () => {
  it('gives distinct terms in order of first appearance with their frequencies, and counts words for the length', () => {
    const unit = unitTerms(tokenize('cat dog cat getUser', { language: 'en' }), hasher, { max: 100 })
    expect(unit.terms).toEqual(['cat', 'dog', 'getuser', 'getus', 'get', 'user'].map(hasher))
    expect(unit.frequencies).toEqual([2, 1, 1, 1, 1, 1])
    expect(unit.length).toBe(4)
  })

  it('keeps identifiers and words above the cap, and drops stop words first', () => {
    const text = `the of and in is ${Array.from({ length: 20 }, (_, index) => `zz${index}q`).join(' ')} E_CONN-1042`
    const unit = unitTerms(tokenize(text, { language: null }), hasher, {
      max: 22,
      lowValue: (term) => isStopWord(term, ['en']),
    })
    expect(unit.terms).toHaveLength(22)
    expect(unit.terms).toContain(hasher('e_conn-1042'))
    expect(unit.terms).toContain(hasher('zz0q'))
    expect(unit.terms).not.toContain(hasher('the'))
    expect(unit.length).toBe(28)
  })

  it('never passes the cap, never repeats a term, and counts every token when nothing is cut', () => {
    fc.assert(
      fc.property(awkwardText, fc.integer({ min: 1, max: 50 }), (text, max) => {
        const tokens = tokenize(text)
        const unit = unitTerms(tokens, hasher, { max })
        expect(unit.terms.length).toBeLessThanOrEqual(max)
        expect(new Set(unit.terms).size).toBe(unit.terms.length)
        expect(unit.frequencies).toHaveLength(unit.terms.length)
        const whole = unitTerms(tokens, hasher, { max: 1e9 })
        expect(whole.frequencies.reduce((sum, count) => sum + count, 0)).toBe(tokens.length)
      }),
    )
  })
})
