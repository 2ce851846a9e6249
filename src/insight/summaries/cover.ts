import type { Notes } from './by-model/take-notes.ts'

export interface Gap {
  readonly fromSeq: number
  readonly toSeq: number
}

/** A stretch as the notes that there are of it, and what lies between them, in order: no message twice. */
export function cover(
  notes: readonly Notes[],
  stretch: Gap,
): readonly ({ readonly notes: Notes } | { readonly gap: Gap })[] {
  const parts: ({ readonly notes: Notes } | { readonly gap: Gap })[] = []
  let at = stretch.fromSeq
  for (const one of notes.toSorted((a, b) => a.firstSeq - b.firstSeq || b.lastSeq - a.lastSeq)) {
    if (one.firstSeq < at || one.lastSeq > stretch.toSeq) continue
    if (one.firstSeq > at) parts.push({ gap: { fromSeq: at, toSeq: one.firstSeq - 1 } })
    parts.push({ notes: one })
    at = one.lastSeq + 1
  }
  if (at <= stretch.toSeq) parts.push({ gap: { fromSeq: at, toSeq: stretch.toSeq } })
  return parts
}

/** How many notes are put together at once. */
const mergedAtOnce = 8

/**
 * Which notes to put together first where there are too many: the first of equal height that follow each other, so that none is
 * condensed more often than others; where there are none, the oldest. Undefined where there is one at most.
 */
export function nextToMerge(notes: readonly Notes[]): { readonly at: number; readonly count: number } | undefined {
  if (notes.length < 2) return undefined
  for (let at = 0; at + mergedAtOnce <= notes.length; at++) {
    const run = notes.slice(at, at + mergedAtOnce)
    if (run.every(({ height }) => height === run[0]?.height)) return { at, count: mergedAtOnce }
  }
  return { at: 0, count: Math.min(mergedAtOnce, notes.length) }
}
