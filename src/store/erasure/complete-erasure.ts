import { participantHashes, sessionsOfParticipant } from '../rights/participant.ts'
import { countParticipantReasons, eraseParticipantReasons } from '../rights/reasons.ts'
import type { Queries } from '../rows.ts'
import { addToReceipt } from './receipts.ts'

interface ErasureKey {
  readonly tenantId: number
  readonly erasureId: string
}

/** Ends an erasure, of which all is done. Why the one was restricted whose messages it was of goes with it, where that was all of theirs. */
export async function completeErasure(sql: Queries, key: ErasureKey, participant: string | undefined): Promise<void> {
  const { tenantId, erasureId } = key
  const reasons = participant === undefined ? 0 : await eraseReasonsOfGone(sql, tenantId, participant)
  if (reasons > 0) await addToReceipt(sql, key, { erased: { reasons } })
  await sql`
    update erasures set completed_at = coalesce(completed_at, clock_timestamp())
    where tenant_id = ${tenantId} and id = ${erasureId}`
}

/**
 * Why somebody was restricted says who they are: the reasons go once nothing of theirs is left, in no session of the tenant, be it on
 * hold or not open to who erases. How many there were.
 */
export async function eraseReasonsOfGone(sql: Queries, tenantId: number, participant: string): Promise<number> {
  return await eraseParticipantReasons(sql, tenantId, await hashesOfGone(sql, tenantId, participant))
}

/** How many reasons are left of somebody of whom nothing else is. */
export async function countReasonsOfGone(sql: Queries, tenantId: number, participant: string): Promise<number> {
  return await countParticipantReasons(sql, tenantId, await hashesOfGone(sql, tenantId, participant))
}

/** As the audit log may name somebody of whom nothing is left; none of anybody else. */
async function hashesOfGone(sql: Queries, tenantId: number, participant: string): Promise<readonly string[]> {
  const sessions = await sessionsOfParticipant(sql, tenantId, participant)
  return sessions.length > 0 ? [] : await participantHashes(sql, tenantId, participant)
}
