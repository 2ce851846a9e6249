import { z } from 'zod'

import type { RowSeal } from '../../crypto/row-seal.ts'
import { patterns } from '../../model/extractors.ts'
import { openFactBody } from '../learning/open-fact.ts'
import type { FactBody, FactTerms } from '../learning/sealed-facts.ts'
import type { MessageSource, SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import { arrayLiteral } from '../search/search-units.ts'

const time = z.string()
const count = z.number().int()

/** All that a fact says: what is not named here would be lost with the database. */
const bodyFields = {
  text: z.string(),
  subject: z.string(),
  slot: z.string().optional(),
  claim: z.string().optional(),
  by: z.string().optional(),
  through: z.string().optional(),
} satisfies Record<keyof FactBody, z.ZodType>

/** A fact as it is archived. How it is found follows from what it says. */
export const factRecordSchema = z.object({
  id: z.string(),
  kind: z.string(),
  body: z.object(bodyFields),
  confidence: z.number(),
  valid_from: time.nullable(),
  valid_to: time.nullable(),
  superseded_by: z.string().nullable(),
  pinned: z.boolean(),
  made_by: z.string(),
  created_at: time,
  changed_at: time.nullable(),
  deleted_at: time.nullable(),
  sources: z.array(z.object({ message_id: z.string(), seq: count, span_start: count, span_end: count })),
})
export type FactRecord = z.infer<typeof factRecordSchema>

/**
 * What was learned of a session and could not be had again from its messages: what somebody has changed by hand, and what a model
 * wrote. The rest is learned anew.
 */
export async function readFactRecords(database: MessageSource, key: SessionKey): Promise<FactRecord[]> {
  const { tenantId, sessionId } = key
  const rows = await database.run(
    (sql) => sql<
      {
        record: Readonly<Record<string, unknown>>
        id: string
        body: Uint8Array
        key_version: number
        sources: unknown
      }[]
    >`
    select jsonb_build_object('id', id, 'kind', kind, 'confidence', confidence, 'valid_from', valid_from, 'valid_to', valid_to,
        'superseded_by', superseded_by, 'pinned', pinned, 'made_by', made_by, 'created_at', created_at, 'changed_at', changed_at,
        'deleted_at', deleted_at) as record, id, body, key_version,
      (select coalesce(jsonb_agg(jsonb_build_object('message_id', s.message_id, 'seq', s.seq, 'span_start', s.span_start, 'span_end', s.span_end)
         order by s.seq), '[]') from fact_sources s where s.tenant_id = ${tenantId} and s.fact_id = facts.id) as sources
    from facts where tenant_id = ${tenantId} and session_id = ${sessionId} and (split_part(made_by, '/', 1) <> ${patterns} or changed_at is not null)
    order by id`,
  )
  const versions = rows.map((row) => ({ sessionId, version: row.key_version }))
  const seals = await database.vault.sealsOf(tenantId, versions)
  return rows.flatMap((row) => {
    const body = openFactBody(row, seals(sessionId, row.key_version))
    return 'damage' in body ? [] : [factRecordSchema.parse({ ...row.record, body, sources: row.sources })]
  })
}

/** Stores facts as they were archived. */
export async function insertFactRecords(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  {
    facts,
    seal,
    termsOf,
  }: {
    readonly facts: readonly FactRecord[]
    readonly seal: RowSeal | undefined
    readonly termsOf: (kind: string, body: FactBody) => FactTerms
  },
): Promise<void> {
  for (const { body, sources, ...fact } of facts) {
    const plain = Buffer.from(JSON.stringify(body), 'utf8')
    const bytes = seal === undefined ? plain : seal.seal({ field: 'fact', id: fact.id }, plain)
    const { statement, subject, words } = termsOf(fact.kind, body)
    await sql`
      insert into facts (tenant_id, id, session_id, kind, body, statement_term, subject_term, terms, confidence, valid_from, valid_to,
        superseded_by, pinned, made_by, created_at, changed_at, deleted_at, key_version)
      select ${tenantId}, id, ${sessionId}, kind, ${bytes}, ${String(statement)}::text::bigint,
        ${subject === undefined ? null : String(subject)}::text::bigint, ${arrayLiteral(words)}::text::bigint[], confidence, valid_from,
        valid_to, superseded_by, pinned, made_by, created_at, changed_at, deleted_at, ${seal?.version ?? 0}::int
      from jsonb_to_record(${JSON.stringify(fact)}::text::jsonb) as f(id uuid, kind text, confidence real, valid_from timestamptz,
        valid_to timestamptz, superseded_by uuid, pinned boolean, made_by text, created_at timestamptz, changed_at timestamptz,
        deleted_at timestamptz)
      on conflict do nothing`
    await sql`
      insert into fact_sources (tenant_id, fact_id, session_id, message_id, seq, span_start, span_end)
      select ${tenantId}, ${fact.id}, ${sessionId}, message_id, seq, span_start, span_end
      from jsonb_to_recordset(${JSON.stringify(sources)}::text::jsonb) as s(message_id uuid, seq bigint, span_start int, span_end int)
      on conflict do nothing`
  }
}
