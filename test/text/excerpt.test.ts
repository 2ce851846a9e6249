import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { estimateTokens } from '../../src/model/text/tokens.ts'
import { excerpt } from '../../src/search/excerpt.ts'
import { MatchFinder } from '../../src/search/hits.ts'
import { parseQuery } from '../../src/search/query/query-text.ts'
import { awkwardText, badInputs, secondsPerMegabyte } from './bad-inputs.ts'

const matchList = fc.array(
  fc.tuple(fc.nat(400), fc.nat(20)).map(([start, size]) => ({ start, end: start + size })),
  { maxLength: 8 },
)

describe('excerpt()', () => {
  it('is a stretch of the text, within the size, with an ellipsis where it was cut and only there', () => {
    fc.assert(
      fc.property(awkwardText, matchList, fc.integer({ min: 0, max: 120 }), (text, matches, maxCharacters) => {
        const cut = excerpt(text, matches, { maxCharacters })
        expect(cut.text.length).toBeLessThanOrEqual(maxCharacters)
        expect(cut.truncated).toBe(text.length > maxCharacters)
        expect(cut.start).toBeLessThanOrEqual(cut.end)
        const whole = `${cut.start > 0 ? '…' : ''}${text.slice(cut.start, cut.end)}${cut.end < text.length ? '…' : ''}`
        // Below three characters there is no room for text between the ellipses.
        expect(cut.text).toBe(cut.truncated && maxCharacters <= 2 ? '…'.slice(0, maxCharacters) : whole)
      }),
      { numRuns: 1_000 },
    )
  })

  it('never cuts between the halves of a surrogate pair or before a combining mark', () => {
    const unit = fc.constantFrom('👍', 'e\u0301\u0302', '𠀀', '👩‍👩‍👧', 'a', 'か\u3099', '👋🏽')
    fc.assert(
      fc.property(
        fc.array(unit, { minLength: 10, maxLength: 60 }),
        fc.nat(100),
        fc.integer({ min: 3, max: 40 }),
        (units, at, maxCharacters) => {
          const text = units.join('')
          const { start, end } = excerpt(text, [{ start: at, end: at + 1 }], { maxCharacters })
          const borders = new Set([0, text.length])
          for (const { index } of new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text))
            borders.add(index)
          expect(borders.has(start)).toBe(true)
          expect(borders.has(end)).toBe(true)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('shows different words of the query before one of them again and again, and a telling one before others', () => {
    const text = `${'one '.repeat(10)}${'. '.repeat(50)}one two${' .'.repeat(50)} whole`
    const places = (word: string, weight: number) =>
      [...text.matchAll(new RegExp(`\\b${word}\\b`, 'g'))].map(({ index }) => ({
        start: index,
        end: index + word.length,
        word,
        weight,
      }))
    const few = [...places('one', 1), ...places('two', 1)]
    expect(excerpt(text, few, { maxCharacters: 40 }).text).toContain('one two')
    expect(excerpt(text, [...few, ...places('whole', 3)], { maxCharacters: 40 }).text).toContain('whole')
  })

  it('counts alike what comes in and what goes out, where the places of a word weigh differently', () => {
    const filler = 'lorem ipsum dolor sit amet. '.repeat(20)
    const text = `Configure connection pooling timeouts so. ${filler}${`The connection has connections. ${filler}A timeout of timeouts. ${filler}`.repeat(12)}`
    const { matches } = new MatchFinder([parseQuery('how do I configure the connection pooling timeouts')]).find(
      text,
      0,
    )
    expect(excerpt(text, matches, { maxCharacters: 200 }).text).toContain('Configure connection pooling timeouts')
  })

  it('cuts around the place where most matches stand, at the borders of words', () => {
    const text = `${'alpha beta gamma '.repeat(30)}needle one needle two ${'delta epsilon '.repeat(30)}needle`
    const matches = [...text.matchAll(/needle/g)].map(({ index }) => ({ start: index, end: index + 6 }))
    const cut = excerpt(text, matches, { maxCharacters: 80 })
    expect(cut.text).toContain('needle one needle two')
    expect(cut.text).toMatch(/^…(?:alpha|beta|gamma)\b.*\b(?:delta|epsilon)…$/u)
  })

  it('holds the match wherever it stands', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(300), fc.integer({ min: 20, max: 100 }), (before, after, maxCharacters) => {
        const text = `${'lorem ipsum '.repeat(before)}NEEDLE${' dolor sit'.repeat(after)}`
        const start = text.indexOf('NEEDLE')
        expect(excerpt(text, [{ start, end: start + 6 }], { maxCharacters }).text).toContain('NEEDLE')
      }),
    )
  })

  it('gives the start of the text when nothing matched', () => {
    expect(excerpt('one two three four five six', [], { maxCharacters: 12 })).toEqual({
      text: 'one two…',
      truncated: true,
      start: 0,
      end: 7,
    })
  })

  it.each(Object.entries(badInputs))('takes time in proportion to the size of the bad input: %s', (_, make) => {
    const run = (scale: number): number =>
      secondsPerMegabyte(() => {
        const text = make(scale)
        return excerpt(text, [{ start: text.length >> 1, end: (text.length >> 1) + 1 }], { maxCharacters: 200 })
      }, make(scale).length)
    expect(run(8)).toBeLessThan(Math.max(run(1), 0.05) * 4)
  })
})

describe('estimateTokens()', () => {
  // What byte-pair vocabularies of about 100,000 entries need, roughly: the estimate must lie between 0.8 and 2 times that.
  it.each([
    ['The quick brown fox jumps over the lazy dog.', 10],
    ['Hello, world!', 4],
    ['const x = await foo(bar)', 8],
    ['我们把会议改到星期五', 9],
    ['Привет, как дела?', 7],
    ['1234567890', 4],
  ])('is near the count for %j', (text, tokens) => {
    expect(estimateTokens(text)).toBeGreaterThanOrEqual(Math.floor(tokens * 0.8))
    expect(estimateTokens(text)).toBeLessThanOrEqual(tokens * 2)
  })

  it('is 0 for nothing, grows with the text, and costs at least a quarter of the letters', () => {
    expect(estimateTokens('')).toBe(0)
    fc.assert(
      fc.property(awkwardText, awkwardText, (a, b) => {
        expect(estimateTokens(a + b)).toBeGreaterThanOrEqual(estimateTokens(a))
        expect(estimateTokens(a + b)).toBeLessThanOrEqual(
          estimateTokens(a) + estimateTokens(b) + Math.ceil(b.length / 4) + 1,
        )
      }),
    )
  })

  it('does not take encoded data for prose', () => {
    expect(estimateTokens('QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9w')).toBeGreaterThan(20)
  })
})
