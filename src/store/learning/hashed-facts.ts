import type { MessageSource, SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import { arrayLiteral } from '../search/search-units.ts'
import { openFactBody } from './open-fact.ts'
import type { FactBody, FactTerms } from './sealed-facts.ts'

export async function sessionsWithFacts(sql: Queries, tenantId: number): Promise<readonly string[]> {
  const rows = await sql<{ id: string }[]>`
    select distinct session_id as id from facts where tenant_id = ${tenantId} order by id`
  return rows.map(({ id }) => id)
}

interface ReadFact {
  readonly id: string
  /** Changes with what is stored of it. */
  readonly mark: string
}

/** What the facts of a session say, the hidden ones too. One that cannot be opened is left out. */
export async function readFactBodies(
  database: MessageSource,
  { tenantId, sessionId }: SessionKey,
): Promise<(ReadFact & { readonly kind: string; readonly body: FactBody })[]> {
  const rows = await database.run(
    (sql) => sql<(ReadFact & { kind: string; body: Uint8Array; key_version: number })[]>`
    select id, kind, body, key_version, md5(body) as mark from facts where tenant_id = ${tenantId} and session_id = ${sessionId}`,
  )
  const seals = await database.vault.sealsOf(
    tenantId,
    rows.map((row) => ({ sessionId, version: row.key_version })),
  )
  return rows.flatMap((row) => {
    const body = openFactBody(row, seals(sessionId, row.key_version))
    return 'damage' in body ? [] : [{ id: row.id, mark: row.mark, kind: row.kind, body }]
  })
}

/**
 * Whether facts say what they said when they were read; those that are gone say nothing else. What is found at a place by another version
 * of the patterns has the id of what was found there before. To be asked under `lockFacts`.
 */
export async function areAsRead(sql: Queries, tenantId: number, facts: readonly ReadFact[]): Promise<boolean> {
  const rows = JSON.stringify(facts.map(({ id, mark }) => ({ id, m: mark })))
  const others = await sql`
    select from jsonb_to_recordset(${rows}::text::jsonb) as r(id uuid, m text)
      join facts f on f.tenant_id = ${tenantId} and f.id = r.id and md5(f.body) <> r.m limit 1`
  return others.length === 0
}

/** Puts other hashes in the place of those that facts are found by. */
export async function storeFactTerms(
  sql: Queries,
  tenantId: number,
  facts: readonly { readonly id: string; readonly terms: FactTerms }[],
): Promise<void> {
  const rows = facts.map(({ id, terms: { statement, subject, words } }) => ({
    id,
    st: String(statement),
    su: subject === undefined ? null : String(subject),
    w: arrayLiteral(words),
  }))
  await sql`
    update facts f set statement_term = r.st, subject_term = r.su, terms = r.w::bigint[]
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(id uuid, st bigint, su bigint, w text)
    where f.tenant_id = ${tenantId} and f.id = r.id`
}

/**
 * Removes facts that say what somebody has deleted or put other words for, by their hashes of now: had these been known when they
 * were stored, they would not have been. What was changed by hand stays.
 */
export async function dropHidden(sql: Queries, tenantId: number, ids: readonly string[]): Promise<void> {
  await sql`
    with gone as (
      delete from facts f where f.tenant_id = ${tenantId} and f.changed_at is null and f.made_by <> 'user'
        and f.id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb)::uuid)
        and exists (
          select from facts hidden where hidden.tenant_id = f.tenant_id and hidden.statement_term = f.statement_term
            and hidden.kind = f.kind and (hidden.deleted_at is not null or hidden.superseded_by is not null))
      returning id)
    delete from fact_sources where tenant_id = ${tenantId} and fact_id in (select id from gone)`
}

/** The same the other way round: removes what says the same as some facts that somebody has deleted or put other words for, wherever it was told. */
export async function dropHiddenBy(sql: Queries, tenantId: number, ids: readonly string[]): Promise<void> {
  const rows = await sql<{ id: string }[]>`
    select f.id from facts hidden join facts f on f.tenant_id = ${tenantId} and f.statement_term = hidden.statement_term and f.kind = hidden.kind
    where hidden.tenant_id = ${tenantId} and hidden.id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb)::uuid)
      and (hidden.deleted_at is not null or hidden.superseded_by is not null)
      and f.deleted_at is null and f.superseded_by is null and f.changed_at is null and f.made_by <> 'user'`
  if (rows.length > 0)
    await dropHidden(
      sql,
      tenantId,
      rows.map(({ id }) => id),
    )
}
