import type { DataType, Detection } from '../../src/privacy/detection.ts'

/** What a data set says is there. */
export interface GoldSpan {
  readonly type: DataType | undefined
  readonly start: number
  readonly end: number
}

export interface Labelled {
  readonly text: string
  readonly spans: readonly GoldSpan[]
}

export interface Counts {
  gold: number
  found: number
  detected: number
  right: number
}

/** Every letter and digit of a span lies in a detection, of this type or, where none is given, of any. */
export function isCovered(
  text: string,
  span: { readonly start: number; readonly end: number },
  choice: { readonly detections: readonly Detection[]; readonly type?: DataType },
): boolean {
  const detections = choice.detections.filter(({ type }) => choice.type === undefined || type === choice.type)
  for (let at = span.start; at < span.end; at++) {
    if (!/[\p{L}\p{N}]/u.test(text[at] ?? '')) continue
    if (!detections.some(({ start, end }) => start <= at && at < end)) return false
  }
  return true
}

/** Adds the figures of one text, by type. A detection is right where it overlaps a span of its type. */
export function count(counts: Map<DataType, Counts>, labelled: Labelled, detections: readonly Detection[]): void {
  const of = (type: DataType) => {
    const known = counts.get(type) ?? { gold: 0, found: 0, detected: 0, right: 0 }
    counts.set(type, known)
    return known
  }
  for (const span of labelled.spans) {
    if (span.type === undefined) continue
    const own = of(span.type)
    own.gold++
    if (isCovered(labelled.text, span, { detections, type: span.type })) own.found++
  }
  for (const { type, start, end } of detections) {
    const own = of(type)
    own.detected++
    if (labelled.spans.some((span) => span.type === type && span.start < end && start < span.end)) own.right++
  }
}
