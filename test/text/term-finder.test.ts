import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { TermFinder } from '../../src/indexing/terms/term-finder.ts'
import { tokenize } from '../../src/indexing/terms/tokenize.ts'
import { awkwardText } from './bad-inputs.ts'

const expected = (text: string, wanted: ReadonlySet<string>) => tokenize(text).filter(({ term }) => wanted.has(term))

describe('TermFinder', () => {
  it('finds in each of several texts what tokenize() gives of the wanted terms, in its order', () => {
    fc.assert(
      fc.property(fc.array(awkwardText, { maxLength: 4 }), fc.nat({ max: 3 }), (texts, of) => {
        const terms = texts.flatMap((text) => tokenize(text).map(({ term }) => term))
        const wanted = new Set(terms.filter((_, at) => at % 4 === of))
        const finder = new TermFinder(wanted)
        // A second time what is remembered is used.
        for (const text of [...texts, ...texts]) expect(finder.find(text)).toEqual(expected(text, wanted))
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    ['a word behind an escape and the same without', 'second \\nsecond nsecond \\nsecond second'],
    ['parts and stems of names', 'getUserNames src/getUserNames.ts get-user-names GETUSERNAMES getUserNames'],
    ['words of two languages', 'Die Verbindungen der Häuser sind nicht die connections of the houses'],
    ['a chunk longer than what is remembered', `${'a/'.repeat(60)}end ${'a/'.repeat(60)}end`],
    ['scripts without spaces', '会議室の予約 会議室 ประชุมพรุ่งนี้ 👩‍👩‍👧'],
  ])('finds %s', (_, text) => {
    const wanted = new Set(tokenize(text).map(({ term }) => term))
    const finder = new TermFinder(wanted)
    expect(finder.find(text)).toEqual(tokenize(text))
    expect(finder.find(text)).toEqual(tokenize(text))
  })

  it('tells the languages of texts apart, whose stems differ', () => {
    const english = 'The connections of this house are what we have been asking for in our letters'
    const german = 'Die connections dieses Hauses sind das, was wir in unseren Briefen nicht gefunden haben'
    const wanted = new Set([english, german].flatMap((text) => tokenize(text).map(({ term }) => term)))
    const finder = new TermFinder(wanted)
    for (const text of [english, german, english]) expect(finder.find(text)).toEqual(tokenize(text))
  })
})
