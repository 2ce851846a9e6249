import { boundsOf } from './calendar-bounds.ts'
import type { NamedTime } from './query-dates.ts'
import type { TimeSpan } from './time-bounds.ts'
import type { SpokenTime } from './time-words.ts'

/** What stands between two times that are said together: "3 March and before 10 March 2025". */
const joined =
  /^[\s,–-]*(?:(?:and|or|to|until|till|before|earlier than|no later than|not after|on|und|bis|vor|dem|den|am|et|avant|au|à|le|y|antes del?|hasta|al?|el|e|até|the)(?!\p{L})[\s,]*)+$/iu
/** A year of its own that is of the day before it: "3 March in 2025". */
const ofYear = /^\s*,?\s*(?:(?:in|of|im|en|de|del|em|nel)\s+)?$/iu
/** That what follows is an end, and not one of several times. */
const toEnd =
  /(?<!\p{L})(?:to|until|till|before|earlier than|no later than|not after|bis|vor|avant|au|à|antes|hasta|al?|até)(?!\p{L})/iu
const betweenBegun = /(?<!\p{L})(?:between|zwischen|entre|tussen|tra|fra)\s+(?:(?:the|dem|le|el|il)\s+)?$/iu

/**
 * The times of a query in its order, with years that they have from each other: of "3 March and 10 March 2025" both are of 2025, and an end
 * without a year is the first such day from the beginning on.
 */
export function withYears(query: string, times: readonly SpokenTime[], now: Date): SpokenTime[] {
  const ordered = times
    .toSorted((a, b) => a.index - b.index)
    // Of "from 3 March to 10 March 2025" the parser tells the year of the end alone.
    .map((spoken) => (spoken.end?.year === undefined ? spoken : inYear(spoken, spoken.end)))
  const between = (at: number) => {
    const [first, second] = [ordered[at], ordered[at + 1]]
    return first === undefined || second === undefined ? '' : query.slice(first.index + first.text.length, second.index)
  }
  const spent = new Set<number>()
  for (let at = ordered.length - 2; at >= 0; at--) {
    const [spoken, next] = [ordered[at], ordered[at + 1]]
    if (spoken === undefined || next?.time.year === undefined || spoken.time.month === undefined) continue
    // What a word told, as "yesterday", tells no year of another.
    if (!/\d{4}/u.test(next.text) && !/\d{4}/u.test(ordered[at + 2]?.text ?? '')) continue
    const isYear = next.time.month === undefined
    if (!(isYear ? ofYear : joined).test(between(at))) continue
    if (isYear) spent.add(at + 1)
    ordered[at] = inYear(spoken, next.time)
  }
  for (const [at, spoken] of ordered.entries()) {
    const first = ordered[at - 1]
    const words = between(at - 1)
    const isEnd =
      first !== undefined && joined.test(words) && (toEnd.test(words) || betweenBegun.test(query.slice(0, first.index)))
    if (isEnd) ordered[at] = { ...spoken, time: endAfter(spoken.time, boundsOf(first.time, now)) }
  }
  return ordered.filter((_, at) => !spent.has(at))
}

/** A day or month without a year, in the year in which it first comes from the beginning of a span on. */
export function endAfter(time: NamedTime, { fromMs }: TimeSpan): NamedTime {
  if (time.year !== undefined || time.month === undefined) return time
  const from = new Date(fromMs)
  const same = { ...time, year: from.getFullYear() }
  return boundsOf(same, from).toMs > fromMs ? same : { ...time, year: from.getFullYear() + 1 }
}

/** Of the year of what follows it, or of the one before where it is later in the year. */
function inYear(spoken: SpokenTime, next: NamedTime): SpokenTime {
  const dated = (time: NamedTime): NamedTime => {
    if (time.year !== undefined || next.year === undefined) return time
    const isLater = next.month !== undefined && dayOfYear(time) > dayOfYear(next)
    return { ...time, year: isLater ? next.year - 1 : next.year }
  }
  const { time, end } = spoken
  return { ...spoken, time: dated(time), ...(end === undefined ? {} : { end: dated(end) }) }
}

/** A number that is higher for a later day of a year. */
function dayOfYear({ month = 1, day = 1 }: NamedTime): number {
  return month * 31 + day
}
