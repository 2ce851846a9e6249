import { hashFacts } from '../indexing/hash-facts.ts'
import { TermHashers } from '../indexing/terms/term-hashers.ts'
import { sessionsWithFacts } from '../store/learning/hashed-facts.ts'
import type { Stores } from './conflicts.ts'

/** Whether the two stores hash words under different keys: what is known by a hash at one is not known by it at the other. */
export async function hashesOtherwise({ source, target, tenantId }: Stores): Promise<boolean> {
  const [ours, theirs] = await Promise.all([source, target].map((store) => store.vault.search.termsOf(tenantId)))
  const keysOf = (terms: typeof ours) => [terms?.indexes.at(-1)?.key?.id, terms?.texts?.id]
  return keysOf(ours).join() !== keysOf(theirs).join()
}

/** Has what was learned found at the target by its words as they are hashed there. Done twice it has the effect of once. */
export async function hashFactsAnew({ source, target, tenantId }: Stores): Promise<void> {
  const { indexes, state } = await new TermHashers(target.vault).written(tenantId)
  const index = indexes.at(-1)
  if (index === undefined) return
  for (const sessionId of await source.run((sql) => sessionsWithFacts(sql, tenantId))) {
    await hashFacts(target, { tenantId, sessionId }, { hasher: index.hasher, state })
  }
}
