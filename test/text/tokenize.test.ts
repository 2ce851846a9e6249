import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { fold } from '../../src/indexing/terms/fold.ts'
import { atomsOf, type TokenKind, tokenize } from '../../src/indexing/terms/tokenize.ts'
import { awkwardText, badInputs, secondsPerMegabyte } from './bad-inputs.ts'

function terms(text: string, kinds?: readonly TokenKind[]): string[] {
  return tokenize(text)
    .filter(({ kind }) => kinds === undefined || kinds.includes(kind))
    .map(({ term }) => term)
}

describe('tokenize() of compounds that come again', () => {
  const offsets = (text: string) => tokenize(text, { language: null }).map(({ term, start, end }) => [term, start, end])

  it('gives the same pieces at the place where each stands, and takes an escape before one for what it is', () => {
    const escaped = offsets(String.raw`a\nsecondWord`)
    const plain = offsets('a nsecondWord')
    expect(plain).toEqual([
      ['a', 0, 1],
      ['nsecondword', 2, 13],
      ['nsecond', 2, 9],
      ['word', 9, 13],
    ])
    for (const _again of [1, 2]) {
      expect(offsets(String.raw`a\nsecondWord`)).toEqual(escaped)
      expect(offsets('a nsecondWord')).toEqual(plain)
    }
    expect(offsets('nsecondWord')).toEqual(
      plain.slice(1).map(([term, start, end]) => [term, Number(start) - 2, Number(end) - 2]),
    )
  })
})

