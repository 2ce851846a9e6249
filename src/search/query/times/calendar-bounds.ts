import type { NamedTime } from './query-dates.ts'
import type { TimeSpan } from './time-bounds.ts'

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

export function fromTo(from: Date, to: Date): TimeSpan {
  return { fromMs: from.getTime(), toMs: to.getTime() }
}
