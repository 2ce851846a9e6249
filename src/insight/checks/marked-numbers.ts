import type { SpelledNumber } from './spelled-numbers.ts'

/** What is written to a number to multiply it. A small m or b is of a unit. */
const scales = new Map([
  ['k', 1e3],
  ['K', 1e3],
  ['M', 1e6],
  ['G', 1e9],
  ['B', 1e9],
  ['T', 1e12],
  ['bn', 1e9],
  ['mln', 1e6],
  ['mio', 1e6],
  ['tsd', 1e3],
  ['mrd', 1e9],
])
/** Also behind a name with a hyphen, and as the end of a range. */
const digits = String.raw`(?<![\p{L}\p{M}\p{N}_]|[\p{L}\p{N}][.,:/])(\d+(?:[.,]\d+)*)`
const scaled = new RegExp(
  String.raw`(?:(?<![\p{L}\p{M}\p{N}_.,:/-])(\d+(?:[.,]\d+)*)\s?[-–]\s?)?${digits}(?:([kKMB])|\s?(bn|mln|[Mm]io|[Mm]rd|[Tt]sd))(?![\p{L}\p{M}\p{N}_/])`,
  'gu',
)
const bytes = new RegExp(String.raw`${digits}\s?([kKMGT])i?B(?![\p{L}\p{M}\p{N}_])`, 'gu')
const withLetters = /(?<![\p{L}\p{M}\p{N}_]|[\p{L}\p{N}][.,:/])\d+(?:[.,]\d+)*\p{L}{1,3}(?![\p{L}\p{M}\p{N}_])/gu
const belowZero = /(?:(?<![^\s([{'"“„:=€$£])[-−–]|\bminus\s+)[€$£]?(\d+(?:[.,]\d+)*)/giu
const alsoBelowZero = /\bnegative\s+[€$£]?(\d+(?:[.,]\d+)*)/giu

/** Numbers with a letter or an abbreviation behind them that multiplies them: 500k, 1.5M, 2 Mio, both of 3-5k. */
export function scaledNumbers(text: string): SpelledNumber[] {
  return [...text.matchAll(scaled)].map((match) => {
    const [one, from, count = '', letter, abbreviation] = match
    const mark = letter ?? abbreviation?.toLowerCase()
    const readings = [from === undefined ? [times(count, mark)] : [times(from, mark), times(count, mark)]]
    return { text: one, start: match.index, end: match.index + one.length, readings, isVague: false }
  })
}

/** A text with blanks where numbers with letters are that a source has too, whatever their case: the 7b of 7B is one name. */
export function withoutSharedLetters(text: string, source: string): string {
  const there = new Set(Array.from(source.matchAll(withLetters), ([one]) => one.toLowerCase()))
  return text.replaceAll(withLetters, (one) => (there.has(one.toLowerCase()) ? ' '.repeat(one.length) : one))
}

/** How many bytes a text names in thousands of them and more: "512M" is of "512 MB". */
export function numbersOfBytes(text: string): number[] {
  return [...text.matchAll(bytes)].map(([, count = '', letter]) => times(count, letter))
}

/** The numbers below zero of a text, as they stand there, by their digits. */
export function numbersBelowZero(text: string): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(belowZero)].map(([one, count = '']) => [count.replaceAll(',', ''), one.trim()]))
}

/** Whether a source has a number below zero: also as "negative 5", which may be said of what is not below zero. */
export function hasBelowZero(source: string): (digits: string) => boolean {
  const also = Array.from(source.matchAll(alsoBelowZero), ([, count = '']) => count.replaceAll(',', ''))
  const there = new Set([...numbersBelowZero(source).keys(), ...also])
  return (digits) => there.has(digits)
}

/** 1,500 is 1500, and 1,5 is 1.5. */
function times(count: string, mark = ''): number {
  const plain = /^\d{1,3}(?:,\d{3})+(?:\.\d+)?$/u.test(count) ? count.replaceAll(',', '') : count.replace(',', '.')
  // In binary 1.005 times 1,000 is a little less than 1,005.
  return Number((Number(plain) * (scales.get(mark) ?? 1)).toPrecision(12))
}
