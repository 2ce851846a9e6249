import type { NamedTime } from './query-dates.ts'

/** A time, with the words that name it. */
export interface SpokenTime {
  readonly text: string
  readonly time: NamedTime
}

type Unit = 'day' | 'week' | 'month' | 'year'

const word = (pattern: string) => new RegExp(`(?<!\\p{L})(?:${pattern})(?!\\p{L})`, 'iu')

/** What chrono-node does not read of Spanish, Portuguese, Italian, Swedish, Japanese and Chinese. They are words of no other language. */
const ago: readonly (readonly [RegExp, Unit, number])[] = [
  [word('ieri'), 'day', 1],
  [word("anteayer|antes de ayer|anteontem|antes de ontem|l['’]altro ieri|i förrgår"), 'day', 2],
  [word('i går'), 'day', 1],
  [/一昨日|おととい/u, 'day', 2],
  [word('semana pasada|semana passada|settimana scorsa|scorsa settimana|förra veckan'), 'week', 1],
  [/先週(?!の?[月火水木金土日]曜)|上(?:个|個)?(?:周|週|星期|礼拜)(?![一二三四五六日天])/u, 'week', 1],
  [word('mes pasado|mês passado|mese scorso|scorso mese|förra månaden'), 'month', 1],
  [/先月|上(?:个|個)?月/u, 'month', 1],
  [word('año pasado|ano passado|anno scorso|scorso anno|förra året'), 'year', 1],
  [/去年|昨年/u, 'year', 1],
]

/** "Hace dos semanas", "二週間前": how many of what. */
const numbered = [
  /(?<!\p{L})(?:hace|h[áà]|för)\s+(?<count>\d{1,3}|\p{L}+)\s+(?<unit>\p{L}+)(?!\p{L})/iu,
  /(?<count>\d{1,3}|[一二两三四五六七八九十])\s*(?:个|個|か|ヶ|ヵ)?(?<unit>日|天|週間?|周|星期|月|年)之?前/u,
]
const numbers: readonly (readonly [RegExp, number])[] = [
  [/^(?:una?|uma?|en|ett|一)$/iu, 1],
  [/^(?:dos|dois|duas|två|二|两)$/iu, 2],
  [/^(?:tres|três|tre|三)$/iu, 3],
  [/^(?:cuatro|quatro|fyra|四)$/iu, 4],
  [/^(?:cinco|fem|五)$/iu, 5],
  [/^(?:seis|sex|六)$/iu, 6],
]
const units: readonly (readonly [RegExp, Unit])[] = [
  [/^(?:d[ií]as?|dag(?:ar)?|日|天)$/iu, 'day'],
  [/^(?:semanas?|vecka|veckor|週間?|周|星期)$/iu, 'week'],
  [/^(?:mes(?:es)?|mês|månad(?:er)?|月)$/iu, 'month'],
  [/^(?:años?|anos?|år|年)$/iu, 'year'],
]

/** Languages of which chrono-node reads a month with a day before it alone. */
const monthLanguages = ['de', 'fr', 'es', 'pt', 'sv'] as const
/** Also a planet, a name, or a word of another language: they count in a text of their own language. */
const ambiguousMonths = new Set(['mars', 'mai', 'maj', 'abril'])

interface Month {
  readonly language: string
  readonly month: number
  readonly name: string
}

let monthNames: { readonly months: readonly Month[]; readonly pattern: RegExp } | undefined

/** Names of months, with their number and a language that has them. Asking the platform for them takes 8 ms: not at the start. */
function namesOfMonths(): NonNullable<typeof monthNames> {
  if (monthNames !== undefined) return monthNames
  const months = monthLanguages.flatMap((language) => {
    const format = new Intl.DateTimeFormat(language, { month: 'long', timeZone: 'UTC' })
    return Array.from({ length: 12 }, (_, month) => ({
      language,
      month: month + 1,
      name: format.format(Date.UTC(2000, month, 1)).toLowerCase(),
    }))
  })
  const names = [...new Set(months.map(({ name }) => name))].join('|')
  monthNames = { months, pattern: word(`(?<name>${names})(?:(?: de)? (?<year>(?:19|20)\\d\\d))?`) }
  return monthNames
}

const isoMonth = /(?<![\p{L}\p{N}.:/-])((?:19|20)\d\d)-(0[1-9]|1[0-2])(?![\p{L}\p{N}-])/u

/** The times that a query names in words which chrono-node does not read. */
export function timesInWords(query: string, language: string, now: Date): SpokenTime[] {
  const said = ago.flatMap(([pattern, unit, count]) => {
    const text = pattern.exec(query)?.[0]
    return text === undefined ? [] : [{ text, time: before(now, unit, count) }]
  })
  const [text, year, month] = isoMonth.exec(query) ?? []
  const iso = text === undefined ? [] : [{ text, time: { year: Number(year), month: Number(month) } }]
  return [...said, ...numberedTime(query, now)].slice(0, 1).concat(iso, monthIn(query, language))
}

function numberedTime(query: string, now: Date): SpokenTime[] {
  return numbered.flatMap((pattern) => {
    const match = pattern.exec(query)
    const [count, unit] = [match?.groups?.['count'] ?? '', match?.groups?.['unit'] ?? '']
    const number = /^\d/.test(count) ? Number(count) : numbers.find(([name]) => name.test(count))?.[1]
    const known = units.find(([name]) => name.test(unit))?.[1]
    if (match === null || number === undefined || known === undefined) return []
    return [{ text: match[0], time: before(now, known, number) }]
  })
}

function monthIn(query: string, language: string): SpokenTime[] {
  const { months, pattern } = namesOfMonths()
  const match = pattern.exec(query)
  const name = match?.groups?.['name']?.toLowerCase()
  if (match === null || name === undefined) return []
  const named = months.filter((month) => month.name === name)
  const own = named.find((month) => month.language === language)
  const month = own ?? (ambiguousMonths.has(name) ? undefined : named[0])
  if (month === undefined) return []
  const year = match.groups?.['year']
  return [{ text: match[0], time: { ...(year === undefined ? {} : { year: Number(year) }), month: month.month } }]
}

/** So long before now; of months and years the whole. */
function before(now: Date, unit: Unit, count: number): NamedTime {
  const at = new Date(now)
  if (unit === 'year') return { year: at.getFullYear() - count }
  if (unit === 'month') at.setMonth(at.getMonth() - count, 1)
  else at.setDate(at.getDate() - count * (unit === 'week' ? 7 : 1))
  const month = { year: at.getFullYear(), month: at.getMonth() + 1 }
  return unit === 'month' ? month : { ...month, day: at.getDate() }
}
