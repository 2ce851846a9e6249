import type { TransactionSql } from 'postgres'

import type { RowSeal } from '../../crypto/row-seal.ts'
import { restrictedNames } from '../access/usable.ts'
import { archiveTopic } from '../archive/archive-queue.ts'
import { isSameReading, readMark, type ReadingMark } from '../erasure/keep-from-erasure.ts'
import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import type { SummaryMaking, SummarySentence } from './summaries.ts'

export interface NewSummary {
  readonly id: string
  readonly sessionId: string
  readonly level: 'segment' | 'session' | 'topic'
  readonly style: string
  readonly firstSeq: number
  readonly lastSeq: number
  readonly sentences: readonly SummarySentence[]
  readonly madeBy: string
  readonly model?: string | undefined
  readonly making?: SummaryMaking
}

/** A summary as it is stored: what it says are bytes, sealed or not. */
export interface SealedSummary extends Omit<NewSummary, 'sentences' | 'making'> {
  readonly body: Buffer
  readonly keyVersion: number
}

export function sealSummary({ sentences, making, ...about }: NewSummary, seal: RowSeal | undefined): SealedSummary {
  const plain = Buffer.from(JSON.stringify({ sentences, making }), 'utf8')
  const body = seal === undefined ? plain : seal.seal({ field: 'summary', id: about.id }, plain)
  return { ...about, body, keyVersion: seal?.version ?? 0 }
}

/**
 * Stores a summary that was made of messages, in a transaction: not where messages of the session were erased, anonymised or corrected
 * since `read` was: it may quote them; nor where it, or somebody who spoke in what it is of, is restricted or was since then, whose words
 * are to be in it again afterwards. Whoever saves in the session waits meanwhile, and a correction that is being saved is waited for.
 */
export async function saveMade(
  sql: TransactionSql,
  key: SessionKey,
  { read, ...summary }: SealedSummary & { readonly read: ReadingMark },
): Promise<void> {
  await sql`select from sessions where tenant_id = ${key.tenantId} and id = ${key.sessionId} for share`
  if (!isSameReading(read, await readMark(sql, key))) return
  const restricted = await sql`
    select from messages where tenant_id = ${key.tenantId} and session_id = ${key.sessionId}
      and seq between ${summary.firstSeq} and ${summary.lastSeq} and sender in (${restrictedNames(sql, key.tenantId)}) limit 1`
  if (restricted.length === 0) await saveSummary(sql, key.tenantId, summary)
}

/**
 * Stores a summary, and leaves its session to be archived with it. Not one of ours where the session is restricted by now, as not all of it was
 * read. One of a whole session that is ours takes the place of those that were made in its way before.
 */
export async function saveSummary(sql: Queries, tenantId: number, summary: SealedSummary): Promise<void> {
  await sql`
    with there as (
      select id from sessions where tenant_id = ${tenantId} and id = ${summary.sessionId}
        ${summary.madeBy === 'host' ? sql`` : sql`and not restricted`} for key share
    ), saved as (
      insert into summaries (tenant_id, id, session_id, level, style, first_seq, last_seq, body, made_by, model, key_version)
      select ${tenantId}, ${summary.id}::uuid, id, ${summary.level}, ${summary.style}, ${summary.firstSeq}::bigint, ${summary.lastSeq}::bigint,
        ${summary.body}::bytea, ${summary.madeBy}, ${summary.model ?? null}, ${summary.keyVersion}::int from there
      on conflict do nothing returning tenant_id, session_id
    ), replaced as (
      delete from summaries s using saved
      where s.tenant_id = saved.tenant_id and s.session_id = saved.session_id and s.level = 'session' and ${summary.level} = 'session'
        and s.made_by = ${summary.madeBy} and s.made_by <> 'host' and s.style = ${summary.style} and s.last_seq <= ${summary.lastSeq}::bigint
    )
    insert into outbox (tenant_id, topic, session_id) select tenant_id, ${archiveTopic}, session_id from saved`
}

/** Removes the summaries of segments that lie within another of the same style, which is stored in their place. */
export async function dropCoveredSegments(
  sql: Queries,
  key: SessionKey,
  segment: Pick<SealedSummary, 'id' | 'style' | 'firstSeq' | 'lastSeq'>,
): Promise<void> {
  await sql`
    delete from summaries
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and level = 'segment' and style = ${segment.style} and id <> ${segment.id}
      and first_seq >= ${segment.firstSeq} and last_seq <= ${segment.lastSeq}
      and exists (select from summaries s where s.tenant_id = ${key.tenantId} and s.id = ${segment.id})`
}
