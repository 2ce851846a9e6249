/*
 * Who finds facts by patterns of words, and who chooses the sentences of summaries, each with its version. The version goes up whenever the same
 * messages give something else, or a fact is found by other words: what an earlier one made is made anew then. What a later one made stays, as
 * two versions may serve a store.
 */

export const patterns = 'patterns'
const patternsVersion = 6
const extractsVersion = 6

/** As the facts that it finds have it. */
export const patternsNow = `${patterns}/${patternsVersion}`
/** As the summaries that it chose have it. */
export const extractsNow = `extractive/${extractsVersion}`

/** As facts of earlier versions have it: the first noted none. */
export const earlierPatterns = [patterns, ...before(patternsVersion).map((version) => `${patterns}/${version}`)]
/** As summaries of earlier versions have it, but for the first, which noted none. */
export const earlierExtracts = before(extractsVersion).map((version) => `extractive/${version}`)

function before(version: number): number[] {
  return Array.from({ length: version - 1 }, (_, at) => at + 1)
}

/** Whether an earlier version chose the sentences of an extracted summary. */
export function isEarlierExtract(chosenBy: string | null): boolean {
  return chosenBy === null || earlierExtracts.includes(chosenBy)
}

/** Who made a fact, as readers are told: they have nothing of the version. */
export function makerOf(madeBy: string): string {
  return madeBy.startsWith(`${patterns}/`) ? patterns : madeBy
}
