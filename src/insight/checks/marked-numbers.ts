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
const digits = String.raw`(?<![\p{L}\p{M}\p{N}_]|[\p{L}\p{N}][.,:/-])(\d+(?:[.,]\d+)*)`
const scaled = new RegExp(
  String.raw`${digits}(?:([kKMB])|\s?(bn|mln|[Mm]io|[Mm]rd|[Tt]sd))(?![\p{L}\p{M}\p{N}_/])`,
  'gu',
)
const bytes = new RegExp(String.raw`${digits}\s?([kKMGT])i?B(?![\p{L}\p{M}\p{N}_])`, 'gu')
const belowZero = /(?:(?<![^\s([{'"“„:=€$£])[-−–]|\b(?:minus|negative)\s+)[€$£]?(\d+(?:[.,]\d+)*)/giu

/** Numbers with a letter or an abbreviation behind them that multiplies them: 500k, 1.5M, 2 Mio. */
export function scaledNumbers(text: string): SpelledNumber[] {
  return [...text.matchAll(scaled)].map((match) => {
    const [one, count = '', letter, abbreviation] = match
    const value = times(count, letter ?? abbreviation?.toLowerCase())
    return { text: one, start: match.index, end: match.index + one.length, readings: [[value]], isVague: false }
  })
}

/** How many bytes a text names in thousands of them and more: "512M" is of "512 MB". */
export function numbersOfBytes(text: string): number[] {
  return [...text.matchAll(bytes)].map(([, count = '', letter]) => times(count, letter))
}

/** The numbers below zero of a text, as they stand there, by their digits. */
export function numbersBelowZero(text: string): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(belowZero)].map(([one, count = '']) => [count.replaceAll(',', ''), one.trim()]))
}

/** 1,500 is 1500, and 1,5 is 1.5. */
function times(count: string, mark = ''): number {
  const plain = /^\d{1,3}(?:,\d{3})+(?:\.\d+)?$/u.test(count) ? count.replaceAll(',', '') : count.replace(',', '.')
  // In binary 1.005 times 1,000 is a little less than 1,005.
  return Number((Number(plain) * (scales.get(mark) ?? 1)).toPrecision(12))
}
