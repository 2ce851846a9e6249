import type { RowSeal } from '../../crypto/row-seal.ts'
import { factTerms } from '../../indexing/terms/fact-terms.ts'
import { TermHashers } from '../../indexing/terms/term-hashers.ts'
import { projectOf } from '../../model/project.ts'
import { insertFactRecords, type FactRecord } from '../../store/archive/archived-facts.ts'
import type { Database } from '../../store/database.ts'
import { dropHiddenBy } from '../../store/learning/hashed-facts.ts'
import { lockFacts } from '../../store/learning/lock-facts.ts'
import type { SessionKey } from '../../store/messages.ts'
import type { Transaction } from '../../store/rows.ts'

/** Gives what stores the facts of a session as they were archived, found by their words as those of this store are hashed. */
export async function factRestorer(
  database: Database,
  key: SessionKey,
  {
    facts,
    seal,
    metadata,
  }: {
    readonly facts: readonly FactRecord[]
    readonly seal: RowSeal | undefined
    /** Of the session, as JSON. */
    readonly metadata: string | null
  },
): Promise<(sql: Transaction) => Promise<void>> {
  const index = (await new TermHashers(database.vault).written(key.tenantId)).indexes.at(-1)
  return async (sql) => {
    if (index === undefined || facts.length === 0) return
    const project = metadata === null ? undefined : projectOf(JSON.parse(metadata))
    const termsOf = (kind: string, body: FactRecord['body']) => factTerms(kind, body, { hasher: index.hasher, project })
    await lockFacts(sql, key.tenantId, 'exclusive')
    await insertFactRecords(sql, key, { facts, seal, termsOf })
    // The same may have been learned of a session that was here before this one.
    const ids = facts.map(({ id }) => id)
    await dropHiddenBy(sql, key.tenantId, ids)
  }
}
