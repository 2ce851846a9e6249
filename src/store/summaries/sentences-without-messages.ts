import { isHeadingLine } from '../../model/text/heading-line.ts'
import type { Summary } from './summaries.ts'

/** Sentences of a summary that the calling model wrote and that no message is known to bear out, by their numbers, from 1. */
export interface WithoutMessages {
  readonly all: readonly number[]
  /** Those with names or numbers that stood nowhere in the session. */
  readonly unknown: readonly number[]
}

/** Headings are none of them. Those of other summaries all come from messages. */
export function sentencesWithoutMessages({ sentences, madeBy }: Summary): WithoutMessages {
  if (madeBy !== 'host') return { all: [], unknown: [] }
  const all = sentences.flatMap(({ text, message_ids: ids, looked_for: looked }, at) =>
    ids.length > 0 || isHeadingLine(text) ? [] : [{ number: at + 1, looked }],
  )
  const unknown = all.filter(({ looked }) => looked === 'names_unknown')
  return { all: all.map(({ number }) => number), unknown: unknown.map(({ number }) => number) }
}

/** Numbers of a summary are told up to this many stretches. */
const stretchesMax = 40

/** "2, 5-9": numbers in their order, as one reads them; "…" in the place of many more. */
export function asStretches(numbers: readonly number[]): string {
  const stretches: { first: number; last: number }[] = []
  for (const number of numbers) {
    const newest = stretches.at(-1)
    if (newest !== undefined && newest.last === number - 1) newest.last = number
    else stretches.push({ first: number, last: number })
  }
  const told = stretches
    .slice(0, stretchesMax)
    .map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
  return [...told, ...(stretches.length > stretchesMax ? ['…'] : [])].join(', ')
}
