import { plausibleLanguages } from '../../../indexing/terms/language.ts'
import { boundsOf, lastYearOf } from './calendar-bounds.ts'
import { recentTimes } from './recent-times.ts'
import type { TimeSpan } from './time-bounds.ts'
import { furtherTimes, spansOf, surelyTimes } from './time-spans.ts'
import { daysInFigures, timesInWords, without, type SpokenTime } from './time-words.ts'

/**
 * A time that a query names. Absent parts are open: May without a year is May of every year. Parts are those of the
 * calendar of where this runs, as whoever asks says "yesterday"; `month` counts from 1.
 */
export interface NamedTime {
  readonly year?: number
  readonly month?: number
  readonly day?: number
}

type Component = 'year' | 'month' | 'day'

interface Components {
  isCertain(component: Component | 'weekday'): boolean
  get(component: Component): number | null
  date(): Date
}

interface Parsed {
  readonly text: string
  readonly index: number
  readonly start: Components
  readonly end?: Components | null
}

type Parse = (text: string, reference: Date) => readonly Parsed[]

/** What a text must hold so that it may name a time: a digit, or a letter sequence that such words begin with. */
const mayNameTime =
  /\p{N}|(?<!\p{L})(?:jan|feb|mar|mär|apr|abr|may|mai|jun|juin|jul|juil|aug|ago|aoû|sep|oct|okt|out|nov|dec|dez|déc|dic|yester|today|last|next|this|past|mon|tue|wed|thu|fri|sat|sun|gestern|heute|letzt|vorig|diese|diens|mittw|donn|freit|sams|sonn|lund|mard|mercr|jeud|vendr|samed|diman|hier|derni|lun|miér|juev|viern|sáb|dom|ayer|hoy|pasad|вчера|сегодня|прошл|янв|фев|март|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек)|昨|今|先|上|去|月|日/iu
