import type { NamedTime } from './query-dates.ts'
import type { SpokenTime } from './time-words.ts'

/** From the one and until before the other, in milliseconds since 1970. */
export interface TimeSpan {
  readonly fromMs: number
  readonly toMs: number
}

const week = /week(?!-?end)|wochen?(?!ende)|semaine|semana|settiman|veck|недел|周|週|星期|礼拜/iu
/** "In the last few days", "the past week": they are not over. */
const untilNow =
  /(?<!\p{L})(?:(?:last|past|previous|letzten|vergangenen|derni(?:er|ère)s|últim[oa]s)\s+(?:[\p{L}\p{N}]+\s+){0,3}(?:days|weeks|months|hours?|minutes|tagen?|wochen|monaten?|stunden?|minuten|jours|semaines|mois|heures|d[ií]as|semanas|meses|horas|minutos)|past\s+(?:day|week|month)|(?:last|past)\s+(?:hour|minute))$/iu
/** Words that say how the time after them is meant, in some languages with an article in between. */
const beforeTime = (words: string) =>
  new RegExp(`(?<!\\p{L})(?:${words})(?:\\s+(?:the|dem|der|den|le|la|el))?\\s*$`, 'iu')
const since = beforeTime('since|seit|depuis|desde|sedan|sinds|с')
const after = beforeTime('after|nach|après|después del?')
const until = beforeTime("before|until|till|by|bis(?: zum)?|vor|avant|jusqu['’](?:au?|à)|antes del?|hasta")
/** "Between Monday and Wednesday". */
const between = /(?<!\p{L})(?:between|zwischen|entre)(?!\p{L})/iu
/** Also names, words and shares: "what did June say", "who sat there", "24/7". They are times where a word before them says so: "in June". */
const ambiguous = /^(?:jan|march|april|may|june|august|sat|sun|\d{1,2}\/\d{1,2})$/iu
const beforeDate =
  /(?<!\p{L})(?:in|on|during|throughout|since|of|from|for|over|until|before|after|early|late|mid|last|past|this)[\s-]+$/iu
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

/** From when until when the times are that a query names. */
export function spansOf(query: string, times: readonly SpokenTime[], now: Date): TimeSpan[] {
  const spans = times.flatMap((spoken) => {
    const span = spanOf(spoken, now)
    return span === undefined ? [] : (asMeant(span, { before: upTo(query, spoken.text), said: spoken.text, now }) ?? [])
  })
  const [first, second, ...others] = spans
  if (first === undefined || second === undefined || others.length > 0 || !between.test(query)) return spans
  return [{ fromMs: Math.min(first.fromMs, second.fromMs), toMs: Math.max(first.toMs, second.toMs) }]
}

/** "Last week" is the seven days since the same weekday. Undefined of a year alone. */
function spanOf({ text, time, end }: SpokenTime, now: Date): TimeSpan | undefined {
  if (time.month === undefined) return undefined
  // Of a weekend the parser tells one day.
  const [further] = furtherSpans(text, now).spans
  if (further !== undefined) return further
  const { fromMs, toMs } = boundsOf(time, now)
  if (end !== undefined) return { fromMs, toMs: Math.max(toMs, boundsOf(end, now).toMs) }
  if (time.day === undefined || !week.test(text)) return { fromMs, toMs }
  const from = new Date(fromMs)
  return fromTo(from, daysLater(from, 7))
}

/**
 * What is asked of a time: "since Friday" and "the last two weeks" last until now, "after Friday" begins when it is over. Undefined
 * of "before Friday", which has no beginning.
 */
function asMeant(
  { fromMs, toMs }: TimeSpan,
  { before, said, now }: { readonly before: string; readonly said: string; readonly now: Date },
): TimeSpan | undefined {
  const nowMs = now.getTime() + 1
  if (since.test(before) || untilNow.test((before + said).trimEnd())) return { fromMs, toMs: Math.max(toMs, nowMs) }
  if (after.test(before)) return { fromMs: toMs, toMs: Math.max(toMs, nowMs) }
  return until.test(before) ? undefined : { fromMs, toMs }
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

/** Those that a query names, and what is left of it. */
export function furtherSpans(query: string, now: Date): { readonly spans: readonly TimeSpan[]; readonly rest: string } {
  const today = new Date(now.getFullYear(), now.getMonth(), now.getDate())
  const named = further.flatMap(({ words, daysAgo, days }) => {
    const match = words.exec(query)
    if (match === null) return []
    const { 0: said, index } = match
    const from = daysLater(today, -daysAgo(now.getDay(), said))
    const span = fromTo(from, daysLater(from, days))
    return [{ said, span: asMeant(span, { before: query.slice(0, index), said, now }) }]
  })
  return {
    spans: named.flatMap(({ span }) => span ?? []),
    rest: named.reduce((left, { said }) => left.replace(said, ' '), query),
  }
}
