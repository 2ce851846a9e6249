/**
 * The smallest hashes of the distinct terms of a text, in ascending order: of two such the share of terms that their texts have in
 * common can be told (bottom-k sketch; Broder 1997, Cohen and Kaplan 2007). Exact where texts have no more terms than a sketch.
 */
export type Sketch = readonly bigint[]

/** Terms of a sketch: of 32 the share is told to some eight points where texts are longer. */
export const sketchTerms = 32

/** The share of terms, of all that either text has, that both have (Jaccard); 0 to 1. */
export function alike(a: Sketch, b: Sketch): number {
  let shared = 0
  let all = 0
  for (let i = 0, j = 0; all < sketchTerms && (i < a.length || j < b.length); all++) {
    const [left, right] = [a[i], b[j]]
    if (left === right) shared++
    if (right === undefined || (left !== undefined && left <= right)) i++
    if (left === undefined || (right !== undefined && right <= left)) j++
  }
  return all === 0 ? 0 : shared / all
}

/** Puts what is alike into groups: the number of the group of each, the first of which is what the others are alike to. */
export function groupAlike(sketches: readonly (Sketch | undefined)[], share: number): readonly (number | undefined)[] {
  const firsts: Sketch[] = []
  return sketches.map((sketch) => {
    if (sketch === undefined) return undefined
    const group = firsts.findIndex((first) => alike(first, sketch) >= share)
    return group === -1 ? firsts.push(sketch) - 1 : group
  })
}
