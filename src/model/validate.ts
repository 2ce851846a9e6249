import { z } from 'zod'

import { InputError, LimitError } from '../errors.ts'

/**
 * Refuses what the store could not give back unchanged in a name or an id: lone surrogates and NUL.
 * Content has no such limits; it is kept as bytes.
 */
export function checkName(
  value: string,
  name: { readonly field: string; readonly charactersMax: number; readonly isRequired?: true },
): string {
  if (value.length === 0) {
    throw new InputError(`Cannot use an empty "${name.field}"`, {
      remedy: `Give "${name.field}" a value${name.isRequired === true ? '' : ' or leave it out'}`,
    })
  }
  if (value.length > name.charactersMax) {
    throw new LimitError(`use this "${name.field}"`, {
      what: 'its length in characters',
      limit: name.charactersMax,
      actual: value.length,
    })
  }
  if (!value.isWellFormed() || value.includes('\0')) {
    throw new InputError(`Cannot use this "${name.field}" as it holds a NUL character or half a surrogate pair`, {
      remedy: `Names and ids must be well-formed text; put such text into "content", which keeps anything`,
    })
  }
  return value
}

const instant = z.union([z.iso.datetime({ offset: true }), z.iso.datetime({ local: true }), z.iso.date()])

/** ISO 8601 as RFC 3339 has it: with a `T`, with seconds where there is a zone, and with a colon in that. */
function inFull(text: string): string {
  return text
    .replace(/^(\d{4}-\d\d-\d\d) (?=\d\d:\d\d)/, '$1T')
    .replace(/(T.*[+-]\d\d):?(\d\d)?$/, (_, hours: string, minutes = '00') => `${hours}:${minutes}`)
    .replace(/(T\d\d:\d\d)(?=Z$|[+-]\d\d:\d\d$)/, '$1:00')
}

/** Seconds since 1970 stay below this for nine thousand years; milliseconds have been above it since April 1970. */
const secondsBelow = 1e10

/**
 * A point in time as callers write it: ISO 8601 (UTC where no zone is given), or a Unix time in seconds or
 * milliseconds. Returns ISO 8601 in UTC with milliseconds. Years 100 to 9999: an earlier year would come back from the
 * database as one of the last century, because that is how JavaScript reads two digits.
 */
export function parseTime(value: string | number, field: string): string {
  const refuse = (): never => {
    throw new InputError(`Cannot read "${field}" as a time: current value is "${String(value).slice(0, 50)}"`, {
      remedy: 'Use ISO 8601 such as 2026-11-25T19:48:00Z, or a Unix time in seconds or milliseconds',
    })
  }
  const text = typeof value === 'number' ? String(value) : inFull(value.trim())
  let time: Date
  if (/^\d{9,13}(\.\d+)?$/.test(text)) {
    const number = Number(text)
    time = new Date(number < secondsBelow ? number * 1000 : number)
  } else {
    if (!instant.safeParse(text).success) return refuse()
    // A date alone is midnight in UTC already; a local time is read as UTC so that every machine reads it alike.
    time = new Date(/[zZ]$|[+-]\d\d:?\d\d$/.test(text) || !text.includes('T') ? text : `${text}Z`)
  }
  const year = time.getUTCFullYear()
  return Number.isNaN(time.getTime()) || year < 100 || year > 9999 ? refuse() : time.toISOString()
}

/** A stretch of time as callers write it, each end of which may be left open. */
export interface TimeSpan {
  readonly since?: string | number | undefined
  readonly until?: string | number | undefined
}

const lastOfDay = 'T23:59:59.999Z'

/** The end of a stretch, by `parseTime`: of a date alone the last millisecond of that day, as "until Friday" means all of Friday. */
export function parseEnd(value: string | number, field: string): string {
  const isDate = typeof value === 'string' && z.iso.date().safeParse(value.trim()).success
  return parseTime(isDate ? `${value.trim()}${lastOfDay}` : value, field)
}

/** Both ends of it. Throws InputError also where the end is before the beginning: nothing could be in it. */
export function parseSpan(span: TimeSpan): { readonly since: string | undefined; readonly until: string | undefined } {
  const since = span.since === undefined ? undefined : parseTime(span.since, 'since')
  const until = span.until === undefined ? undefined : parseEnd(span.until, 'until')
  if (since !== undefined && until !== undefined && since > until)
    throw new InputError(`Cannot look from "${since}" until "${until}" as "since" must not be after "until"`, {
      remedy: 'Exchange the two, or leave one out',
    })
  return { since, until }
}
