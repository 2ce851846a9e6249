import { describe, expect, it } from 'vitest'

import { numbersOf, rangesCited, rangesOfList, withoutCitations } from '../../src/insight/summaries/cited-numbers.ts'

describe('what a sentence cites in brackets', () => {
  it.each([
    ['It rains. [12]', [12]],
    ['It rains [3, 5].', [3, 5]],
    ['It rains. [3-5]', [3, 4, 5]],
    ['It rains. [3 – 5, 9]', [3, 4, 5, 9]],
    ['It rains. [3 to 5]', [3, 4, 5]],
    ['It rains. [3, 4, and 9]', [3, 4, 9]],
    ['It rains. [3; 9 & 11]', [3, 9, 11]],
    ['It rains. [messages 3-4]', [3, 4]],
    ['It rains. [Message #3]', [3]],
    ['It [2] rains. [3][5] [7]', [2, 3, 5, 7]],
  ])('%s', (sentence, numbers) => {
    expect(numbersOf(rangesCited(sentence))).toEqual(numbers)
    expect(withoutCitations(sentence)).toMatch(/^It rains\.$/u)
  })

  it.each([
    'anchors[0] and f()[1]',
    'a[3][5]',
    '[3](https://example.org)',
    '[3 ships]',
    '[v3]',
    '[]',
    'messages 3-4',
    'voted [3 to 1]',
    'lost [2-0], [4, 3-1]',
  ])('nothing in %s', (sentence) => {
    expect(rangesCited(sentence)).toEqual([])
    expect(withoutCitations(sentence)).toBe(sentence)
  })

  it('is too much where a range or all of it is long', () => {
    expect(numbersOf(rangesCited('[1-20]'))).toHaveLength(20)
    expect(numbersOf(rangesCited('[1-21]'))).toBeUndefined()
    expect(numbersOf(rangesCited('[1-15] [30-40]'))).toBeUndefined()
  })

  it('stays where it is not what is meant', () => {
    expect(withoutCitations('Berth [3] is taken [1].', (ranges) => ranges.every(({ first }) => first === 1))).toBe(
      'Berth [3] is taken.',
    )
  })
})

describe('a list of numbers', () => {
  it.each<[string, number[]]>([
    ['3', [3]],
    [' [3] ', [3]],
    ['3-5', [3, 4, 5]],
    ['[3], [5-6]', [3, 5, 6]],
    ['messages 3 and 4', [3, 4]],
  ])('%s', (text, numbers) => {
    expect(numbersOf(rangesOfList(text) ?? [])).toEqual(numbers)
  })

  it.each(['', 'the first', '3 to 1', '3 ships', '3.5', '-3', '[3', 'message'])('not %s', (text) => {
    expect(rangesOfList(text)).toBeUndefined()
  })
})
