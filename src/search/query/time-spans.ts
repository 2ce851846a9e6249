import type { NamedTime } from './query-dates.ts'
import type { SpokenTime } from './time-words.ts'

/** From the one and until before the other, in milliseconds since 1970. */
export interface TimeSpan {
  readonly fromMs: number
  readonly toMs: number
}

const dayMs = 86_400_000
const week = /week(?!-?end)|wochen?(?!ende)|semaine|semana|settiman|veck|недел|周|週|星期|礼拜/iu
/** "In the last few days": they are not over. */
const untilNow =
  /(?<!\p{L})(?:last|past|previous|letzten|vergangenen|derni(?:er|ère)s|últim[oa]s)\s+(?:(?:few|couple(?:\s+of)?|several|some|paar|\d{1,2}|two|three|four|five|six|seven|ten|zwei|drei|vier|deux|trois|quatre|dos|tres|cuatro)\s+)?(?:days|weeks|months|tagen?|wochen|monaten?|jours|semaines|mois|d[ií]as|semanas|meses)$/iu
const since = /(?<!\p{L})(?:since|seit|depuis|desde|sedan|sinds|с)\s*$/iu

/** From when until when a time is; of a month without its year the one that was last begun. */
export function boundsOf(named: NamedTime, now: Date): TimeSpan {
  const { month, day } = named
  const year = named.year ?? lastYearOf(month ?? 1, now)
  if (month === undefined) return { fromMs: Date.UTC(year, 0, 1), toMs: Date.UTC(year + 1, 0, 1) }
  const fromMs = Date.UTC(year, month - 1, day ?? 1)
  return { fromMs, toMs: day === undefined ? Date.UTC(year, month, 1) : fromMs + dayMs }
}

/** The year in which a month was last begun. */
export function lastYearOf(month: number, now: Date): number {
  return month <= now.getUTCMonth() + 1 ? now.getUTCFullYear() : now.getUTCFullYear() - 1
}

/**
 * What a query means by a time that it names: "last week" is the seven days since the same weekday, "since Friday" and "the last two
 * weeks" last until now. `before`: the query up to it. Undefined of a year alone.
 */
export function spanOf(
  { text, time }: SpokenTime,
  { before, now }: { readonly before: string; readonly now: Date },
): TimeSpan | undefined {
  if (time.month === undefined) return undefined
  const { fromMs, toMs } = boundsOf(time, now)
  if (since.test(before) || untilNow.test(before + text)) return { fromMs, toMs: Math.max(toMs, now.getTime() + 1) }
  return week.test(text) && time.day !== undefined ? { fromMs, toMs: fromMs + 7 * dayMs } : { fromMs, toMs }
}

/** Times that are no date of the calendar, by how many days before today they began, and for how long they are. */
const further: readonly {
  readonly words: RegExp
  readonly daysAgo: (weekday: number) => number
  readonly days: number
}[] = [
  {
    words:
      /(?<!\p{L})(?:this week(?!-?end)|diese[rn]? woche(?!nende)|cette semaine|esta semana|questa settimana|deze week|den här veckan|на этой неделе)(?!\p{L})|[这這本今]个?[周週]/iu,
    daysAgo: (weekday) => (weekday + 6) % 7,
    days: 7,
  },
  {
    words:
      /(?<!\p{L})(?:(?:over|at|on|during|this|last|past|the)\s+)*week-?end(?!\p{L})|(?<!\p{L})(?:am|übers|letztes|dieses|vergangenes)\s+wochenende(?!\p{L})/iu,
    daysAgo: (weekday) => (weekday + 1) % 7,
    days: 2,
  },
  {
    words: /(?<!\p{L})(?:this (?:morning|afternoon|evening)|tonight|earlier today)(?!\p{L})/iu,
    daysAgo: () => 0,
    days: 1,
  },
]

/** Those that a query names, and what is left of it. */
export function furtherSpans(query: string, now: Date): { readonly spans: readonly TimeSpan[]; readonly rest: string } {
  const today = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate())
  const named = further.filter(({ words }) => words.test(query))
  return {
    spans: named.map(({ daysAgo, days }) => {
      const fromMs = today - daysAgo(now.getUTCDay()) * dayMs
      return { fromMs, toMs: fromMs + days * dayMs }
    }),
    rest: named.reduce((left, { words }) => left.replace(words, ' '), query),
  }
}
