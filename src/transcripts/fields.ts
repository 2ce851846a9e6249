import { isJsonObject } from '../model/json/json.ts'

/** The value under a path of names, or undefined where any step is missing or no object. */
export function field(value: unknown, ...path: readonly string[]): unknown {
  let current = value
  for (const name of path) {
    if (!isJsonObject(current)) return undefined
    current = current[name]
  }
  return current
}

/** The string under a path of names; undefined for anything else, the empty string included. */
export function textField(value: unknown, ...path: readonly string[]): string | undefined {
  const found = field(value, ...path)
  return typeof found === 'string' && found !== '' ? found : undefined
}

/** Stores hold counts as integers of 32 bits; a larger one is no count of anything that an entry could hold. */
const countMax = 2 ** 31 - 1

/** The count under a path of names: a whole number from 0 to 2,147,483,647; undefined for anything else. */
export function countField(value: unknown, ...path: readonly string[]): number | undefined {
  const found = field(value, ...path)
  return typeof found === 'number' && Number.isInteger(found) && found >= 0 && found <= countMax ? found : undefined
}

export function listField(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = field(value, ...path)
  return Array.isArray(found) ? found : []
}

/** An id as text: formats write them as strings or as numbers. */
export function idField(value: unknown, ...path: readonly string[]): string | undefined {
  const found = field(value, ...path)
  return typeof found === 'number' && Number.isFinite(found) ? String(found) : textField(value, ...path)
}

/** The first name that leads to a string. */
export function firstText(value: unknown, names: readonly string[]): string | undefined {
  for (const name of names) {
    const found = textField(value, name)
    if (found !== undefined) return found
  }
  return undefined
}

const dated = /^\d{4}-\d{2}-\d{2}(?:[T ]|$)/u
const zoned = /(?:Z|[+-]\d{2}:?\d{2})$/iu
/** Seconds since 1970 pass this in the year 5138; milliseconds passed it in 1973. */
const millisecondsFrom = 1e11

/** A moment as ISO 8601 in UTC, from a date text (UTC where it names no zone), seconds or milliseconds since 1970. */
export function isoTime(value: unknown): string | undefined {
  if (typeof value === 'number') return isoOf(value < millisecondsFrom ? value * 1000 : value)
  if (typeof value !== 'string' || !dated.test(value)) return undefined
  // Without a zone JavaScript would read a date with a time as local, and the result would depend on the machine.
  return isoOf(Date.parse(value.length === 10 || zoned.test(value) ? value : `${value.replace(' ', 'T')}Z`))
}

function isoOf(milliseconds: number): string | undefined {
  const date = new Date(milliseconds)
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < 1970 || date.getUTCFullYear() > 9999) return undefined
  return date.toISOString()
}
