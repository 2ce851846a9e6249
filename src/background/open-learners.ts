import { findAnew, findByModel, findByPatterns } from '../insight/learning/finders.ts'
import { LearnWorker } from '../insight/learning/learn-worker.ts'
import type { LearningDependencies } from './learning.ts'

/** Who learns by the settings: patterns, and a model where one is configured. */
export async function openLearners({ config, observer, ...stores }: LearningDependencies): Promise<LearnWorker[]> {
  const { dailyTokens, learner } = config
  const byPatterns = [findByPatterns(learner !== undefined), findAnew()].map(
    (finder) => new LearnWorker(stores, finder),
  )
  if (learner === undefined) return byPatterns
  const { openWriter } = await import('./open-writer.ts')
  const writer = openWriter(learner, { database: stores.database, observer, dailyTokens })
  return [...byPatterns, new LearnWorker(stores, findByModel(writer, { observer }))]
}
