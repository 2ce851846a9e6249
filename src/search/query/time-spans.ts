import type { NamedTime } from './query-dates.ts'
import { boundsMeant, spansWithin, type Bounds, type TimeSpan } from './time-bounds.ts'
import type { SpokenTime } from './time-words.ts'

const week = /week(?!-?end)|wochen?(?!ende)|semaine|semana|settiman|veck|недел|周|週|星期|礼拜/iu
/** "Between Monday and Wednesday", "from 2023 to 2025". */
const between = /(?<!\p{L})(?:between|zwischen|entre|from\s[^,]+?\sto)(?!\p{L})/iu
/** Also names, words and shares: "what did June say", "who sat there", "24/7". They are times where a word before them says so: "in June". */
const ambiguous = /^(?:jan|march|april|may|june|august|sat|sun|\d{1,2}\/\d{1,2})$/iu
const beforeDate =
  /(?<!\p{L})(?:in|on|during|throughout|since|of|from|for|over|until|before|after|early|late|mid|last|past|this)[\s-]+$/iu
/** A year in figures is one where they say so: "in 2025". */
const beforeYear =
  /(?<!\p{L})(?:in|during|throughout|since|from|until|before|after|year|between|and|to|im jahre?|seit|zwischen|und|bis|en|depuis|entre|et|desde|em|y|e|nel|dal)[\s-]+$/iu
const betweenTimes = /\s*(?:,|(?<!\p{L})(?:and|or|to|und|et|y))\s+$/iu

/** From when until when a time is, in the calendar of where this runs; of what names no year the one in which it last began. */
export function boundsOf(named: NamedTime, now: Date): TimeSpan {
  const { month, day, year = lastYearOf(named, now) } = named
  if (month === undefined) return fromTo(new Date(year, 0), new Date(year + 1, 0))
  const next = day === undefined ? new Date(year, month) : new Date(year, month - 1, day + 1)
  return fromTo(new Date(year, month - 1, day ?? 1), next)
}

/** The year in which a month, or a day of it, last began. */
export function lastYearOf({ month = 1, day = 1 }: NamedTime, now: Date): number {
  const year = now.getFullYear()
  return new Date(year, month - 1, day) <= now ? year : year - 1
}

/** Those of what may be times that are no names or other words there: "in March", and March of "January and March". */
export function surelyTimes(query: string, times: readonly SpokenTime[]): SpokenTime[] {
  const sure: SpokenTime[] = []
  for (const spoken of times) {
    const before = upTo(query, spoken.text)
    const follows = betweenTimes.test(before) ? before.replace(betweenTimes, '') : undefined
    const isSure =
      !ambiguous.test(spoken.text.trim()) ||
      beforeDate.test(before) ||
      sure.some(({ text }) => follows?.endsWith(text) === true)
    if (isSure) sure.push(spoken)
  }
  return sure
}

/** What a query says before a text of it. */
export function upTo(query: string, text: string): string {
  return query.slice(0, Math.max(0, query.indexOf(text)))
}

/** From when until when the times are that a query names, with those that are no date of the calendar. */
export function spansOf(
  query: string,
  times: readonly SpokenTime[],
  { further, now }: { readonly further: readonly Bounds[]; readonly now: Date },
): TimeSpan[] {
  const bounds = withYears(query, times).flatMap((spoken) => {
    const { text: said, time, end } = spoken
    const before = upTo(query, said)
    const span = spanOf(spoken, { before, now })
    if (span === undefined) return []
    const firstEndsMs = end === undefined ? {} : { firstEndsMs: boundsOf(time, now).toMs }
    return [boundsMeant(span, { before, said, ...firstEndsMs })]
  })
  const spans = spansWithin([...bounds, ...further], now)
  const [first, second, ...others] = spans
  if (first === undefined || second === undefined || others.length > 0 || !between.test(query)) return spans
  return [{ fromMs: Math.min(first.fromMs, second.fromMs), toMs: Math.max(first.toMs, second.toMs) }]
}

