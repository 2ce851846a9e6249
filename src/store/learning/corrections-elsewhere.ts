import { keepFromErasure } from '../erasure/keep-from-erasure.ts'
import type { MessageSource, SessionKey } from '../messages.ts'
import type { Transaction } from '../rows.ts'
import { arrayLiteral } from '../search/search-units.ts'
import { learnTopic } from '../work/outbox.ts'
import { openFactBody } from './open-fact.ts'
import type { FactBody, FactTerms, SealedFact } from './sealed-facts.ts'

/** What somebody put by hand in the place of facts of a session, and that is stored in another session, in which the same was told. */
export interface CorrectionElsewhere {
  readonly id: string
  readonly sessionId: string
  readonly kind: string
  readonly body: FactBody
  /** Changes with what is stored of it. */
  readonly mark: string
  /** The facts of the session that it is in the place of. */
  readonly replaced: readonly string[]
}

/** A correction as it is stored in a session of its own, beside the one that it is a copy of. */
export interface CopiedCorrection extends Pick<SealedFact, 'id' | 'body' | 'terms'> {
  readonly of: Pick<CorrectionElsewhere, 'id' | 'sessionId' | 'mark' | 'replaced'>
}

interface RawCorrection {
  id: string
  session_id: string
  kind: string
  body: Uint8Array
  key_version: number
  mark: string
  replaced: string[]
}

/** Those of a session that hold: of one that was corrected again the last. One that cannot be opened is left out. */
export async function correctionsElsewhere(
  database: MessageSource,
  { tenantId, sessionId }: SessionKey,
): Promise<CorrectionElsewhere[]> {
  const rows = await database.run(
    (sql) => sql<RawCorrection[]>`
    with recursive leads as (
      select f.id as replaced, f.superseded_by as id from facts f
      where f.tenant_id = ${tenantId} and f.session_id = ${sessionId} and f.superseded_by is not null
        and not exists (select from facts own where own.tenant_id = ${tenantId} and own.id = f.superseded_by and own.session_id = ${sessionId})
      union
      select leads.replaced, g.superseded_by from leads join facts g on g.tenant_id = ${tenantId} and g.id = leads.id
      where g.superseded_by is not null
    )
    select g.id, g.session_id, g.kind, g.body, g.key_version, md5(g.body) as mark, jsonb_agg(leads.replaced) as replaced
    from leads join facts g on g.tenant_id = ${tenantId} and g.id = leads.id
    where g.superseded_by is null and g.deleted_at is null and g.made_by = 'user' and g.session_id <> ${sessionId}
    group by g.tenant_id, g.id`,
  )
  const keys = rows.map((row) => ({ sessionId: row.session_id, version: row.key_version }))
  const seals = await database.vault.sealsOf(tenantId, keys)
  return rows.flatMap((row) => {
    const body = openFactBody(row, seals(row.session_id, row.key_version))
    if ('damage' in body) return []
    const { id, kind, mark, replaced } = row
    return [{ id, sessionId: row.session_id, kind, body, mark, replaced }]
  })
}

/** Keeps a session, and those that corrections are copied from, from erasure: see `keepFromErasure`. */
export async function holdCorrected(
  sql: Transaction,
  { tenantId, sessionId }: SessionKey,
  copies: readonly CopiedCorrection[],
): Promise<void> {
  await keepFromErasure(sql, tenantId, [{ sessionId }, ...copies.map(({ of }) => of)])
}

/**
 * Stores a copy of a correction in a session, in the place of the same facts and with their sources. False where what it is a copy of
 * was changed or erased meanwhile, or the facts were.
 */
export async function copyCorrection(
  sql: Transaction,
  { tenantId, sessionId }: SessionKey,
  { id, body, terms, of, keyVersion }: CopiedCorrection & { readonly keyVersion: number },
): Promise<boolean> {
  const { statement, subject, words } = terms
  const copied = await sql`
    with original as materialized (
      select * from facts where tenant_id = ${tenantId} and id = ${of.id} and superseded_by is null and deleted_at is null
        and md5(body) = ${of.mark} for share
    ), replaced as (
      update facts set superseded_by = ${id}
      where tenant_id = ${tenantId} and session_id = ${sessionId} and superseded_by is not null and exists (select from original)
        and id in (select jsonb_array_elements_text(${JSON.stringify(of.replaced)}::text::jsonb)::uuid)
      returning id, valid_from
    ), placed as (
      insert into fact_sources (tenant_id, fact_id, session_id, message_id, seq, span_start, span_end)
      select f.tenant_id, ${id}, f.session_id, f.message_id, f.seq, f.span_start, f.span_end
      from fact_sources f join replaced on replaced.id = f.fact_id where f.tenant_id = ${tenantId}
      on conflict do nothing
    )
    insert into facts (tenant_id, id, session_id, kind, body, statement_term, subject_term, terms, confidence, valid_from, valid_to, pinned,
      made_by, created_at, changed_at, key_version)
    select tenant_id, ${id}, ${sessionId}, kind, ${body}, ${String(statement)}::text::bigint,
      ${subject === undefined ? null : String(subject)}::text::bigint, ${arrayLiteral(words)}::text::bigint[], confidence,
      (select min(valid_from) from replaced), valid_to, pinned, made_by, created_at, changed_at, ${keyVersion}::int
    from original where exists (select from replaced)
    returning 1`
  return copied.length > 0
}

/**
 * Has the sessions looked at again in whose facts' place some are, wherever these are about to be put: by other hashes than they have.
 * To be called before they are. It is work on no message, as `placeFactsAgain` is.
 */
export async function placeCorrectedAgain(
  sql: Transaction,
  { tenantId, sessionId }: SessionKey,
  facts: readonly { readonly id: string; readonly terms: FactTerms }[],
): Promise<void> {
  const rows = facts.map(({ id, terms }) => ({ id, st: String(terms.statement) }))
  await sql`
    with recursive placed as (
      select f.id, f.session_id from facts f join jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(id uuid, st bigint) on r.id = f.id
      where f.tenant_id = ${tenantId} and f.made_by = 'user' and f.statement_term <> r.st
      union
      select f.id, f.session_id from facts f join placed on f.superseded_by = placed.id where f.tenant_id = ${tenantId}
    )
    insert into outbox (tenant_id, topic, session_id, first_seq, last_seq)
    select distinct ${tenantId}::int, ${learnTopic}, session_id, 1, 0 from placed where session_id <> ${sessionId}`
}
