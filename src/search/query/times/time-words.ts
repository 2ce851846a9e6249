import { numberOf, timeBefore, unitOf, type Unit } from './counted-units.ts'
import type { NamedTime } from './query-dates.ts'

/** A time, with the words that name it, and where in the query they stand. */
export interface SpokenTime {
  readonly text: string
  readonly index: number
  readonly time: NamedTime
  /** Of "from Monday to Wednesday" the last day. */
  readonly end?: NamedTime
}

/** A query without some words of it, the others where they stood. */
export function without(query: string, { index, text }: { readonly index: number; readonly text: string }): string {
  return query.slice(0, index) + ' '.repeat(text.length) + query.slice(index + text.length)
}

const word = (pattern: string, flags = 'iu') => new RegExp(`(?<!\\p{L})(?:${pattern})(?!\\p{L})`, flags)

/** What chrono-node does not read of French, Spanish, Portuguese, Italian, Swedish, Japanese and Chinese. They are words of no other language. */
const ago: readonly (readonly [RegExp, Unit, number])[] = [
  [word('ieri'), 'day', 1],
  [word("avant[- ]hier|anteayer|antes de ayer|anteontem|antes de ontem|l['’]altro ieri|i förrgår"), 'day', 2],
  [word('i går'), 'day', 1],
  [/一昨日|おととい/u, 'day', 2],
  [word('semana pasada|semana passada|settimana scorsa|scorsa settimana|förra veckan'), 'week', 1],
  // 马上 is "at once", 早上 "in the morning": the 上 of such words says nothing of what follows.
  [
    /先週(?!の?[月火水木金土日]曜)|(?<![马馬早晚线線网網])上(?:个|個)?(?:周|週|星期|礼拜)(?![一二三四五六日天])/u,
    'week',
    1,
  ],
  [word('mes pasado|mês passado|mese scorso|scorso mese|förra månaden'), 'month', 1],
  [/先月|(?<![马馬早晚线線网網])上(?:个|個)?月/u, 'month', 1],
  [word('año pasado|ano passado|anno scorso|scorso anno|förra året'), 'year', 1],
  [/去年|昨年/u, 'year', 1],
]

/** "Hace dos semanas", "二週間前": how many of what. */
const numbered = [
  /(?<!\p{L})(?:hace|h[áà]|för)\s+(?<count>\d{1,3}|\p{L}+)\s+(?<unit>\p{L}+)(?!\p{L})/iu,
  // 2020年前 is "before 2020", and of 十二年前 the last figure is not the number.
  /(?<![\d一二两三四五六七八九十百千])(?:(?<count>\d{1,3}|[一二两三四五六七八九十])\s*(?:个|個|か|ヶ|ヵ)?(?<unit>日|天|週間?|周|星期|月)|(?<years>\d{1,2}|[一二两三四五六七八九十])\s*年)之?前/u,
]

/** Languages of which chrono-node reads a month with a day before it alone. */
const monthLanguages = ['de', 'fr', 'es', 'pt', 'sv'] as const
/** Also names of people and things, or words of another language. */
const ambiguousMonths = new Set('mars avril mai juin maj juni juli marzo abril mayo junio julio agosto'.split(' '))

/** What makes a month of them: "en mars", "fotos de mayo". English and names have none of these before them. */
const beforeMonth = /(?<!\p{L})(?:de|en|em|im|vom|i)\s+$/iu

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
  monthNames = { months, pattern: word(`(?<name>${names})(?:(?: de)? (?<year>(?:19|20)\\d\\d))?`, 'giu') }
  return monthNames
}

/** A day in figures, without a time of day. The parsers read the end of one and "until" as hours. */
const isoDay =
  /(?<![\p{L}\p{N}.:/#-])(?<year>(?:19|20)\d\d)-(?<month>0[1-9]|1[0-2])-(?<day>0[1-9]|[12]\d|3[01])(?![\p{L}\p{N}:-])/gu

export function daysInFigures(query: string): SpokenTime[] {
  return [...query.matchAll(isoDay)].map(({ 0: text, index, groups }) => {
    const part = (name: string) => Number(groups?.[name])
    return { text, index, time: { year: part('year'), month: part('month'), day: part('day') } }
  })
}

/** A month in figures, and not the number of something, nor years from 2010 to 2012. */
const isoMonth =
  /(?<![\p{L}\p{N}.:/#-]|(?<!\p{L})(?:RFC|CVE|PR|MR|ticket|issue|bug|case|order|invoice|part|number|no\.?|nr\.?|build|version)[\s:#]*)(?<year>(?:19|20)\d\d)-(?<month>0[1-9]|1[0-2])(?![\p{L}\p{N}-]|\s+(?:period|season|term|years?)(?!\p{L}))/giu

/**
 * The times that a query names in words which chrono-node does not read. `languages` are those that it may be in, best first, and only
 * one where that is plain.
 */
export function timesInWords(query: string, languages: readonly string[], now: Date): SpokenTime[] {
  const said = ago.flatMap(([pattern, unit, count]) => {
    const match = pattern.exec(query)
    return match === null ? [] : [{ text: match[0], index: match.index, time: timeBefore(now, unit, count) }]
  })
  const iso = [...query.matchAll(isoMonth)].map(({ 0: text, index, groups }) => ({
    text,
    index,
    time: { year: Number(groups?.['year']), month: Number(groups?.['month']) },
  }))
  return [...said, ...numberedTime(query, now)].slice(0, 1).concat(iso, monthsIn(query, languages))
}

function numberedTime(query: string, now: Date): SpokenTime[] {
  return numbered.flatMap((pattern) => {
    const match = pattern.exec(query)
    const { years, count = years ?? '', unit = '年' } = match?.groups ?? {}
    const number = numberOf(count)
    const known = unitOf(unit)
    if (match === null || number === undefined || known === undefined) return []
    return [{ text: match[0], index: match.index, time: timeBefore(now, known, number) }]
  })
}

function monthsIn(query: string, languages: readonly string[]): SpokenTime[] {
  const { months, pattern } = namesOfMonths()
  return [...query.matchAll(pattern)].flatMap(({ 0: text, index, groups }) => {
    const name = groups?.['name']?.toLowerCase() ?? ''
    const year = groups?.['year']
    const named = months.filter((month) => month.name === name)
    const own = named.find(({ language }) => language === languages[0])
    // In a query that is plainly of another language they are names: Juillet, Oktober.
    const isOfNone = languages.length > 1 && (!ambiguousMonths.has(name) || beforeMonth.test(query.slice(0, index)))
    const month = own ?? (year !== undefined || isOfNone ? named[0] : undefined)
    if (month === undefined) return []
    return [{ text, index, time: { ...(year === undefined ? {} : { year: Number(year) }), month: month.month } }]
  })
}
