import { describe, expect, it } from 'vitest'

import { tokenize } from '../../src/indexing/terms/tokenize.ts'
import { parseQuery } from '../../src/search/query/query-text.ts'

const messages = {
  zh: '我们把下周的预算会议改到星期五下午，地点在三楼会议室。',
  ja: '昨日の打ち合わせで、データベースの移行は来月に延期することになりました。',
  ko: '서버 이전 작업은 다음 주 월요일 새벽에 시작하기로 했습니다.',
  th: 'เราย้ายการประชุมไปวันศุกร์เพราะฝนตกหนักและรถติด',
  de: 'Der Umzug in die neuen Büroräume wurde verschoben, weil die Straße vor den Häusern gesperrt ist.',
  ru: 'Мы перенесли встречу с клиентами на четверг, потому что договоры ещё не подписаны.',
  fr: "L'équipe a déplacé les réunions hebdomadaires; les développeurs préfèrent l'après-midi.",
  ar: 'تم تأجيل الاجتماع في المدرسة إلى يوم الخميس بسبب المطر',
  en: 'The deployment crashed with E_CONN-1042 because getUserName in src/store/db.ts returned null.',
  en2: 'Caroline adopted two kittens and is running marathons to raise money for the shelters.',
  es: 'Las reuniones del proyecto fueron canceladas porque los clientes estaban enfermos.',
} as const

/** Query and the message that must come first; the words differ from the text in inflection, case, accents or width. */
const probes: readonly (readonly [string, keyof typeof messages])[] = [
  ['会议', 'zh'],
  ['预算', 'zh'],
  ['星期五', 'zh'],
  ['楼', 'zh'],
  ['移行', 'ja'],
  ['データベース', 'ja'],
  ['ﾃﾞｰﾀﾍﾞｰｽの延期', 'ja'],
  ['서버', 'ko'],
  ['월요일', 'ko'],
  ['ประชุม', 'th'],
  ['ฝนตก', 'th'],
  ['Umzüge', 'de'],
  ['STRASSE gesperrt', 'de'],
  ['Haus', 'de'],
  ['verschobene Büroraum', 'de'],
  ['встреча', 'ru'],
  ['договор с клиентом', 'ru'],
  ['четверга', 'ru'],
  ['réunion hebdomadaire', 'fr'],
  ['equipe', 'fr'],
  ['développeur préféré', 'fr'],
  ['اجتماع', 'ar'],
  ['المدرسه', 'ar'],
  ['E_CONN-1042', 'en'],
  ['getUserName', 'en'],
  ['user name', 'en'],
  ['db.ts', 'en'],
  ['who has run a marathon', 'en2'],
  ['kitten adoption', 'en2'],
  ['crashes', 'en'],
  ['reunión cancelada', 'es'],
]

const index = Object.entries(messages).map(([id, text]) => ({
  id,
  terms: new Set(tokenize(text).map(({ term }) => term)),
}))

/** Best form of each word of the query, weighted by rarity: the scoring that the index uses, without length and frequency. */
function ranking(query: string): { id: string; score: number }[] {
  const { terms } = parseQuery(query)
  return index
    .map(({ id, terms: indexed }) => {
      const best = new Map<number, number>()
      for (const { term, weight, group } of terms) {
        if (!indexed.has(term)) continue
        const frequency = index.filter((entry) => entry.terms.has(term)).length
        best.set(group, Math.max(best.get(group) ?? 0, weight * Math.log(1 + index.length / frequency)))
      }
      return { id, score: [...best.values()].reduce((sum, value) => sum + value, 0) }
    })
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score)
}

describe('tokenize() and parseQuery() in many languages', () => {
  it.each(probes)('find first for %j the message in %s', (query, expected) => {
    const hits = ranking(query)
    expect(hits.at(0)?.id).toBe(expected)
    expect(hits.at(0)?.score).toBeGreaterThan(hits.at(1)?.score ?? 0)
  })

  // A single kana inside a longer run is a particle and not indexed.
  it.each(Object.entries(messages))('find the message in %s by each of its own words', (id, text) => {
    const segmenter = new Intl.Segmenter(id.slice(0, 2), { granularity: 'word' })
    const words = [...segmenter.segment(text)]
      .filter(({ isWordLike }) => isWordLike === true)
      .map(({ segment }) => segment)
    const missed = words.filter(
      (word) => !/^\p{sc=Hiragana}$/u.test(word) && !ranking(word).some((hit) => hit.id === id),
    )
    expect(missed).toEqual([])
  })
})
