import { factTerms, isOfProject } from '../../indexing/terms/fact-terms.ts'
import type { TermHashers } from '../../indexing/terms/term-hashers.ts'
import { newId } from '../../model/ids.ts'
import type { Database } from '../../store/database.ts'
import { holdTerms, type TermsState } from '../../store/keys/encryption-state.ts'
import { archiveFactChange } from '../../store/learning/change-facts.ts'
import {
  copyCorrection,
  correctionsElsewhere,
  holdCorrected,
  placeCorrectedAgain,
  type CopiedCorrection,
  type CorrectionElsewhere,
} from '../../store/learning/corrections-elsewhere.ts'
import { hasEarlierFacts } from '../../store/learning/facts-anew.ts'
import { areAsRead, dropHidden, readFactBodies, storeFactTerms } from '../../store/learning/hashed-facts.ts'
import { lockFacts, tryLockFacts } from '../../store/learning/lock-facts.ts'
import {
  saveFacts,
  sealFact,
  type FactTerms,
  type SealedFact,
  type StoredFindings,
} from '../../store/learning/sealed-facts.ts'
import { readProject } from '../../store/learning/session-projects.ts'
import type { SessionKey } from '../../store/messages.ts'
import type { Transaction } from '../../store/rows.ts'
import type { FoundFact } from './fact.ts'
import { newFacts } from './new-fact.ts'

/** What was found in a stretch of a session, as it is to be stored. */
export interface Findings {
  readonly facts: readonly SealedFact[]
  /** Facts that are there already, as they are found in the project that their session is known to be of now. */
  readonly placed: readonly { readonly id: string; readonly mark: string; readonly terms: FactTerms }[]
  /** What was corrected by hand where it was told in another session, of another project as it is known now: it is corrected here too. */
  readonly corrected: readonly CopiedCorrection[]
  readonly keyVersion: number
  /** What this holds on: what is known of the session, and how words are hashed. */
  readonly described: string
  readonly state: TermsState | undefined
}

interface Found {
  readonly facts: readonly FoundFact[]
  readonly madeBy: string
  /** What a session's source says of it may come after its messages: facts that are there are placed again then. */
  readonly isFirst: boolean
}

/** Makes of what was found what is stored, in the project of its session. */
export async function makeFindings(
  { database, hashers }: { readonly database: Database; readonly hashers: TermHashers },
  key: SessionKey,
  { facts, madeBy, isFirst }: Found,
): Promise<Findings> {
  const { tenantId, sessionId } = key
  // While the words of a store are put under another key, what is new is hashed under the one that is to be.
  const { indexes, state } = await hashers.written(tenantId)
  const hasher = indexes.at(-1)?.hasher
  if (hasher === undefined) throw new Error(`Tenant ${tenantId} has no index`)
  const { project, mark } = await readProject(database, key)
  const known = isFirst ? await readFactBodies(database, key) : []
  const elsewhere = known.length > 0 ? await ofOtherProjects(database, key, project) : []
  const seal = await database.vault.sealOf(tenantId, sessionId, 'learn from')
  return {
    facts: newFacts(facts, { madeBy, hasher, project }).map((fact) => sealFact(fact, seal)),
    placed: known
      .filter(({ kind, body }) => isOfProject(kind, body))
      .map(({ id, mark, kind, body }) => ({ id, mark, terms: factTerms(kind, body, { hasher, project }) })),
    corrected: elsewhere.map(({ kind, body, ...of }) =>
      sealFact({ id: newId(), body, terms: factTerms(kind, body, { hasher, project }), of }, seal),
    ),
    keyVersion: seal?.version ?? 0,
    described: mark,
    state,
  }
}

/** Corrections of facts of a session that are stored in sessions of another project, and hold there alone. */
async function ofOtherProjects(
  database: Database,
  key: SessionKey,
  project: string | undefined,
): Promise<CorrectionElsewhere[]> {
  const found: CorrectionElsewhere[] = []
  for (const correction of await correctionsElsewhere(database, key)) {
    if (!isOfProject(correction.kind, correction.body)) continue
    const its = await readProject(database, { tenantId: key.tenantId, sessionId: correction.sessionId })
    if (its.project !== project) found.push(correction)
  }
  return found
}

/** Stores it. False where the session was changed since it was read, or others store facts just now: nothing is stored then. */
export async function storeFindings(
  sql: Transaction,
  key: SessionKey,
  { facts, placed, corrected, state, ...read }: Findings & Pick<StoredFindings, 'erasures' | 'anew'>,
): Promise<boolean> {
  const { anew } = read
  const isNone = facts.length === 0 && placed.length === 0
  if (isNone && (anew === undefined || !(await hasEarlierFacts(sql, key, anew)))) return true
  await holdTerms(sql, key.tenantId, state)
  // Those that are there are known again by other hashes then, which is done alone.
  if (placed.length === 0) await lockFacts(sql, key.tenantId, 'shared')
  else if (!(await tryLockFacts(sql, key.tenantId))) return false
  if (!(await areAsRead(sql, key.tenantId, placed))) return false
  await holdCorrected(sql, key, corrected)
  const gone = await saveFacts(sql, key, { facts, ...read })
  if (gone === undefined) return false
  // What gave way may have been found anew at the same place, and says something else.
  const stayed = placed.filter(({ id }) => !gone.includes(id))
  if (stayed.length === 0) return true
  for (const one of corrected) {
    if (!(await copyCorrection(sql, key, { ...one, keyVersion: read.keyVersion }))) return false
    await archiveFactChange(sql, key.tenantId, [key.sessionId])
  }
  await placeCorrectedAgain(sql, key, stayed)
  await storeFactTerms(sql, key.tenantId, stayed)
  await dropHidden(
    sql,
    key.tenantId,
    stayed.map(({ id }) => id),
  )
  return true
}
