import type { TransactionSql } from 'postgres'

import type { RowSeal } from '../../crypto/row-seal.ts'
import { insertArchivedMessages } from '../archive/archived-messages.ts'
import { eraseDerived } from '../erasure/erase-derived.ts'
import type { SessionKey } from '../messages.ts'
import { forgetMade } from './forget-made.ts'
import type { SyncedMessage } from './place-messages.ts'

export interface Replaced {
  readonly firstChanged: number | undefined
  /** Where large payloads of them are that may be of nobody by now. */
  readonly payloads: readonly string[]
}

/**
 * Of messages that were anonymised at both stores, the one that was first takes the place of the other, so that both have the same. What is made of
 * that goes.
 */
export async function replaceMessages(
  sql: TransactionSql,
  key: SessionKey,
  { messages, seal }: { readonly messages: readonly SyncedMessage[]; readonly seal: RowSeal | undefined },
): Promise<Replaced> {
  const { tenantId, sessionId } = key
  const anonymised = messages.filter(({ record }) => record.anonymized_at !== undefined && record.kind !== 'erased')
  if (anonymised.length === 0) return { firstChanged: undefined, payloads: [] }
  const times = JSON.stringify(anonymised.map(({ record }) => ({ i: record.id, a: record.anonymized_at })))
  const gone = await sql<{ id: string; seq: string; follows_id: string | null; location: string | null }[]>`
    delete from messages m using jsonb_to_recordset(${times}::text::jsonb) as r(i uuid, a timestamptz)
    where m.tenant_id = ${tenantId} and m.session_id = ${sessionId} and m.id = r.i and m.kind <> 'erased' and m.anonymized_at > r.a
    returning m.id, m.seq, m.follows_id, m.payload_location as location`
  if (gone.length === 0) return { firstChanged: undefined, payloads: [] }
  const places = new Map(gone.map((row) => [row.id, row]))
  const seqs = gone.map(({ seq }) => Number(seq))
  const piece = { first: Math.min(...seqs), last: Math.max(...seqs), only: seqs }
  await eraseDerived(sql, key, piece)
  await forgetMade(sql, key, piece.first)
  await insertArchivedMessages(sql, key, {
    messages: anonymised.flatMap((message) => {
      const place = places.get(message.record.id)
      if (place === undefined) return []
      const record = { ...message.record, seq: Number(place.seq), follows_id: place.follows_id ?? undefined }
      return [{ ...message, record }]
    }),
    seal,
  })
  return { firstChanged: piece.first, payloads: gone.flatMap(({ location }) => location ?? []) }
}
