import { InputError } from '../../errors.ts'
import type { VectorKey, VectorSpace } from '../../ports/vector-index.ts'

/** A key as text: the session first, so that all of a session begin alike. At most 80 characters. */
export function keyText(key: VectorKey): string {
  return `${key.sessionId}:${key.level}:${key.firstSeq}:${key.part}`
}

/** The last of those with the same key: an index that gets a key twice in one request may refuse it or keep either. */
export function lastOfEachKey<K extends VectorKey>(items: readonly K[]): K[] {
  return [...new Map(items.map((item) => [keyText(item), item])).values()]
}

/** The items in order, `sizeMax` at a time. */
export function* batches<T>(items: readonly T[], sizeMax: number): Generator<T[]> {
  for (let start = 0; start < items.length; start += sizeMax) yield items.slice(start, start + sizeMax)
}

/** A vector of other dimensions belongs to another model: comparing the two would mean nothing. */
export function requireDimensions(space: VectorSpace, vector: Float32Array): void {
  if (vector.length === space.dimensions) return
  throw new InputError(
    `Cannot use a vector of ${vector.length} numbers as model ${space.modelId} has ${space.dimensions} dimensions`,
  )
}
