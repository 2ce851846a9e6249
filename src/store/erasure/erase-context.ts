import type { TransactionSql } from 'postgres'

import type { SessionKey } from '../messages.ts'
import { nearSeqMax } from '../neighbours.ts'
import { embedTopic } from '../work/outbox.ts'
import { isOf, type Piece } from './piece.ts'
import { addWorkAnew } from './work-anew.ts'

/**
 * A message is embedded with what was said before it: the vectors of those that follow the erased ones go too, and are made
 * anew. To be called while the erased ones still have their kind. Vectors elsewhere lose the hash of their text, by which they
 * are known as ones to be removed.
 */
export async function eraseContext(sql: TransactionSql, key: SessionKey, piece: Piece): Promise<void> {
  const { tenantId, sessionId } = key
  const rows = await sql<{ seq: string }[]>`
    select distinct next.seq from messages gone, lateral (
      select n.seq from messages n
      where n.tenant_id = ${tenantId} and n.session_id = ${sessionId} and n.seq > gone.seq and n.seq <= gone.seq + ${nearSeqMax}
        and n.kind = 'message'
      order by n.seq limit 1) next
    where gone.tenant_id = ${tenantId} and gone.session_id = ${sessionId} and gone.kind = 'message'
      and ${isOf(sql, 'gone.seq', piece)} and not (${isOf(sql, 'next.seq', piece)})
    order by next.seq`
  if (rows.length === 0) return
  const seqs = rows.map(({ seq }) => Number(seq))
  const followers = { first: seqs[0] ?? 0, last: seqs.at(-1) ?? 0, only: seqs }
  const [table] = await sql`select where to_regclass('unit_vectors') is not null`
  if (table !== undefined)
    await sql`
      delete from unit_vectors
      where tenant_id = ${tenantId} and model_id in (select id from embedding_models where tenant_id = ${tenantId})
        and level in (0, 1, 2) and session_id = ${sessionId} and ${isOf(sql, 'first_seq', followers)}`
  const embedded = await sql`
    update embedded_units set text_sha256 = ''
    where tenant_id = ${tenantId} and level in (0, 1, 2) and session_id = ${sessionId} and ${isOf(sql, 'first_seq', followers)}`
  await sql`
    delete from embedded_units
    where tenant_id = ${tenantId} and level in (0, 1, 2) and session_id = ${sessionId} and ${isOf(sql, 'first_seq', followers)}
      and model_id in (select id from embedding_models where tenant_id = ${tenantId} and vector_index = 'pgvector')`
  if (embedded.count === 0) return
  await addWorkAnew(
    sql,
    embedTopic,
    seqs.map((seq) => ({ tenantId, sessionId, firstSeq: seq, lastSeq: seq })),
  )
}
