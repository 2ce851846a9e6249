import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { splitIntoParts } from '../../src/indexing/parts.ts'
import { limits } from '../../src/limits.ts'
import { awkwardText, badInputs, secondsPerMegabyte } from './bad-inputs.ts'

function textsOf(text: string, wordsMax: number): string[] {
  return splitIntoParts(text, { wordsMax }).map(({ start, end }) => text.slice(start, end))
}

const words = (count: number, name = 'w'): string =>
  Array.from({ length: count }, (_, index) => `${name}${index}`).join(' ')

describe('splitIntoParts()', () => {
  it('covers the text exactly, in order, with parts that are not empty, and not more of them than allowed', () => {
    fc.assert(
      fc.property(
        awkwardText,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 2, max: 20 }),
        (text, wordsMax, partsMax) => {
          const parts = splitIntoParts(text, { wordsMax, partsMax })
          let at = 0
          for (const { start, end } of parts) {
            expect(start).toBe(at)
            expect(end).toBeGreaterThan(start)
            at = end
          }
          expect(at).toBe(text.length)
          expect(parts.length).toBeLessThanOrEqual(partsMax)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('leaves a short text whole and gives no part for an empty one', () => {
    expect(textsOf('one two three', 10)).toEqual(['one two three'])
    expect(splitIntoParts('')).toEqual([])
    expect(textsOf('\n\n\n', 10)).toEqual(['\n\n\n'])
  })

  it('prefers the border of a paragraph to one of a sentence, and that to one of a word', () => {
    expect(textsOf(`${words(12, 'a')}. Also\n\n${words(14, 'b')}`, 16)).toEqual([
      `${words(12, 'a')}. Also\n\n`,
      words(14, 'b'),
    ])
    expect(textsOf(`${words(12, 'a')}. ${words(14, 'b')}`, 16)).toEqual([`${words(12, 'a')}. `, words(14, 'b')])
  })

  it('keeps parts near the wanted size in prose', () => {
    const parts = textsOf(words(1_000), 100)
    for (const part of parts) expect(part.trim().split(' ').length).toBeLessThanOrEqual(125)
    expect(parts.length).toBeGreaterThanOrEqual(8)
    expect(parts.length).toBeLessThanOrEqual(20)
  })

  it('never cuts a word', () => {
    const text = words(500, 'longword')
    expect(textsOf(text, 20).flatMap((part) => part.trim().split(' '))).toEqual(text.split(' '))
  })

  it('cuts Chinese without spaces, at the end of sentences', () => {
    const text = '我们把会议改到星期五下午。'.repeat(40)
    const parts = textsOf(text, 50)
    expect(parts.length).toBeGreaterThan(3)
    for (const part of parts) expect(part.endsWith('。')).toBe(true)
  })

  it('cuts minified code at its punctuation but leaves one endless word whole', () => {
    expect(splitIntoParts('function(a,b){return{x:a,y:b}};'.repeat(2_000)).length).toBeGreaterThan(5)
    expect(splitIntoParts('a'.repeat(1 << 20))).toHaveLength(1)
  })

  it('covers a text of the largest size in the allowed number of parts', () => {
    const text = 'some words of a very long text. '.repeat(60_000)
    const parts = splitIntoParts(text)
    expect(parts.length).toBeLessThanOrEqual(limits.unitsPerMessageMax)
    expect(parts.length).toBeGreaterThan(limits.unitsPerMessageMax / 3)
    expect(parts.at(-1)?.end).toBe(text.length)
  })

  it.each(Object.entries(badInputs))('takes time in proportion to the size of the bad input: %s', (_, make) => {
    const small = secondsPerMegabyte(() => splitIntoParts(make(1)), make(1).length)
    const large = secondsPerMegabyte(() => splitIntoParts(make(8)), make(8).length)
    expect(large).toBeLessThan(Math.max(small, 0.02) * 4)
  })
})