/** In the order of the query. Of "3 March and 10 March 2025" both are of 2025. */
function withYears(query: string, times: readonly SpokenTime[]): SpokenTime[] {
  let next: NamedTime | undefined
  const ordered = times.toSorted((a, b) => query.indexOf(a.text) - query.indexOf(b.text))
  return ordered
    .toReversed()
    .map((spoken) => {
      const { text, time, end } = spoken
      const year = next?.year
      const isLater = dayOfYear(time) > dayOfYear(next ?? time)
      const dated = time.year === undefined && year !== undefined ? { ...time, year: isLater ? year - 1 : year } : time
      next = /\d{4}/u.test(text) || time.year === undefined ? dated : undefined
      return { text, time: dated, ...(end === undefined ? {} : { end }) }
    })
    .toReversed()
}

/** A number that is higher for a later day of a year. */
function dayOfYear({ month = 1, day = 1 }: NamedTime): number {
  return month * 31 + day
}

/** "Last week" is the seven days since the same weekday. Undefined of a year that may be another number. */
function spanOf(
  { text, time, end }: SpokenTime,
  { before, now }: { readonly before: string; readonly now: Date },
): TimeSpan | undefined {
  if (time.month === undefined && !beforeYear.test(before) && /^\d+$/u.test(text)) return undefined
  // Of a weekend the parser tells one day.
  const [named] = furtherIn(text, now)
  if (named !== undefined) return named.span
  const { fromMs, toMs } = boundsOf(time, now)
  if (end !== undefined) return { fromMs, toMs: Math.max(toMs, boundsOf(end, now).toMs) }
  if (time.day === undefined || !week.test(text)) return { fromMs, toMs }
  const from = new Date(fromMs)
  return fromTo(from, daysLater(from, 7))
}

function fromTo(from: Date, to: Date): TimeSpan {
  return { fromMs: from.getTime(), toMs: to.getTime() }
}

/** The beginning of the day so many days later, also where a day has 23 hours, or begins at one as clocks are put forward at midnight. */
function daysLater(from: Date, days: number): Date {
  return new Date(from.getFullYear(), from.getMonth(), from.getDate() + days)
}

/** Times that are no date of the calendar, by how many days before today they began, and for how long they are. */
const further: readonly {
  readonly words: RegExp
  readonly daysAgo: (weekday: number, said: string) => number
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
    // On a Saturday the last weekend is not the one that has just begun.
    daysAgo: (weekday, said) =>
      ((weekday + 1) % 7) + ((weekday + 1) % 7 < 2 && /last|past|letztes|vergangenes/iu.test(said) ? 7 : 0),
    days: 2,
  },
  {
    words: /(?<!\p{L})(?:this (?:morning|afternoon|evening)|tonight|earlier today)(?!\p{L})/iu,
    daysAgo: () => 0,
    days: 1,
  },
]

/** Those that a query names, as they are meant, and what is left of it. */
export function furtherTimes(query: string, now: Date): { readonly bounds: readonly Bounds[]; readonly rest: string } {
  const named = furtherIn(query, now)
  return {
    bounds: named.map(({ said, index, span }) => boundsMeant(span, { before: query.slice(0, index), said })),
    rest: named.reduce((left, { said }) => left.replace(said, ' '), query),
  }
}

function furtherIn(
  query: string,
  now: Date,
): { readonly said: string; readonly index: number; readonly span: TimeSpan }[] {
  const today = new Date(now.getFullYear(), now.getMonth(), now.getDate())
  return further.flatMap(({ words, daysAgo, days }) => {
    const match = words.exec(query)
    if (match === null) return []
    const { 0: said, index } = match
    const from = daysLater(today, -daysAgo(now.getDay(), said))
    return [{ said, index, span: fromTo(from, daysLater(from, days)) }]
  })
}
