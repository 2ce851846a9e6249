import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { tokenize } from '../../src/indexing/terms/tokenize.ts'
import { atomsOf } from '../../src/indexing/terms/tokenize.ts'
import { limits } from '../../src/limits.ts'
import { phraseMatches } from '../../src/search/query/phrase-matches.ts'
import { parseQuery } from '../../src/search/query/query-text.ts'
import { awkwardText, badInputs, secondsPerMegabyte } from './bad-inputs.ts'

describe('parseQuery()', () => {
  it('gives the forms of a word one group and the written form the highest weight', () => {
    const { terms } = parseQuery('where are the crashed servers')
    const crashed = terms.find(({ term }) => term === 'crashed')
    const crash = terms.find(({ term }) => term === 'crash')
    expect(crashed?.group).toBe(crash?.group)
    expect(crashed?.weight).toBeGreaterThan(crash?.weight ?? 1)
    expect(terms.find(({ term }) => term === 'the')).toMatchObject({ lowValue: true })
    expect(crashed?.lowValue).toBe(false)
  })

  it('tries the stemmers of several languages on a word that could be of any', () => {
    expect(parseQuery('Kisten').terms.map(({ term }) => term)).toEqual(expect.arrayContaining(['kisten', 'kist']))
  })

  it.each(['to be or not to be', 'the', 'wer ist das', 'что это', 'です'])(
    'keeps the words of a query of only function words: %j',
    (query) => {
      const { terms } = parseQuery(query)
      expect(terms.length).toBeGreaterThan(0)
      expect(terms.every(({ lowValue, weight }) => !lowValue && weight === 1)).toBe(true)
    },
  )

  it.each([
    ['Can you list the order in which I brought up my collaboration with Carla?', 'list order brought'],
    ['How many times did I mention the cover letter throughout our conversations?', 'mention throughout conversations'],
    ['Can you give me a short summary of the trip in order?', 'give short summary order'],
    ['Kannst du mir sagen, was wir in unseren Gesprächen über den Keller wissen?', 'kannst sagen unseren gesprachen'],
    ['Peux-tu me résumer le projet Alpha ?', 'peux resumer'],
    ['¿Puedes resumir el proyecto Alfa?', 'puedes resumir'],
    ['Você pode resumir o projeto Alfa?', 'pode resumir'],
    ['Puoi riassumere il progetto Alfa?', 'puoi riassumere'],
  ])('tells the words about the asking from the others: %j', (query, asking) => {
    const { terms } = parseQuery(query)
    const written = new Set(atomsOf(query).map(({ term }) => term))
    const words = terms.filter(({ term, source, lowValue }) => source === 'asking' && !lowValue && written.has(term))
    expect(words.map(({ term }) => term)).toEqual(asking.split(' '))
  })

  it.each([
    'the order of the list',
    'list the conversations table',
    'order confirmation mail',
    'Can you give me',
    'What did we talk about in our conversations?',
    'parse error in the messages.json file',
    'bug in the chat.ts component',
    'auto-summarize nightly job',
    'several points of failure',
    'key concepts of React',
    'what are the main topics of the physics exam',
    'we raised 200 dollars',
    'sort rows in order of age',
    'die Reihenfolge der Lieder',
    'Zusammenfassung Treffen Oslo',
    'o cachorro pode dar voltas no parque',
    'who sang "Tell Me Why" at the wedding',
  ])('takes nothing for asking that may be asked about: %j', (query) => {
    expect(parseQuery(query).terms.filter(({ source, lowValue }) => source === 'asking' && !lowValue)).toEqual([])
  })

  it.each([
    [
      'Can you walk me through the order in which I brought up different aspects of my work with Carla throughout our conversations?',
      'my work with Carla ?',
    ],
    ['Where did I say I met Laura, in May?', 'Where I met Laura, in May?'],
    ['Which paint, and why?', 'Which paint, and why?'],
    [
      'The invoice for 1,500 euro, can you list what is on it?\n- a\n- b',
      'The invoice for 1,500 euro, what is on it?\n- a\n- b',
    ],
    ['Tell me about the order of the songs', 'about the order of the songs'],
    ['Can you tell me who sang "Tell Me Why" there?', 'who sang "Tell Me Why" there?'],
    ['Can you give me', 'Can you give me'],
    ['What did we talk about in our conversations?', 'What did we talk about in our conversations?'],
  ])('leaves the asking out of what %j is about', (query, topic) => {
    expect(parseQuery(query).topic).toBe(topic)
  })

  it('looks for umlauts that are written with an e in every language, with less weight where they are hardly any', () => {
    const weightOf = (query: string, word: string) => parseQuery(query).terms.find(({ term }) => term === word)?.weight
    expect(weightOf('who wrote mail to juergen', 'jurgen')).toBe(0.5)
    expect(weightOf('who wrote mail to Juergen', 'jurgen')).toBe(0.8)
    expect(weightOf('who wrote mail to joel', 'jol')).toBeUndefined()
  })

  it('takes a word for what is said about where it is that too', () => {
    const { terms } = parseQuery('Can you list the order in which I brought up the order from Oslo?')
    expect(terms.find(({ term }) => term === 'order')?.source).toBe('asked')
    expect(terms.find(({ term }) => term === 'brought')?.source).toBe('asking')
  })

  it.each([
    ['When did we fly to Oslo with Norwegian?', ['oslo', 'norwegian']],
    ['Who came? Nobody from Bergen.', ['bergen']],
    ['WHERE IS THE KEY', []],
    ['where is oslo', []],
    ['¿Hablamos ayer de Oslo?', ['oslo']],
    ['- Anna wrote to Bob', ['bob']],
    ['Oslo flights: who flew to Oslo', ['oslo']],
    ['what does getUserName return', []],
    ['Wo liegt die Schule mit dem Lehrer?', []],
  ])('tells names by their capitals inside a sentence: %j', (query, names) => {
    const proper = parseQuery(query).terms.filter(
      ({ isProperName, lowValue, weight }) => isProperName && !lowValue && weight === 1,
    )
    expect(proper.map(({ term }) => term)).toEqual(names)
  })

  it.each(['', ' ', '!?', '"', '""', '& | ! <-> :*', '(((', '…—', '\u200b', '\ud800', '%_%', '「」'])(
    'gives nothing for %j',
    (query) => {
      expect(parseQuery(query)).toEqual({ terms: [], phrases: [], titles: [], text: query, topic: query })
    },
  )

  it.each([
    ['find "lock was held" now', [['lock', 'was', 'held']]],
    [
      '“New York” and "São Paulo"',
      [
        ['new', 'york'],
        ['sao', 'paulo'],
      ],
    ],
    ['„Zum Löwen“', [['zum', 'lowen']]],
    ['« en avant »', [['en', 'avant']]],
    ['「会議室」を', [['会', '議', '室']]],
    ['say "never closed', []],
    ['5" disk and 3" disk', [['disk', 'and', '3']]],
    ["don't 'quote' this", []],
  ])('takes the phrases of %j', (query, phrases) => {
    expect(parseQuery(query).phrases).toEqual(phrases)
  })

  it.each([
    ['When did Melanie read the book "nothing is impossible"?', [['nothing', 'is', 'impossible']]],
    ['what did we say of “Kind of Blue” in the spring', [['kind', 'of', 'blue']]],
    ['Worum geht es in „Zum Löwen“?', [['zum', 'lowen']]],
    ['deploy "lock was held"', []],
    ['"what is that?"', []],
  ])('takes what a sentence quotes for a title: %j', (query, titles) => {
    const parsed = parseQuery(query)
    expect(parsed.titles).toEqual(titles)
    expect(parsed.phrases.length).toBe(titles.length === 0 ? 1 : 0)
  })

  it('reads operators of other search engines as text', () => {
    expect(parseQuery("foo & bar | !baz:* '; DROP TABLE x").terms.map(({ term }) => term)).toEqual(
      expect.arrayContaining(['foo', 'bar', 'baz', 'drop', 'table', 'x']),
    )
  })

  it('keeps the most telling terms of a query with too many', () => {
    const query = `${'the of and '.repeat(50)}${Array.from({ length: 200 }, (_, index) => `word${index}`).join(' ')}`
    const { terms } = parseQuery(query)
    expect(terms).toHaveLength(limits.queryTermsMax)
    expect(terms.some(({ lowValue }) => lowValue)).toBe(false)
  })

  it('never throws, gives each term once, at most the allowed number, with weights above 0 and up to 1', () => {
    fc.assert(
      fc.property(awkwardText, (query) => {
        const { terms, phrases } = parseQuery(query)
        expect(new Set(terms.map(({ term }) => term)).size).toBe(terms.length)
        expect(terms.length).toBeLessThanOrEqual(limits.queryTermsMax)
        expect(terms.every(({ weight }) => weight > 0 && weight <= 1)).toBe(true)
        expect(terms.length > 0 && terms.every(({ lowValue }) => lowValue)).toBe(false)
        expect(phrases.every((phrase) => phrase.length > 0)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('finds every word and identifier of a text again when it alone is the query', () => {
    fc.assert(
      fc.property(awkwardText, fc.constantFrom('en', 'de', 'ru', 'ja', null), (text, language) => {
        const tokens = tokenize(text, { language })
        const indexed = new Set(tokens.map(({ term }) => term))
        const missed = tokens
          .map(({ start, end }) => text.slice(start, end))
          .filter((slice) => !parseQuery(slice).terms.some(({ term }) => indexed.has(term)))
        expect(missed).toEqual([])
      }),
      { numRuns: 300, examples: [['1,000\u0301word', 'en']] },
    )
  })

  it.each(Object.entries(badInputs))('takes time in proportion to the size of the bad input: %s', (_, make) => {
    const small = secondsPerMegabyte(() => parseQuery(make(1)), make(1).length)
    const large = secondsPerMegabyte(() => parseQuery(make(8)), make(8).length)
    expect(large).toBeLessThan(Math.max(small, 0.1) * 4)
  })
})

describe('phraseMatches()', () => {
  const find = (text: string, phrase: string): string[] =>
    phraseMatches(text, parseQuery(`"${phrase}"`).phrases[0] ?? []).map(({ start, end }) => text.slice(start, end))

  it.each([
    ['The Lock, was held.', 'lock was held', ['Lock, was held']],
    ['lock was not held', 'lock was held', []],
    ['unlock was held', 'lock was held', []],
    ['会议室在三楼，会议很长', '会议', ['会议', '会议']],
    ['Straße Nr. 5', 'STRASSE nr 5', ['Straße Nr. 5']],
    ['see src/store/db.ts here', 'src/store/db.ts', ['src/store/db.ts']],
    ['a a a', 'a a', ['a a', 'a a']],
    ['a well-known fact', 'well known', ['well-known']],
    ['I don’t know', "don't know", ['don’t know']],
    ['เราย้ายการประชุม', 'ประชุม', ['ประชุม']],
    ["the harbour's berth", 'harbour berth', ["harbour's berth"]],
    ["voici l'homme", 'voici homme', ["voici l'homme"]],
    ["rock 'n' roll", 'rock n roll', ["rock 'n' roll"]],
    [String.raw`"line one\nsecond line"`, 'one second line', [String.raw`one\nsecond line`]],
    [String.raw`"\n\tI see\r\n\r\nthe end"`, 'I see the end', [String.raw`I see\r\n\r\nthe end`]],
    [String.raw`open C:\b\file now`, 'b file', [String.raw`b\file`]],
    [String.raw`open C:\b\file now`, 'C file', [String.raw`C:\b\file`]],
    [String.raw`C:\b\file\n\tis new`, 'b file is', [String.raw`b\file\n\tis`]],
    [String.raw`rows\n n of them`, 'rows n of', [String.raw`rows\n n of`]],
    [String.raw`one\n- two`, 'one two', [String.raw`one\n- two`]],
    [String.raw`C:\new\readme`, 'new readme', [String.raw`new\readme`]],
    [String.raw`café\nthe end`, 'cafe the', [String.raw`café\nthe`]],
  ])('finds in %j the phrase %j as %j', (text, phrase, expected) => {
    expect(find(text, phrase)).toEqual(expected)
  })

  it('finds any two neighbouring words of a text, whatever stands between them', () => {
    const text = "A:c'cS2-)$BS s.2''\ts'1)S+ userName foo_bar U.S.A. 10.0.0.1 it's O'Neil x86-64 <b>bold</b> l'eau d'or"
    const words = atomsOf(text).map(({ term }) => term)
    for (const [at, word] of words.slice(0, -1).entries()) {
      const phrase = [word, words[at + 1] ?? '']
      for (const part of [text, text.replaceAll("'", ' ')]) {
        const has = atomsOf(part).some(
          ({ term }, place, all) => term === phrase[0] && all[place + 1]?.term === phrase[1],
        )
        expect({ phrase, found: phraseMatches(part, phrase).length > 0 }).toEqual({ phrase, found: has })
      }
    }
  })

  it('reads a long row of escapes once', () => {
    expect(find(`${String.raw`\n`.repeat(50_000)}é`, 'n n n n end')).toEqual([])
    expect(find(`${String.raw`\n`.repeat(50_000)}é end`, 'n é end')).toHaveLength(1)
  })

  it('says quickly of a long text that it lacks a phrase', () => {
    const text = `a${' '.repeat(1_000_000)}`
    expect(phraseMatches(`${text.repeat(3)} b`, ['a', 'b', 'a'])).toEqual([])
  })

  it('finds nothing for an empty phrase', () => {
    expect(phraseMatches('text', [])).toEqual([])
  })
})
