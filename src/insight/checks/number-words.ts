import { hanNumbers } from './han-numbers.ts'
import { numbersOfBytes, scaledNumbers } from './marked-numbers.ts'
import { spelledNumbers, type SpelledNumber } from './spelled-numbers.ts'
import { numbersIn } from './unsupported.ts'

/** The numbers of a source, with the parts of those that are written together: 30 and 60 of 30-60. */
export interface NumbersThere {
  readonly all: ReadonlySet<number>
  /** Those in words, as digits. */
  readonly spelled: ReadonlySet<string>
  /** The source without those that a letter multiplies: 500k is not 500. */
  readonly plain: string
  /** The largest, also of those that only name a magnitude. */
  readonly max: number
}

/** The numbers in words that a sentence, in NFKC, has to have from its source. "One" is too common a word to be held to it. */
export function claimedNumbers(sentence: string): readonly SpelledNumber[] {
  const words = spelledNumbers(sentence).filter(({ text }) => text !== 'one')
  return [...words, ...scaledNumbers(sentence), ...hanNumbers(sentence, true)]
}

/** Whether all of a text is a number in words, which may be written with digits where it comes from. */
export function isNumberWord(one: string): boolean {
  return claimedNumbers(one).some(({ text }) => text === one)
}

export function numbersThere(source: string): NumbersThere {
  const text = source.normalize('NFKC')
  const scaled = scaledNumbers(text)
  const words = [...spelledNumbers(text), ...scaled, ...hanNumbers(text, false)]
  const inWords = words.flatMap(({ readings, isVague }) => (isVague ? [] : readings.flat()))
  const plain = withoutNumbers(text, scaled)
  const inDigits = numbersIn(plain).flatMap((one) => [one, ...one.split(/[-/:,]/u)].map(Number))
  const all = new Set([...inWords, ...inDigits, ...numbersOfBytes(text)].filter(Number.isFinite))
  let max = -Infinity
  for (const one of all) max = Math.max(max, one)
  for (const { readings } of words) for (const one of readings.flat()) max = Math.max(max, one)
  return { all, spelled: new Set(inWords.map(String)), plain, max }
}

export function isThere({ readings, isVague }: SpelledNumber, { all, max }: NumbersThere): boolean {
  return readings.some((reading) => reading.every((one) => (isVague ? max >= one : all.has(one))))
}

/** A text with blanks where some numbers in words are: a capital makes no name of them, nor is a digit of them a number of its own. */
export function withoutNumbers(text: string, numbers: readonly SpelledNumber[]): string {
  let left = text
  for (const { start, end } of numbers) left = `${left.slice(0, start)}${' '.repeat(end - start)}${left.slice(end)}`
  return left
}
