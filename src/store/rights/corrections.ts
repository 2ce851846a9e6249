import { correctionNameOf } from '../../model/messages/correction.ts'
import type { Queries } from '../rows.ts'

/** That a message was corrected, and by which one. Both are of one session. */
export interface Correction {
  readonly tenantId: number
  readonly sessionId: string
  readonly seq: number
  readonly messageId: string
  readonly correctionSeq: number
  readonly correctionId: string
}

/**
 * Links a correction that was just saved to the message that it corrects, which is out of use from then on. The session is left as
 * closed as it was; its row is held, so that whoever writes of the message does so before this, and is known to have by the time of it.
 * False where another message corrects it already.
 */
export async function linkCorrection(
  sql: Queries,
  { tenantId, sessionId, seq, messageId, correctionSeq, correctionId }: Correction,
  closedAt: string | null,
): Promise<boolean> {
  const rows = await sql`
    with linked as (
      update messages set replaces_id = ${messageId}
      where tenant_id = ${tenantId} and session_id = ${sessionId} and seq = ${correctionSeq} and replaces_id is null
    ), closed as (
      update sessions set closed_at = ${closedAt}::text::timestamptz where tenant_id = ${tenantId} and id = ${sessionId}
    )
    insert into corrections (tenant_id, session_id, seq, message_id, correction_seq, correction_id, corrected_at)
    values (${tenantId}, ${sessionId}, ${seq}, ${messageId}, ${correctionSeq}, ${correctionId}, clock_timestamp()) on conflict (tenant_id, session_id, seq) do update set correction_id = corrections.correction_id
      where corrections.correction_id = excluded.correction_id
    returning 1`
  return rows.length > 0
}

/** Knows again which messages of a session were corrected: the archive holds the messages, and not that. */
export async function restoreCorrections(
  sql: Queries,
  { tenantId, sessionId }: { readonly tenantId: number; readonly sessionId: string },
): Promise<void> {
  await sql`
    insert into corrections (tenant_id, session_id, seq, message_id, correction_seq, correction_id, corrected_at)
    select ${tenantId}, o.session_id, o.seq, o.id, c.seq, c.id, c.saved_at
    from messages c join messages o on o.tenant_id = c.tenant_id and o.session_id = c.session_id and o.id = c.replaces_id
    where c.tenant_id = ${tenantId} and c.session_id = ${sessionId} and c.external_id = ${correctionNameOf('')} || o.id::text
      and c.kind <> 'erased' and o.kind <> 'erased'
    on conflict do nothing`
}

/** The number of the message that stands in the place of one that was corrected, also where that was corrected again. */
export async function correctionOf(
  sql: Queries,
  { tenantId, sessionId }: { readonly tenantId: number; readonly sessionId: string },
  seq: number,
): Promise<number | undefined> {
  const [row] = await sql<{ seq: string }[]>`
    with recursive later as (
      select correction_seq as seq from corrections where tenant_id = ${tenantId} and session_id = ${sessionId} and seq = ${seq}
      union select c.correction_seq from corrections c join later using (seq)
        where c.tenant_id = ${tenantId} and c.session_id = ${sessionId}
    )
    select seq from later where not exists (
      select from corrections c where c.tenant_id = ${tenantId} and c.session_id = ${sessionId} and c.seq = later.seq)`
  return row === undefined ? undefined : Number(row.seq)
}
