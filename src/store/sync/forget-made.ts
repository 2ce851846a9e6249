import type { TransactionSql } from 'postgres'

import { eraseUnits, eraseVectors } from '../erasure/erase-derived.ts'
import { feedbackChanged } from '../learning/recall-feedback.ts'
import type { SessionKey } from '../messages.ts'

/** Removes what is made of messages from a number on, and can be made again. */
export async function forgetMade(sql: TransactionSql, key: SessionKey, firstSeq: number): Promise<void> {
  const { tenantId, sessionId } = key
  const piece = { first: firstSeq, last: Number.MAX_SAFE_INTEGER }
  await eraseUnits(sql, key, piece)
  await eraseVectors(sql, key, piece)
  // Those elsewhere, which are removed by the work that is left for it: by that they are known.
  await sql`
    update embedded_units set text_sha256 = ''
    where tenant_id = ${tenantId} and level in (0, 1, 2) and session_id = ${sessionId} and first_seq >= ${firstSeq}`
  const feedback = await sql`
    delete from recall_feedback where tenant_id = ${tenantId} and session_id = ${sessionId} and seq >= ${firstSeq}`
  if (feedback.count > 0) await feedbackChanged(sql, tenantId)
  await sql`
    delete from summaries
    where tenant_id = ${tenantId} and session_id = ${sessionId} and made_by <> 'host' and (last_seq is null or last_seq >= ${firstSeq})`
}

/**
 * Removes the summaries of ours that were made here of what messages which have just come correct, after these were saved elsewhere: by
 * their times they would be newer. What a client wrote may have come along and know of the correction.
 */
export async function forgetCorrected(
  sql: TransactionSql,
  { tenantId, sessionId }: SessionKey,
  correctionIds: readonly string[],
): Promise<void> {
  await sql`
    delete from summaries u using corrections c
    where c.tenant_id = ${tenantId} and c.session_id = ${sessionId}
      and c.correction_id in (select jsonb_array_elements_text(${JSON.stringify(correctionIds)}::text::jsonb)::uuid)
      and u.tenant_id = ${tenantId} and u.session_id = ${sessionId} and u.made_by <> 'host'
      and c.seq between coalesce(u.first_seq, 1) and coalesce(u.last_seq, c.seq)`
}
