import { archiveTopic } from './archive-queue.ts'
import { isoTime, type Queries } from './rows.ts'

/** One sentence of a summary and the message it comes from. */
export interface SummarySentence {
  readonly text: string
  /** Our ids; empty where a model wrote the sentence and named none. */
  readonly message_ids: readonly string[]
  /** Where the sentence is a quotation: of whom, and the number of the message. */
  readonly sender?: string
  readonly seq?: number
}

/** How an extracted summary was made: one is only as good for a later call as it was asked for. */
export interface SummaryMaking {
  readonly max_tokens: number
  readonly messages_read: number
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
  readonly making: SummaryMaking | undefined
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
  readonly making?: SummaryMaking
}

/** Stores a summary, and leaves its session to be archived with it. */
export async function saveSummary(sql: Queries, tenantId: number, summary: NewSummary): Promise<void> {
  const body = Buffer.from(JSON.stringify({ sentences: summary.sentences, making: summary.making }), 'utf8')
  await sql`
    with saved as (
      insert into summaries (tenant_id, id, session_id, level, style, first_seq, last_seq, body, made_by, model)
      values (${tenantId}, ${summary.id}, ${summary.sessionId}, ${summary.level}, ${summary.style}, ${summary.firstSeq},
        ${summary.lastSeq}, ${body}, ${summary.madeBy}, ${summary.model ?? null})
      on conflict do nothing returning tenant_id, session_id
    )
    insert into outbox (tenant_id, topic, session_id) select tenant_id, ${archiveTopic}, session_id from saved`
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
  const body: { sentences: SummarySentence[]; making?: SummaryMaking } = JSON.parse(
    Buffer.from(row.body).toString('utf8'),
  )
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
    making: body.making,
    createdAt: isoTime(row.created_at),
  }
}

const columns = (sql: Queries) => sql`
  id, session_id, style, first_seq, last_seq, body, made_by, model, created_at`

interface SummarizedSession {
  readonly tenantId: number
  readonly sessionId: string
}

/** The newest summary of a whole session; one that a model wrote goes before an extracted one, however old. */
export async function latestSummary(sql: Queries, key: SummarizedSession): Promise<Summary | undefined> {
  const rows = await sql<RawSummary[]>`
    select ${columns(sql)} from summaries
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and level = 'session'
    order by (made_by = 'host') desc, created_at desc, id desc limit 1`
  return rows[0] === undefined ? undefined : fromRow(rows[0])
}

/**
 * The newest summary that covers a session up to its message `lastSeq`: one that a model wrote, in whatever style, or
 * an extracted one in this style.
 */
export async function currentSummary(
  sql: Queries,
  key: SummarizedSession,
  wanted: { readonly style: string; readonly lastSeq: number },
): Promise<Summary | undefined> {
  const rows = await sql<RawSummary[]>`
    select ${columns(sql)} from summaries
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and level = 'session'
      and first_seq = 1 and last_seq = ${wanted.lastSeq} and (made_by = 'host' or style = ${wanted.style})
    order by (made_by = 'host') desc, created_at desc, id desc limit 1`
  return rows[0] === undefined ? undefined : fromRow(rows[0])
}
