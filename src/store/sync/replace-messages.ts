import type { TransactionSql } from 'postgres'

import type { RowSeal } from '../../crypto/row-seal.ts'
import { tombstonePrefix } from '../../model/messages/tombstone.ts'
import { insertArchivedMessages } from '../archive/archived-messages.ts'
import { eraseDerived } from '../erasure/erase-derived.ts'
import type { SessionKey } from '../messages.ts'
import { eraseNames } from '../names/message-names.ts'
import { forgetMade } from './forget-made.ts'
import type { SyncedMessage } from './place-messages.ts'

interface RawPlace {
  readonly id: string
  readonly seq: string
  readonly external_id: string | null
  readonly follows_id: string | null
  readonly location: string | null
  readonly kind: string
}

export interface Replaced {
  readonly firstChanged: number | undefined
  /** How many messages took their own empty places. */
  readonly filled: number
  /** Where large payloads of them are that may be of nobody by now. */
  readonly payloads: readonly string[]
}

/**
 * Of messages that are there already: of one that was anonymised at both stores, the one that was first takes the place of the other, so that both have
 * the same; and a message takes its own place where that is empty and nobody has erased it here. What is made of what was there goes.
 */
export async function replaceMessages(
  sql: TransactionSql,
  key: SessionKey,
  { messages, seal }: { readonly messages: readonly SyncedMessage[]; readonly seal: RowSeal | undefined },
): Promise<Replaced> {
  const { tenantId, sessionId } = key
  const given = messages.filter(({ record }) => record.kind !== 'erased')
  if (given.length === 0) return { firstChanged: undefined, filled: 0, payloads: [] }
  const there = await placesToTake(sql, key, given)
  if (there.length === 0) return { firstChanged: undefined, filled: 0, payloads: [] }
  // What was made of the text that goes is found by its rows.
  await forget(
    sql,
    key,
    there.filter(({ kind }) => kind !== 'erased'),
  )
  const gone = await sql<RawPlace[]>`
    delete from messages where tenant_id = ${tenantId} and session_id = ${sessionId}
      and id in (select jsonb_array_elements_text(${JSON.stringify(there.map(({ id }) => id))}::text::jsonb)::uuid)
    returning id, seq, external_id, follows_id, payload_location as location, kind`
  // Of an empty place only what its neighbours have together was made: a summary that a client wrote of them stays.
  await forget(
    sql,
    key,
    gone.filter(({ kind }) => kind === 'erased'),
  )
  const places = new Map(gone.map((row) => [row.id, row]))
  const firstChanged = Math.min(...gone.map(({ seq }) => Number(seq)))
  await forgetMade(sql, key, firstChanged)
  await insertArchivedMessages(sql, key, {
    messages: given.flatMap((message) => {
      const place = places.get(message.record.id)
      if (place === undefined) return []
      const { seq, external_id: name, follows_id: follows } = place
      const own = { seq: Number(seq), external_id: name ?? undefined, follows_id: follows ?? undefined }
      return [{ ...message, record: { ...message.record, ...own } }]
    }),
    seal,
  })
  const filled = gone.filter(({ kind }) => kind === 'erased').length
  return { firstChanged, filled, payloads: gone.flatMap(({ location }) => location ?? []) }
}

interface Taken {
  readonly id: string
  readonly seq: string
  readonly kind: string
}

/** The messages whose places are to be taken; nobody changes them until the transaction ends. */
async function placesToTake(
  sql: TransactionSql,
  { tenantId, sessionId }: SessionKey,
  given: readonly SyncedMessage[],
): Promise<readonly Taken[]> {
  const times = JSON.stringify(given.map(({ record }) => ({ i: record.id, a: record.anonymized_at })))
  return await sql<Taken[]>`
    select m.id, m.seq, m.kind from messages m join jsonb_to_recordset(${times}::text::jsonb) as r(i uuid, a timestamptz) on m.id = r.i
    where m.tenant_id = ${tenantId} and m.session_id = ${sessionId} and case when m.kind <> 'erased' then m.anonymized_at > r.a
      else not exists (select from tombstones t where t.tenant_id = ${tenantId} and t.kind = 'message'
        and t.hash = sha256(convert_to(${tombstonePrefix.message} || m.id::text, 'UTF8'))) end
    order by m.seq for update of m`
}

/** Removes what was made of messages. */
async function forget(sql: TransactionSql, key: SessionKey, of: readonly Pick<Taken, 'seq'>[]): Promise<void> {
  if (of.length === 0) return
  const seqs = of.map(({ seq }) => Number(seq))
  const piece = { first: Math.min(...seqs), last: Math.max(...seqs), only: seqs }
  await eraseNames(sql, key, piece)
  await eraseDerived(sql, key, piece)
}
