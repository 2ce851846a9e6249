import { describe, expect, test } from 'vitest'

import { useBadInput } from './support/bad-input.ts'
import { words } from './support/bad-text.ts'

const bad = useBadInput()

describe('queries', () => {
  test.each<[string, string]>([
    ['function words', 'the of and'],
    ['function words of German', 'was ist das'],
    ['punctuation', '?!.,;:()[]{}<>/\\|'],
    ['SQL', "'; DROP TABLE messages; --"],
    ['operators of a text search', '& | ! <-> :* foo:bar*'],
    ['a quote without its partner', '"unbalanced'],
    ['quotes that do not match', '“mixed" „quotes«'],
    ['nothing but quotes', '""""""'],
    ['wildcards', '%_% LIKE'],
    ['a regular expression that backtracks', '(a+)+$'],
    ['every special character of one', '.*+?^${}()|[]\\'],
    ['1,200 words', words(1_600).slice(0, 10_000)],
    ['Chinese', '港口船舶停泊信息数据库性能优化'],
    ['five scripts', 'berth причал 泊位 الرصيف แท่น'],
    ['operators of a web search', '-berth AND NOT 14 OR'],
    ['control characters', '\u0000\u0001'],
    ['a pictograph', '🚢'],
    ['a ligature of 18 characters', 'ﷺ'],
    ['letters whose case is odd', 'İIıi ß ẞ ŉ'],
    ['half a surrogate pair', 'x\ud800 y'],
  ])('of %s are answered', async (_, query) => {
    await bad.attempt('search_memory', { query })
    await bad.attempt('search_memory', { query: [query, 'berth'] })
    await bad.attempt('search_memory', { query, format: 'json', limit: 100, max_tokens: 25_000 })
    expect(bad.poorErrors).toEqual([])
  })

  test('filters that nothing has, and that no schema knows, are harmless', async () => {
    expect(
      await bad.tools.hits({ query: 'berth', session_id: 'ok', colour: 'red', filter: { nested: { deep: 1 } } }),
    ).toHaveLength(1)
    expect(await bad.tools.hits({ query: 'berth', tags: ["' or 1=1 --"] })).toEqual([])
  })
})
