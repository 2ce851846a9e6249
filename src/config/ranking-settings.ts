import { z } from 'zod'

/** The settings of the order of search results, with what they mean: a part of docs/configuration.md. */
export const rankingSettingsShape = {
  VERBATIM_RANKING_LEARNING: z
    .enum(['off', 'on'])
    .default('on')
    .describe(
      'on: which results of searches are then opened or cited is noted, as ids and numbers alone, and the weights of the ranking are adjusted to it in the background, each at most by a factor of 2; see docs/search.md and "verbatim ranking". off: nothing is noted, and the usual weights hold',
    ),
} as const
