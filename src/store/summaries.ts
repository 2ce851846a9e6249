import { BrokenSeal } from '../crypto/aead.ts'
import type { RowSeal } from '../crypto/row-seal.ts'
import { andUsableSummary } from './access/usable.ts'
import { archiveTopic } from './archive/archive-queue.ts'
import type { MessageSource } from './messages.ts'
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
 * Stores a summary, and leaves its session to be archived with it. Not where messages of the session were erased or anonymised since
 * `erasures` was read: it may quote them.
 */
export async function saveSummary(
  sql: Queries,
  tenantId: number,
  summary: SealedSummary & { readonly erasures?: number },
): Promise<void> {
  const { erasures } = summary
  await sql`
    with there as (
      select id from sessions where tenant_id = ${tenantId} and id = ${summary.sessionId}
        ${erasures === undefined ? sql`` : sql`and erasures = ${erasures}`} for key share
    ), saved as (
      insert into summaries (tenant_id, id, session_id, level, style, first_seq, last_seq, body, made_by, model, key_version)
      select ${tenantId}, ${summary.id}::uuid, id, ${summary.level}, ${summary.style}, ${summary.firstSeq}::bigint, ${summary.lastSeq}::bigint,
        ${summary.body}::bytea, ${summary.madeBy}, ${summary.model ?? null}, ${summary.keyVersion}::int from there
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
  key_version: number
}

interface SummaryBody {
  readonly sentences: readonly SummarySentence[]
  readonly making?: SummaryMaking
}

/** What a summary says, or why that cannot be had. */
function openBody(row: RawSummary, seal: RowSeal | undefined): SummaryBody | { readonly damage: string } {
  if (row.key_version !== 0 && seal === undefined) return { damage: 'the key of its session is missing or was altered' }
  try {
    const bytes = seal === undefined ? row.body : seal.open({ field: 'summary', id: row.id }, row.body)
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    if (error instanceof BrokenSeal) return { damage: 'its encrypted bytes were altered or moved' }
    throw error
  }
}

async function openBodies({ vault }: MessageSource, tenantId: number, rows: readonly RawSummary[]) {
  const keys = rows.flatMap(({ session_id: sessionId, key_version: version }) =>
    sessionId === null ? [] : [{ sessionId, version }],
  )
  const seals = await vault.sealsOf(tenantId, keys)
  return rows.map((row) => ({ row, body: openBody(row, seals(row.session_id ?? '', row.key_version)) }))
}

/** One that cannot be opened says so in its place. */
async function openSummaries(
  database: MessageSource,
  tenantId: number,
  rows: readonly RawSummary[],
): Promise<Summary[]> {
  const opened = await openBodies(database, tenantId, rows)
  return opened.map(({ row, body }) => {
    if (!('damage' in body)) return fromRow(row, body)
    return fromRow(row, { sentences: [{ text: `[summary ${row.id} refused: ${body.damage}]`, message_ids: [] }] })
  })
}

/** Summaries of some sessions that cannot be opened, and why. */
export async function damagedSummaries(
  database: MessageSource,
  tenantId: number,
  sessionIds: readonly string[],
): Promise<{ readonly id: string; readonly sessionId: string; readonly damage: string }[]> {
  const rows = await database.run(
    (sql) => sql<RawSummary[]>`
    select ${columns(sql)} from summaries
    where tenant_id = ${tenantId} and key_version > 0
      and session_id in (select jsonb_array_elements_text(${JSON.stringify(sessionIds)}::text::jsonb)::uuid)`,
  )
  const opened = await openBodies(database, tenantId, rows)
  return opened.flatMap(({ row, body }) =>
    'damage' in body ? [{ id: row.id, sessionId: row.session_id ?? '', damage: body.damage }] : [],
  )
}

function fromRow(row: RawSummary, body: SummaryBody): Summary {
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
  id, session_id, style, first_seq, last_seq, body, made_by, model, created_at, key_version`

interface SummarizedSession {
  readonly tenantId: number
  readonly sessionId: string
}

/** The newest summary of a whole session; one that a model wrote goes before an extracted one, however old. */
export async function latestSummary(database: MessageSource, key: SummarizedSession): Promise<Summary | undefined> {
  const rows = await database.run(
    (sql) => sql<RawSummary[]>`
    select ${columns(sql)} from summaries
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and level = 'session' ${andUsableSummary(sql, key.tenantId)}
    order by (made_by = 'host') desc, created_at desc, id desc limit 1`,
  )
  return (await openSummaries(database, key.tenantId, rows))[0]
}

/** Every summary of a session, of whatever level, the oldest first. */
export async function summariesOf(database: MessageSource, key: SummarizedSession): Promise<Summary[]> {
  const rows = await database.run(
    (sql) => sql<RawSummary[]>`
    select ${columns(sql)} from summaries
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} order by created_at, id`,
  )
  return await openSummaries(database, key.tenantId, rows)
}

/**
 * The newest summary that covers a session up to its message `lastSeq`: one that a model wrote, in whatever style, or
 * an extracted one in this style.
 */
export async function currentSummary(
  database: MessageSource,
  key: SummarizedSession,
  wanted: { readonly style: string; readonly lastSeq: number },
): Promise<Summary | undefined> {
  const rows = await database.run(
    (sql) => sql<RawSummary[]>`
    select ${columns(sql)} from summaries
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and level = 'session'
      and first_seq = 1 and last_seq = ${wanted.lastSeq} and (made_by = 'host' or style = ${wanted.style})
      ${andUsableSummary(sql, key.tenantId)}
    order by (made_by = 'host') desc, created_at desc, id desc limit 1`,
  )
  return (await openSummaries(database, key.tenantId, rows))[0]
}
