import type { Sql } from 'postgres'

import { isoTime } from './rows.ts'

/** One sentence of a summary and the message it comes from. */
export interface SummarySentence {
  readonly text: string
  /** Our ids; empty where a model wrote the sentence and named none. */
  readonly message_ids: readonly string[]
}

export interface Summary {
  readonly id: string
  readonly sessionId: string | null
  readonly style: string
  readonly firstSeq: number | null
  readonly lastSeq: number | null
  readonly text: string
  readonly sentences: readonly SummarySentence[]
  readonly madeBy: string
  readonly model: string | null
  readonly createdAt: string
}

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
}

export async function saveSummary(sql: Sql, tenantId: number, summary: NewSummary): Promise<void> {
  const body = Buffer.from(JSON.stringify({ sentences: summary.sentences }), 'utf8')
  await sql`
    insert into summaries (tenant_id, id, session_id, level, style, first_seq, last_seq, body, made_by, model)
    values (${tenantId}, ${summary.id}, ${summary.sessionId}, ${summary.level}, ${summary.style}, ${summary.firstSeq},
      ${summary.lastSeq}, ${body}, ${summary.madeBy}, ${summary.model ?? null})
    on conflict do nothing`
}

interface RawSummary {
  id: string
  session_id: string | null
  style: string
  first_seq: string | null
  last_seq: string | null
  body: Uint8Array
  made_by: string
  model: string | null
  created_at: string
}

function fromRow(row: RawSummary): Summary {
  const body: { sentences: SummarySentence[] } = JSON.parse(Buffer.from(row.body).toString('utf8'))
  return {
    id: row.id,
    sessionId: row.session_id,
    style: row.style,
    firstSeq: row.first_seq === null ? null : Number(row.first_seq),
    lastSeq: row.last_seq === null ? null : Number(row.last_seq),
    text: body.sentences.map((sentence) => sentence.text).join('\n'),
    sentences: body.sentences,
    madeBy: row.made_by,
    model: row.model,
    createdAt: isoTime(row.created_at),
  }
}

/** The newest summary of a whole session, in one style or in any; one that a model wrote goes before an extracted one. */
export async function latestSummary(
  sql: Sql,
  key: { readonly tenantId: number; readonly sessionId: string },
  style?: string,
): Promise<Summary | undefined> {
  const rows = await sql<RawSummary[]>`
    select id, session_id, style, first_seq, last_seq, body, made_by, model, created_at from summaries
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and level = 'session'
      ${style === undefined ? sql`` : sql`and style = ${style}`}
    order by (made_by = 'host') desc, created_at desc, id desc limit 1`
  return rows[0] === undefined ? undefined : fromRow(rows[0])
}