describe('fold()', () => {
  it.each([
    ['Straße', 'strasse'],
    ['STRASSE', 'strasse'],
    ['Ünlü', 'unlu'],
    ['café', 'cafe'],
    ['cafe\u0301', 'cafe'],
    ['İstanbul', 'istanbul'],
    ['Łódź', 'lodz'],
    ['Ελλάδα', 'ελλαδα'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['Йод', 'йод'],
    ['и\u0306од', 'йод'],
    ['ещё', 'еще'],
    ['が', 'が'],
    ['か\u3099', 'が'],
    ['ｶﾞ', 'ガ'],
    ['ＡＢＣ１', 'abc1'],
    ['ﬁn', 'fin'],
    ['soft\u00adhyphen', 'softhyphen'],
    ['الْمَدْرَسَة', 'المدرسه'],
  ])('gives %j as %j', (written, expected) => {
    expect(fold(written)).toBe(expected)
  })

  it('keeps й apart from и and が apart from か', () => {
    expect(fold('й')).not.toBe(fold('и'))
    expect(fold('が')).not.toBe(fold('か'))
  })

  it('is idempotent', () => {
    fc.assert(
      fc.property(awkwardText, (text) => {
        expect(fold(fold(text))).toBe(fold(text))
      }),
    )
  })
})

describe('tokenize() identifiers', () => {
  it.each([
    ['getUserName', ['getusername', 'get', 'user', 'name']],
    ['HTMLParser', ['htmlparser', 'html', 'parser']],
    ['user_id', ['user_id', 'user', 'id']],
    ['src/store/db.ts', ['src/store/db.ts', 'src', 'store', 'db.ts', 'db', 'ts']],
    ['C:\\Users\\anna\\a.txt', ['users', 'anna', 'a.txt']],
    ['E_CONN-1042', ['e_conn-1042', 'e_conn', 'conn', '1042']],
    ['0x80070005', ['0x80070005', '80070005']],
    ['TS2589', ['ts2589', '2589']],
    ['v1.2.3', ['v1.2.3', 'v1']],
    ['https://example.com/a/b?x=1', ['https://example.com/a/b?x=1', 'example.com', 'example']],
    ['anna.b@example.org', ['anna.b@example.org', 'anna.b', 'anna', 'example.org']],
    ['192.168.0.17', ['192.168.0.17', '192']],
    ['std::vector', ['std::vector', 'vector']],
    ['C++', ['c++']],
    ['C#', ['c#']],
    ['1,000', ['1,000']],
    ['12:30', ['12:30']],
    ['O’Brien', ["o'brien", 'brien']],
    ["John's", ['john']],
    ["don't", ["don't"]],
    ["l'avion", ['avion']],
    ['550e8400-e29b-41d4-a716-446655440000', ['550e8400-e29b-41d4-a716-446655440000', '550e8400']],
    ['3f9a1c7be42d9086aa517c03d5e8f1b2a4960d7c', ['3f9a1c7be42d9086aa517c03d5e8f1b2a4960d7c', '3f9a1c7']],
    ['3F9A1C7BE', ['3f9a1c7be', '3f9a1c7']],
  ])('gives %j both whole and split', (text, expected) => {
    expect(terms(`see ${text} there`)).toEqual(expect.arrayContaining(expected))
    expect(terms(text)).toEqual(expect.arrayContaining(expected))
  })

  it.each([
    ['e-mail', ['email']],
    ['GPT-4', ['gpt4']],
    ['get_user_name', ['getusername']],
    ['get-user-name.ts', []],
    ['src/get-user/index.ts', ['getuser']],
    ['Ünlü-Straße', ['unlustrasse']],
    ['10,000', ['10000']],
    ['1.234.567', ['1234567']],
    ['0.125', []],
    ['3,50', []],
    ['2026-11-30', []],
    ['one-two_three', ['twothree']],
    ['one-two-three-four-five-six-seven', []],
  ])('gives %j joined as %j', (text, expected) => {
    expect(terms(text, ['joined'])).toEqual(expected)
  })

  it('gives the stem of what it joins', () => {
    expect(tokenize('e-mails', { language: 'en' })).toContainEqual({ term: 'email', start: 0, end: 7, kind: 'stem' })
  })

  it('ends an identifier before the punctuation of the sentence', () => {
    expect(terms('Look at db.ts. Then (user_id), "x-y"!')).toEqual(expect.arrayContaining(['db.ts', 'user_id', 'x-y']))
  })

  it('abbreviates no word and no number', () => {
    expect(terms('deadbeef 12345678 1234567 2e10')).toEqual(['deadbeef', '12345678', '1234567', '2e10', '10'])
  })

  it('does not take a random id apart at every change of case', () => {
    expect(terms('aB3dE5fG7hI9')).toEqual(['ab3de5fg7hi9'])
  })
})

describe('tokenize() scripts', () => {
  it('gives runs of Han, kana and Hangul as pairs, and Han and Hangul characters alone too', () => {
    expect(terms('会议室', ['gram'])).toEqual(['会议', '议室'])
    expect(terms('会议室', ['character'])).toEqual(['会', '议', '室'])
    expect(terms('カメラ')).toEqual(['カメ', 'メラ'])
    expect(terms('회의', ['gram'])).toEqual(['회의'])
  })

  it('gives the only character of a run as itself, so that a query of one character finds longer runs', () => {
    expect(terms('猫')).toEqual(['猫'])
    expect(terms('三毛猫です')).toContain('猫')
  })

  it('gives decomposed Hangul the terms of the composed one', () => {
    expect(terms('한국어'.normalize('NFD'))).toEqual(terms('한국어'))
  })

  it('splits mixed scripts at their border', () => {
    expect(terms('Python是一种语言v3')).toEqual(expect.arrayContaining(['python', '语言', 'v3']))
  })

  it('finds Thai words in another context by their pairs of characters', () => {
    const indexed = new Set(terms('เราย้ายการประชุมไปวันศุกร์'))
    for (const term of terms('ประชุม', ['gram'])) expect(indexed).toContain(term)
    expect(terms('เราย้ายการประชุม', ['word'])).toContain('ประชุม')
  })

  it('finds the same words as Intl.Segmenter in prose of alphabets', () => {
    const prose =
      'The lock was held; nobody knew. Der Zug fährt über Köln, naïve Ελλάδα Привет мир שלום عالم हिन्दी 2024'
    const segmenter = new Intl.Segmenter('en', { granularity: 'word' })
    const expected = [...segmenter.segment(prose)]
      .filter(({ isWordLike }) => isWordLike === true)
      .map(({ segment }) => fold(segment))
    expect(atomsOf(prose).map(({ term }) => term)).toEqual(expected)
  })

  it('keeps pictographs as words', () => {
    expect(terms('done 🎉!')).toContain('🎉')
  })
})

describe('tokenize() stems', () => {
  it.each([
    ['en', 'the servers crashed when connections were dropping', 'server crash connection dropped'],
    ['en', 'we discussed the migration and its adoption', 'discuss migrate adopt'],
    ['de', 'Die Wohnungen und die Möbel wurden gestern in die Häuser gebracht', 'Wohnung Haus Hauses'],
    ['ru', 'Мы обсудили встречи и договоры с клиентами', 'встреча договор клиентов'],
    ['fr', 'Nous avons déplacé les réunions chez les clients', 'déplacer réunion client'],
    ['es', 'las reuniones fueron trasladadas', 'reunión trasladado'],
    ['ar', 'ذهبنا إلى الاجتماع في المدرسة', 'اجتماع مدرسة'],
  ])('lets inflections of %s find each other', (language, text, words) => {
    const indexed = new Set(tokenize(text, { language }).map(({ term }) => term))
    for (const word of words.split(' ')) {
      const forms = tokenize(word, { language }).map(({ term }) => term)
      expect(
        forms.some((form) => indexed.has(form)),
        `${word} (${forms.join(', ')})`,
      ).toBe(true)
    }
  })

  it('always indexes the written form, whatever language is assumed', () => {
    const word = fc.stringMatching(/^[a-zäöüß]{1,20}$/)
    fc.assert(
      fc.property(word, fc.constantFrom('en', 'de', 'fr', 'ru', 'tr', 'xx', null), (text, language) => {
        expect(tokenize(text, { language }).map(({ term }) => term)).toContain(fold(text))
      }),
    )
  })

  it('keeps stop words, because phrases need them', () => {
    expect(terms('to be or not to be')).toEqual(['to', 'be', 'or', 'not', 'to', 'be'])
  })
})

describe('tokenize() properties', () => {
  it('gives offsets inside the text, slices that are not empty, and terms that are not empty', () => {
    fc.assert(
      fc.property(awkwardText, (text) => {
        for (const { term, start, end } of [...tokenize(text), ...atomsOf(text)]) {
          expect(term).not.toBe('')
          expect(start).toBeGreaterThanOrEqual(0)
          expect(end).toBeGreaterThan(start)
          expect(end).toBeLessThanOrEqual(text.length)
        }
      }),
      { numRuns: 500, examples: [['\ufe7b'], ['a \u0640 b']] },
    )
  })

  it('is deterministic', () => {
    fc.assert(
      fc.property(awkwardText, (text) => {
        expect(tokenize(text)).toEqual(tokenize(text))
      }),
    )
  })

  it('finds a word of letters again that stands between spaces in any text', () => {
    fc.assert(
      fc.property(awkwardText, fc.stringMatching(/^[a-z]{3,12}$/), awkwardText, (before, word, after) => {
        expect(terms(`${before} ${word} ${after}`)).toContain(word)
      }),
    )
  })

  it.each(Object.entries(badInputs))('takes time in proportion to the size of the bad input: %s', (_, make) => {
    const small = secondsPerMegabyte(() => tokenize(make(1)).length, make(1).length)
    const large = secondsPerMegabyte(() => tokenize(make(8)).length, make(8).length)
    // Quadratic work would be eight times as slow; the floor absorbs the clock and the collector on tiny times.
    expect(large).toBeLessThan(Math.max(small, 0.05) * 4)
  })

  it.each(['', ' ', '\n\n', '\u200b\u200d', '!?…—', '\ud800', '\udfff', '\u0301', '\u0000'])(
    'gives no term for %j',
    (text) => {
      expect(tokenize(text)).toEqual([])
    },
  )
})
