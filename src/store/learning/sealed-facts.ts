import type { TransactionSql } from 'postgres'

import type { RowSeal } from '../../crypto/row-seal.ts'
import { keepFromErasure } from '../erasure/keep-from-erasure.ts'
import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import { arrayLiteral } from '../search/search-units.ts'
import { dropEarlierFacts, type ReadAnew } from './facts-anew.ts'
import { lockFacts } from './lock-facts.ts'
import { lockDescription } from './session-projects.ts'

/** What a fact says. */
export interface FactBody {
  readonly text: string
  /** Who said it. */
  readonly subject: string
  /** What it is the answer to; absent where there may be several answers. */
  readonly slot?: string | undefined
  /** What it says, as what says that it is so no longer names it; of that it is the slot too. */
  readonly claim?: string | undefined
  /** Who wrote it by hand. */
  readonly by?: string | undefined
  /** The program that wrote it for them, in its own words; absent for the command line. */
  readonly through?: string | undefined
}

/** How a fact is found, hashed as search terms are. */
export interface FactTerms {
  /** The same where the same was said by the same one. */
  readonly statement: bigint
  /** What it is the answer to. */
  readonly subject: bigint | undefined
  readonly words: readonly bigint[]
}

/** A place in a message: UTF-16 offsets into what there is to read of it. */
export interface FactSource {
  readonly messageId: string
  readonly seq: number
  readonly start: number
  readonly end: number
}

export interface NewFact {
  readonly id: string
  readonly kind: string
  readonly body: FactBody
  readonly terms: FactTerms
  readonly confidence: number
  /** ISO 8601. */
  readonly validFrom: string
  readonly madeBy: string
  readonly sources: readonly FactSource[]
}

/** A fact as it is stored: what it says are bytes, sealed or not. */
export interface SealedFact extends Omit<NewFact, 'body'> {
  readonly body: Buffer
}

export function sealFact<Fact extends { readonly id: string; readonly body: FactBody }>(
  fact: Fact,
  seal: RowSeal | undefined,
): Omit<Fact, 'body'> & { readonly body: Buffer } {
  const plain = Buffer.from(JSON.stringify(fact.body), 'utf8')
  return { ...fact, body: seal === undefined ? plain : seal.seal({ field: 'fact', id: fact.id }, plain) }
}

/** Facts of a session, and what they hold on. */
export interface StoredFindings {
  readonly facts: readonly SealedFact[]
  readonly keyVersion: number
  readonly erasures: number
  /** The mark of what was known of the session when it was read in which project they are. */
  readonly described: string
  /** Of which messages they are all that is found by patterns: what earlier versions of these found there gives way. */
  readonly anew?: ReadAnew | undefined
}

/**
 * Stores facts of a session; of those that are there nothing is changed, and of messages that are gone nothing is stored. What
 * somebody has deleted does not come back from the same words, wherever they are said; and where somebody has changed one by hand that is not
 * found there any more, none is found in other words either, but for what takes the place of another that stood beside it: each is that which
 * is nearest to it of what was found there before. Returns the ids of those that gave way;
 * undefined where the session is under another key by now, messages of it were erased or anonymised since `erasures` was read, or its source
 * says something else of it.
 */
export async function saveFacts(
  sql: TransactionSql,
  { tenantId, sessionId }: SessionKey,
  { facts, keyVersion, erasures, described, anew }: StoredFindings,
): Promise<readonly string[] | undefined> {
  await lockFacts(sql, tenantId, 'shared')
  await keepFromErasure(sql, tenantId, [{ sessionId }])
  await lockDescription(sql, { tenantId, sessionId }, 'shared')
  const [session] = await sql<{ key_version: number; erasures: number; mark: string }[]>`
    select key_version, erasures, coalesce(md5(metadata), '') as mark from sessions where tenant_id = ${tenantId} and id = ${sessionId}`
  // Of what was erased nothing is to be learned.
  if (session === undefined) return []
  if (session.key_version !== keyVersion || session.erasures !== erasures || session.mark !== described)
    return undefined
  const gone = anew === undefined ? [] : await dropEarlierFacts(sql, { tenantId, sessionId }, anew)
  const rows = facts.map((fact) => ({
    id: fact.id,
    k: fact.kind,
    b: fact.body.toString('base64'),
    st: String(fact.terms.statement),
    su: fact.terms.subject === undefined ? null : String(fact.terms.subject),
    w: arrayLiteral(fact.terms.words),
    c: fact.confidence,
    at: fact.validFrom,
    by: fact.madeBy,
    m: fact.sources.map(({ messageId: i, seq: q, start: s, end: e }) => ({ i, q, s, e })),
  }))
  await sql`
    with given as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
        as fact(id uuid, k text, b text, st bigint, su bigint, w text, c real, at timestamptz, by text, m jsonb)
    ), places as materialized (
      select given.id, place.* from given, jsonb_to_recordset(given.m) as place(i uuid, q bigint, s int, e int)
    ), gone as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(gone)}::text::jsonb) as was("messageId" uuid, "start" int, "end" int)
    ), taken as materialized (
      select places.id, max(${nearness(sql)}) as near
      from places join fact_sources s on s.tenant_id = ${tenantId} and s.message_id = places.i and s.span_start < places.e and s.span_end > places.s
        join facts f on f.tenant_id = ${tenantId} and f.id = s.fact_id and f.changed_at is not null and f.made_by <> 'user'
          and not exists (select from given again where again.id = f.id)
      group by places.id
    ), saved as (
      insert into facts (tenant_id, id, session_id, kind, body, statement_term, subject_term, terms, confidence, valid_from, made_by,
        key_version)
      select ${tenantId}, id, ${sessionId}, k, decode(b, 'base64'), st, su, w::bigint[], c, at, by, ${keyVersion} from given
      where not exists (
        select from facts hidden where hidden.tenant_id = ${tenantId} and hidden.statement_term = st and hidden.kind = k
          and (hidden.deleted_at is not null or hidden.superseded_by is not null))
      and not exists (select from taken where taken.id = given.id and not exists (
        select from places join (select "messageId", "start" as span_start, "end" as span_end from gone) s on s."messageId" = places.i
            and s.span_start < places.e and s.span_end > places.s
        where places.id = taken.id and ${nearness(sql)} > taken.near))
      and not exists (
        select from places where places.id = given.id and not exists (
          select from messages m where m.tenant_id = ${tenantId} and m.session_id = ${sessionId} and m.seq = places.q
            and m.id = places.i and m.kind <> 'erased'))
      on conflict do nothing returning id
    )
    insert into fact_sources (tenant_id, fact_id, session_id, message_id, seq, span_start, span_end)
    select ${tenantId}, places.id, ${sessionId}, i, q, s, e from places join saved on saved.id = places.id
    on conflict do nothing`
  return gone.map(({ id }) => id)
}

/** How near a place is to the span of what was found before: what both have, of what either has. */
const nearness = (sql: Queries) => sql`
  (least(places.e, s.span_end) - greatest(places.s, s.span_start))::float8 / (greatest(places.e, s.span_end) - least(places.s, s.span_start))`
