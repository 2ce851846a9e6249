import { assert, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'

import { embeddedPart } from '../../src/search/query/embedded-part.ts'

/** A letter is six to a token at most, and nothing is more than one a character. */
const charactersMax = 96 * 6 + 96

describe('embeddedPart()', () => {
  it('is all of a usual question, with a space for any white space', () => {
    expect(embeddedPart('  Where is\n\tthe key?\n')).toBe('Where is the key?')
    const question = Array.from({ length: 90 }, () => 'berth').join(' ')
    expect(embeddedPart(question)).toBe(question)
  })

  it('is the beginning and the end of a longer text, in whole words', () => {
    const log = Array.from({ length: 200 }, (_, at) => `line ${at} of the log`)
    const part = embeddedPart(`Look at this:\n${log.join('\n')}\nWhy did the pilot not come?`)
    expect(part).toMatch(/^Look at this: line 0 of the log .* line 199 of the log Why did the pilot not come\?$/u)
    expect(part.split(' ').length).toBeGreaterThan(70)
    expect(part.split(' ').length).toBeLessThanOrEqual(96)
    expect(part).toContain('line 9 of the log line 1')
  })

  it('has fewer words where these are numbers and paths, of which a model makes many tokens', () => {
    const prose = 'harbour pilot lantern '.repeat(300)
    const log = '2026-03-01T00:00:17.123Z src/tides/parse-heights.ts:88:17 '.repeat(300)
    expect(embeddedPart(log).length).toBeLessThan(embeddedPart(prose).length / 2)
  })

  it('cuts a word that has no room', () => {
    expect(embeddedPart(`${'a'.repeat(5_000)}${'b'.repeat(5_000)}`)).toMatch(/^a{50,} b{50,}$/u)
  })

  it('is never longer, and has no white space but single spaces', () => {
    assert(
      property(string({ unit: 'binary', maxLength: 3 * charactersMax }), (text) => {
        const part = embeddedPart(text)
        expect(part.length).toBeLessThanOrEqual(charactersMax)
        expect(part).not.toMatch(/\s\s|[^\S ]/u)
      }),
    )
  })
})