/** A query of two or three words seldom tells its language, but these words do. "Hier" is German as well as French. */
const timeWords: readonly (readonly [string, RegExp])[] = [
  ['de', /(?<!\p{L})(?:(?:vor)?gestern|heute|letzte[nmrs]?|vor \p{L}+ (?:tag|woche|monat|jahr)\p{L}*)(?!\p{L})/iu],
  ['fr', /(?<!\p{L})(?:avant-hier|aujourd['’]hui|derni(?:er|ère)|il y a)(?!\p{L})/iu],
  ['es', /(?<!\p{L})(?:ayer|hoy)(?!\p{L})/iu],
  ['it', /(?<!\p{L})(?:oggi|(?:giorni|settiman[ae]|mesi|anni) fa)(?!\p{L})/iu],
  ['pt', /(?<!\p{L})(?:ontem|hoje)(?!\p{L})/iu],
  ['nl', /(?<!\p{L})(?:gisteren|vandaag|vorige|geleden)(?!\p{L})/iu],
  ['sv', /(?<!\p{L})(?:igår|idag)(?!\p{L})/iu],
  ['ru', /(?<!\p{L})(?:недел|дн[яе]й|месяц|год|лет)\p{L}* назад/iu],
]
const yearAlone = /(?<![\p{L}\p{N}.:/-])((?:19|20)\d\d)(?![\p{L}\p{N}/-]|\.\d)/gu
const mostRecent = /(?<!\p{L})(?:last|this|past|letzte\p{L}*|vorige\p{L}*|derni\p{L}*|pasad\p{L}|прошл\p{L}+)\s*$/iu
/** Of it the parsers read "hier", "ayer" and "ontem", yesterday. */
const dayBeforeYesterday = /avant[- ]hier|antes de (?:ayer|ontem)/giu
const timesMax = 4
/** A longer query is a text that is looked for, not a question of a time. */
const readCharacters = 500
const dayMs = 86_400_000

/** What a query says of times. */
export interface QueryTimes {
  readonly times: readonly NamedTime[]
  /** From when until when they are, and others that are no date of the calendar, as "this week": none of a year in figures that may be another number. */
  readonly spans: readonly TimeSpan[]
  /** The query without the words that name them; a month or day that may be a name or another word is left there. */
  readonly rest: string
}

/**
 * The times that a query names, relative ones ("yesterday", "last March") counted from `now`, and what else it says. Most name
 * none, and then nothing is loaded. A bare hour names no day and is left out.
 */
export async function readQueryTimes(asked: string, now: Date): Promise<QueryTimes> {
  const start = asked.slice(0, readCharacters)
  const languages = plausibleLanguages(start)
  const { bounds: recent, rest: query } = recentTimes(start, now)
  const language = languages[0] ?? 'en'
  const isRecent = ({ text, index }: Pick<SpokenTime, 'text' | 'index'>) =>
    mostRecent.test(query.slice(0, index)) || mostRecent.test(firstWord(text))
  const found: SpokenTime[] = daysInFigures(query)
  const left = found.reduce(without, query)
  for (const spoken of languagesOf(query, language)) {
    const parse = await parserOf(spoken)
    // Of as many characters: what stands after it is told by its place.
    for (const { text, index, start, end } of parsed(parse, left.replaceAll(dayBeforeYesterday, blank), now)) {
      const context = { isRecent: isRecent({ text, index }), now }
      const time = namedTime(start, context)
      const last = end === null || end === undefined ? undefined : namedTime(end, context)
      if (time !== undefined) found.push({ text, index, time, ...(last === undefined ? {} : { end: last }) })
    }
  }
  // Of what the parsers have read nothing is read again.
  const unread = found.reduce(without, query)
  for (const { text, index, time } of timesInWords(unread, languages, now)) {
    const year =
      time.year === undefined && time.month !== undefined && isRecent({ text, index })
        ? lastYearOf(time, now)
        : undefined
    found.push({ text, index, time: year === undefined ? time : { ...time, year } })
  }
  const sure = surelyTimes(query, found)
  const rest = sure.reduce(without, query)
  const years = [...rest.matchAll(yearAlone)].map(({ 0: text, index }) => ({
    text,
    index,
    time: { year: Number(text) },
  }))
  const times = new Map([...found, ...years].map(({ time }) => [JSON.stringify(time), time]))
  const further = furtherTimes(rest.replaceAll(yearAlone, ' '), now)
  const spans = spansOf(query, [...sure, ...years], { further: [...recent, ...further.bounds], now })
  return {
    times: [...times.values()].slice(0, timesMax),
    spans: spans.slice(0, timesMax),
    rest: further.rest + asked.slice(readCharacters),
  }
}

/** The shortest month has them all. */
const daysOfAnyMonth = 28
const months =
  /(?<!\p{L})(?:months?|monate?n?|mois|mes(?:es)?|mês|mesi|mese|maand(?:en)?|månad(?:er)?|месяц\p{L}*)(?!\p{L})/iu

/** The parsers count months back by their number: the 31st a month ago is a day of this one where the last is shorter. */
function parsed(parse: Parse, text: string, now: Date): readonly Parsed[] {
  const found = parse(text, now)
  if (now.getDate() <= daysOfAnyMonth || !months.test(text)) return found
  const early = new Date(now)
  early.setDate(daysOfAnyMonth)
  const again = parse(text, early)
  return found.map((time) =>
    months.test(time.text) ? (again.find(({ index }) => index === time.index) ?? time) : time,
  )
}

/** In which languages a query may name a time: the one that it is in, and those of which it holds a word for one. */
function languagesOf(query: string, language: string): string[] {
  const spoken = timeWords.filter(([, words]) => words.test(query)).map(([name]) => name)
  return [...new Set([...(mayNameTime.test(query) ? [language] : []), ...spoken])]
}

/** One language at a time: all of them take half a second to load. */
async function parserOf(language: string): Promise<Parse> {
  switch (language) {
    case 'de':
      return (await import('chrono-node/de')).parse
    case 'fr':
      return (await import('chrono-node/fr')).parse
    case 'es':
      return (await import('chrono-node/es')).parse
    case 'it':
      return (await import('chrono-node/it')).parse
    case 'pt':
      return (await import('chrono-node/pt')).parse
    case 'nl':
      return (await import('chrono-node/nl')).parse
    case 'sv':
      return (await import('chrono-node/sv')).parse
    case 'ru':
      return (await import('chrono-node/ru')).parse
    case 'zh':
    case 'ja': {
      // Han characters alone do not tell Chinese from Japanese, and the months of both are read as Chinese ones.
      const [zh, ja] = await Promise.all([import('chrono-node/zh'), import('chrono-node/ja')])
      return (text, now) => [...zh.parse(text, now), ...ja.parse(text, now)]
    }
    default:
      return (await import('chrono-node/en')).parse
  }
}

function namedTime(
  start: Components,
  context: { readonly isRecent: boolean; readonly now: Date },
): NamedTime | undefined {
  if (start.isCertain('weekday') && !start.isCertain('day')) return weekday(start.date(), context.now)
  const part = (name: Component) => (start.isCertain(name) ? (start.get(name) ?? undefined) : undefined)
  const [year, month, day] = [part('year'), part('month'), part('day')]
  if (year === undefined && month === undefined) return undefined
  const date = { ...(month === undefined ? {} : { month }), ...(day === undefined ? {} : { day }) }
  if (year !== undefined) return { year, ...date }
  return context.isRecent ? { year: lastYearOf(date, context.now), ...date } : date
}

/** "On Monday" in a question about the past is the last one. */
function weekday(named: Date, now: Date): NamedTime {
  const at = new Date(named > now ? named.getTime() - 7 * dayMs : named)
  return { year: at.getFullYear(), month: at.getMonth() + 1, day: at.getDate() }
}

function blank(text: string): string {
  return ' '.repeat(text.length)
}

function firstWord(text: string): string {
  return text.split(/\s/u, 1)[0] ?? ''
}

/** People tell of a thing for some days after it happened, and sometimes announce it. */
const toldForDays = 10
const announcedDays = 7
/** A year that stands alone says little. */
const yearFit = 0.3

/**
 * How well a message's time fits a time that was named: 1 within it, falling to 0 over the ten days after it, half in the
 * week before a day; 0.3 in a year that stands alone, which says little.
 */
export function timeFit(named: NamedTime, timestampMs: number): number {
  const at = new Date(timestampMs)
  const year = named.year ?? at.getFullYear()
  if (named.month === undefined) return at.getFullYear() === year ? yearFit : 0
  const { fromMs: from, toMs: to } = boundsOf({ ...named, year }, at)
  if (timestampMs >= from && timestampMs < to) return 1
  if (timestampMs >= to) return Math.max(0, 1 - (timestampMs - to) / (toldForDays * dayMs))
  return named.day !== undefined && timestampMs > from - announcedDays * dayMs ? 0.5 : 0
}

/** The same of a span: 1 within it, 0.3 within a year or more. */
export function spanFit({ fromMs, toMs }: TimeSpan, timestampMs: number): number {
  if (timestampMs < fromMs || timestampMs >= toMs) return 0
  return toMs - fromMs < 365 * dayMs ? 1 : yearFit
}
