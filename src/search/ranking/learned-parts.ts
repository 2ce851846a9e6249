import type { Factors } from '../../store/learning/ranking-weights.ts'
import { weights as usualWeights, type Weights } from './weights.ts'

/**
 * The parts of the ranking that use teaches, each with the weights that count more or less together. Not among them: what makes the
 * score by words itself, beside which all others are weighed, and what bounds shares of sessions and authors.
 */
export const learnedParts = {
  meaning: ['meaning', 'meaningLocal'],
  meaning_around: ['previousMeaning', 'nextMeaning'],
  words_around: ['previous', 'next', 'secondPrevious'],
  neighbours: ['smoothing'],
  session: ['session'],
  sender: ['sender'],
  title: ['title'],
  date: ['date'],
  time_or_number: ['time', 'number'],
  role: ['user', 'userAsked', 'assistantAsked'],
  standing: ['standing', 'standingShare'],
  substance: ['substance'],
  question: ['question', 'asks'],
} as const satisfies Readonly<Record<string, readonly (keyof Weights)[]>>

export type LearnedPart = keyof typeof learnedParts

function isPart(name: string): name is LearnedPart {
  return Object.hasOwn(learnedParts, name)
}

export const partNames: readonly LearnedPart[] = Object.keys(learnedParts).filter(isPart)

/** Weights with some parts of them scaled. */
export function scaled(weights: Weights, factors: Factors): Weights {
  const changed: { -readonly [name in keyof Weights]?: number } = {}
  for (const part of partNames)
    for (const name of learnedParts[part]) changed[name] = weights[name] * (factors[part] ?? 1)
  return { ...weights, ...changed }
}

/** The weights that a search ranks with. */
export interface RankingWeights {
  readonly weights: Weights
  /** How the usual ones were changed; undefined where they hold. */
  readonly factors: Factors | undefined
}

export function learnedWeights(factors: Factors | undefined): RankingWeights {
  return { weights: factors === undefined ? usualWeights : scaled(usualWeights, factors), factors }
}
