import { ConflictError } from '../errors.ts'
import type { Database } from '../store/database.ts'
import { holdTerms, type TermsState } from '../store/keys/encryption-state.ts'
import { areAsRead, dropHidden, dropHiddenBy, readFactBodies, storeFactTerms } from '../store/learning/hashed-facts.ts'
import { lockFacts } from '../store/learning/lock-facts.ts'
import { lockDescription, readDescribed, readProject } from '../store/learning/session-projects.ts'
import type { SessionKey } from '../store/messages.ts'
import { inTransaction } from '../store/transaction.ts'
import { factTerms } from './terms/fact-terms.ts'
import type { TermHasher } from './terms/terms.ts'

/** A session is described once, and found anew or sealed anew seldom: so many times only where something is wrong with who does that. */
const triesMax = 20

/**
 * Has what was learned of a session known again by its words as they are hashed in an index. What says the same as something that was deleted
 * or corrected by hand, and was known by another hash than that until now, goes. Done twice it has the effect of once. Throws
 * ConflictError where the facts, or what is known of their session, are changed each time between reading and storing.
 */
export async function hashFacts(
  database: Database,
  key: SessionKey,
  index: { readonly hasher: TermHasher; readonly state: TermsState | undefined },
): Promise<void> {
  for (let tries = 0; tries < triesMax; tries++) if (await hashOnce(database, key, index)) return
  throw new ConflictError(`Cannot hash the facts of session "${key.sessionId}" anew as they are changed all the time`, {
    remedy: 'End what imports or learns from this session again and again, then run this again: it goes on',
  })
}

/** False where the facts, or what is known of their session, were changed since they were read: nothing is stored then. */
async function hashOnce(
  database: Database,
  key: SessionKey,
  { hasher, state }: { readonly hasher: TermHasher; readonly state: TermsState | undefined },
): Promise<boolean> {
  const { tenantId } = key
  const { project, mark } = await readProject(database, key)
  const read = await readFactBodies(database, key)
  if (read.length === 0) return true
  const facts = read.map(({ kind, body, ...fact }) => ({ ...fact, terms: factTerms(kind, body, { hasher, project }) }))
  const ids = facts.map(({ id }) => id)
  return await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      await holdTerms(transaction, tenantId, state)
      await lockFacts(transaction, tenantId, 'exclusive')
      await lockDescription(transaction, key, 'shared')
      // Where a store is moved, facts come before their sessions.
      const described = (await readDescribed(transaction, key)) ?? ''
      if (described !== mark || !(await areAsRead(transaction, tenantId, facts))) return false
      await storeFactTerms(transaction, tenantId, facts)
      await dropHidden(transaction, tenantId, ids)
      await dropHiddenBy(transaction, tenantId, ids)
      return true
    }),
  )
}
