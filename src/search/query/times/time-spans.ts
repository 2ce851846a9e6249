import { boundsOf, fromTo } from './calendar-bounds.ts'
import { endAfter, withYears } from './shared-years.ts'
import { boundsMeant, spansWithin, type Bounds, type TimeSpan } from './time-bounds.ts'
import type { SpokenTime } from './time-words.ts'

const week = /week(?!-?end)|wochen?(?!ende)|semaine|semana|settiman|veck|недел|周|週|星期|礼拜/iu
/** "Between Monday and Wednesday". */
const between = /(?<!\p{L})(?:between|zwischen|entre)(?!\p{L})/iu
/** "From 2023 to 2025": what stands before the one and before the other. */
const from = /(?<!\p{L})from\s+(?:the\s+)?$/iu
const to = /^\s*to\s+(?:the\s+)?$/iu
/** Also names, words and shares: "what did June say", "who sat there", "24/7". They are times where a word before them says so: "in June". */
const ambiguous = /^(?:jan|march|april|may|june|august|sat|sun|\d{1,2}\/\d{1,2})$/iu
const beforeDate =
  /(?<!\p{L})(?:in|on|during|throughout|since|of|from|for|over|between|than|until|till|before|after|early|late|mid|last|past|this)[\s-]+$/iu
/** A year in figures is one where they say so: "in 2025". */
const beforeYear =
  /(?<!\p{L})(?:in|during|throughout|since|from|until|before|after|year|between|and|to|im jahre?|seit|zwischen|und|bis|en|depuis|entre|et|desde|em|y|e|nel|dal)[\s-]+$/iu
const betweenTimes = /\s*(?:,|(?<!\p{L})(?:and|or|to|und|et|y))\s+$/iu

/** Those of what may be times that are no names or other words there: "in March", and March of "January and March". */
export function surelyTimes(query: string, times: readonly SpokenTime[]): SpokenTime[] {
  const sure: SpokenTime[] = []
  for (const spoken of times) {
    const before = query.slice(0, spoken.index)
    const follows = betweenTimes.test(before) ? before.replace(betweenTimes, '') : undefined
    const isSure =
      !ambiguous.test(spoken.text.trim()) ||
      beforeDate.test(before) ||
      sure.some(({ text }) => follows?.endsWith(text) === true)
    if (isSure) sure.push(spoken)
  }
  return sure
}

/** From when until when the times are that a query names, with those that are no date of the calendar. */
export function spansOf(
  query: string,
  times: readonly SpokenTime[],
  { further, now }: { readonly further: readonly Bounds[]; readonly now: Date },
): TimeSpan[] {
  const ordered = withYears(query, times, now)
  const bounds = ordered.flatMap((spoken) => {
    const { text: said, index, time, end } = spoken
    const before = query.slice(0, index)
    const span = spanOf(spoken, { before, now })
    if (span === undefined) return []
    const firstEndsMs = end === undefined ? {} : { firstEndsMs: boundsOf(time, now).toMs }
    return [boundsMeant(span, { before, said, ...firstEndsMs })]
  })
  const spans = spansWithin([...bounds, ...further], now)
  const [first, second, ...others] = spans
  if (
    first === undefined ||
    second === undefined ||
    others.length > 0 ||
    !(between.test(query) || isFromTo(query, ordered))
  )
    return spans
  return [{ fromMs: Math.min(first.fromMs, second.fromMs), toMs: Math.max(first.toMs, second.toMs) }]
}

function isFromTo(query: string, [first, second]: readonly SpokenTime[]): boolean {
  if (first === undefined || second === undefined) return false
  return from.test(query.slice(0, first.index)) && to.test(query.slice(first.index + first.text.length, second.index))
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
  if (end !== undefined) {
    const last = boundsOf(endAfter(end, { fromMs, toMs }), now)
    // Of weekdays each is the last one: from Monday to Friday, on a Wednesday, is from Monday on.
    return { fromMs, toMs: last.toMs > fromMs ? Math.max(toMs, last.toMs) : Math.max(toMs, now.getTime() + 1) }
  }
  if (time.day === undefined || !week.test(text)) return { fromMs, toMs }
  const from = new Date(fromMs)
  return fromTo(from, daysLater(from, 7))
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
