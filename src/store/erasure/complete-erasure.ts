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
  return await eraseParticipantReasons(sql, tenantId, await hashesOfGone(sql, tenantId, { participant, messages: 0 }))
}

/** How many reasons go with so many messages of somebody: none where there are more of theirs. */
export async function countReasonsOfGone(
  sql: Queries,
  tenantId: number,
  { participant, messages }: { readonly participant: string; readonly messages: number },
): Promise<number> {
  return await countParticipantReasons(sql, tenantId, await hashesOfGone(sql, tenantId, { participant, messages }))
}

/** As the audit log may name somebody of whom nothing is left but so many messages; none of anybody else. */
async function hashesOfGone(
  sql: Queries,
  tenantId: number,
  { participant, messages: going }: { readonly participant: string; readonly messages: number },
): Promise<readonly string[]> {
  const sessions = await sessionsOfParticipant(sql, tenantId, participant)
  const there = sessions.reduce((total, { messages }) => total + messages, 0)
  return there > going ? [] : await participantHashes(sql, tenantId, participant)
}
