import type { Detection } from './detection.ts'

/** A remainder of this kind of characters tells nothing. */
const tellsNothing = /^[\s\p{P}\p{S}]*$/u

/**
 * Detections that do not overlap, in order. The surer one keeps a stretch, of two equally sure ones the longer; what of
 * the other sticks out is kept too, so that everything that any detector found is covered.
 */
export function resolveOverlaps(text: string, detections: readonly Detection[]): Detection[] {
  const byRank = detections.toSorted(
    (a, b) => b.confidence - a.confidence || b.end - b.start - (a.end - a.start) || a.start - b.start,
  )
  const ranks = new Map(byRank.map((detection, rank) => [detection, rank]))
  const rankOf = (detection: Detection) => ranks.get(detection) ?? 0
  const kept: Detection[] = []
  // A sweep from left to right: at each border the best of the detections that are open holds the stretch up to the next.
  const borders = [...new Set(detections.flatMap(({ start, end }) => [start, end]))].toSorted((a, b) => a - b)
  const starting = groupByStart(detections)
  let open: Detection[] = []
  let owner: Detection | undefined
  for (const [at, border] of borders.entries()) {
    open = [...open.filter(({ end }) => end > border), ...(starting.get(border) ?? [])]
    const next = borders[at + 1]
    const [first, ...others] = open
    if (first === undefined || next === undefined) {
      owner = undefined
      continue
    }
    const best = others.reduce((a, b) => (rankOf(b) < rankOf(a) ? b : a), first)
    const last = kept.at(-1)
    if (best === owner && last?.end === border) kept[kept.length - 1] = { ...last, end: next }
    else kept.push({ ...best, start: border, end: next })
    owner = best
  }
  return kept.filter(({ start, end }) => !tellsNothing.test(text.slice(start, end)))
}

function groupByStart(detections: readonly Detection[]): Map<number, Detection[]> {
  const groups = new Map<number, Detection[]>()
  for (const detection of detections) {
    const group = groups.get(detection.start)
    if (group === undefined) groups.set(detection.start, [detection])
    else group.push(detection)
  }
  return groups
}
