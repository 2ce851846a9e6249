import { describe, expect, it } from 'vitest'

import { SeenTexts } from '../../src/search/seen-texts.ts'

const long = Array.from({ length: 60 }, (_, at) => `word${at}`).join(' ')

describe('SeenTexts', () => {
  it.each<readonly [string, readonly string[], boolean]>([
    ['the same', ['The heron stood.', 'The heron stood.'], true],
    [
      'other case, spaces and punctuation',
      [
        'We moved the berth, the mast and both sails to the yard on Friday.',
        'we moved the berth  the mast and both sails to the yard on friday',
      ],
      true,
    ],
    ['one of many words at the end', [long, `${long} more`], true],
    ['one of many words in the middle', [long, long.replace('word30', 'other')], true],
    ['a tenth of its words', [long, `${long} new words at the end of it all`], false],
    ['a short text with one word more', ['Thanks, see you!', 'Thanks, see you soon!'], false],
    ['another text', [long, long.split(' ').toReversed().join(' ')], false],
  ])('calls %s a repeat or not', (_, texts, isRepeat) => {
    const seen = new SeenTexts()
    expect(texts.map((text) => seen.isRepeat(text))).toEqual([false, isRepeat])
  })

  it('compares long texts as they stand', () => {
    const seen = new SeenTexts()
    const text = 'sand '.repeat(2_000)
    expect([seen.isRepeat(text), seen.isRepeat(`${text}!`), seen.isRepeat(text)]).toEqual([false, false, true])
  })
})
