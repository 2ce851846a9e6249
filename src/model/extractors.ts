/*
 * Who finds facts by patterns of words, and who chooses the sentences of summaries, each with its version. The version goes up whenever the same
 * messages give something else: what an earlier one made is made anew then.
 */

export const patterns = 'patterns'
/** As the facts that it finds have it. */
export const patternsNow = `${patterns}/2`
/** As the summaries that it chose have it. */
export const extractsNow = 'extractive/2'

/** Who made a fact, as readers are told: they have nothing of the version. */
export function makerOf(madeBy: string): string {
  return madeBy.startsWith(`${patterns}/`) ? patterns : madeBy
}
