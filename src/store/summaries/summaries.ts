import { BrokenSeal } from '../../crypto/aead.ts'
import type { RowSeal } from '../../crypto/row-seal.ts'
import type { Role } from '../../model/messages/message.ts'
import type { SummaryStyle } from '../../model/summary-style.ts'
import { andUsableSummary } from '../access/usable.ts'
import type { MessageSource } from '../messages.ts'
import { isoTime, type Queries } from '../rows.ts'

/** One sentence of a summary and the messages it comes from. */
export interface SummarySentence {
  readonly text: string
  /** Our ids; empty where the calling model wrote the sentence and cited none. */
  readonly message_ids: readonly string[]
  /** Where the sentence is a quotation: of whom, and the number of the message. */
  readonly sender?: string
  readonly seq?: number
  /** Where a model wrote the sentence: the same of each of its messages. */
  readonly sources?: readonly { readonly seq: number; readonly sender: string }[]
  /**
   * Where the calling model cited nothing and messages were looked for that bear the sentence out: `found`, its messages are these;
   * `not_found`, there are none; `names_unknown`, it has names or numbers that stand nowhere in the session.
   */
  readonly looked_for?: 'found' | 'not_found' | 'names_unknown'
  /** Where it stands for what was said around it in later summaries: what they choose it by. */
  readonly condensed?: {
    readonly role: Role
    readonly language: string | null
    readonly styles: readonly SummaryStyle[]
  }
}

/** How a summary of ours was made: one is only as good for a later call as it was asked for. */
export interface SummaryMaking {
  readonly max_tokens: number
  readonly messages_read: number
  /** Messages that the model was not shown, as they are flagged. */
  readonly messages_left_out?: number
  /** Messages that could not be read: it is made anew when it is asked for, unless each of them still cannot be. */
  readonly messages_unreadable?: number
  /** The numbers of these; absent where they are many. */
  readonly unreadable?: readonly number[]
  /** Sentences of the model that their messages did not bear out. */
  readonly sentences_dropped?: number
  /** Of a segment: how often segments were put together to make it. */
  readonly height?: number
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
  /** Of an extracted one which version chose its sentences; null where that was not noted yet. */
  readonly chosenBy: string | null
  readonly making: SummaryMaking | undefined
  readonly createdAt: string
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
    model: row.made_by === 'extractive' ? null : row.model,
    chosenBy: row.made_by === 'extractive' ? row.model : null,
    making: body.making,
    createdAt: isoTime(row.created_at),
  }
}

const columns = (sql: Queries) => sql`
  id, session_id, style, first_seq, last_seq, body, made_by, model, created_at, key_version`

/** What is stored of a segment: what a model noted of it, or its own sentences that stand for it. */
export type SegmentStyle = 'notes' | 'extract'

/** The summaries of segments of a session that may be used, in their order; of two that begin together the longer first. */
export async function segmentSummaries(
  database: MessageSource,
  key: SummarizedSession,
  { fromSeq, toSeq, style }: { readonly fromSeq: number; readonly toSeq: number; readonly style: SegmentStyle },
): Promise<Summary[]> {
  const rows = await database.run(
    (sql) => sql<RawSummary[]>`
    select ${columns(sql)} from summaries
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and level = 'segment' and style = ${style}
      and first_seq >= ${fromSeq} and last_seq <= ${toSeq} ${andUsableSummary(sql, key.tenantId)}
    order by first_seq, last_seq desc, id desc`,
  )
  const summaries = await openSummaries(database, key.tenantId, rows)
  // One that cannot be opened is made anew.
  return summaries.filter(({ making }) => making !== undefined)
}

interface SummarizedSession {
  readonly tenantId: number
  readonly sessionId: string
}

/**
 * Which goes before which: what the calling model wrote, what a model of ours wrote, what is extracted; of each the newest. One that
 * covers less than half of what another covers is out of date and goes behind them all.
 */
const bestFirst = (sql: Queries, style = sql`null::int`) => sql`
  order by (last_seq * 2 >= max(last_seq) over ()) desc, (made_by = 'host') desc, (made_by <> 'extractive') desc,
    ${style}, created_at desc, id desc`

/** What says most of a session in few words goes before; what a calling model wrote is what it wanted to be shown. */
const byStyle = (sql: Queries) => sql`
  case when made_by = 'host' then 0 else coalesce(array_position(array['brief', 'handoff', 'detailed'], style::text), 4) end`

/**
 * The summary of a whole session that is shown: one that a model wrote goes before an extracted one, as long as it covers half as much, and a
 * brief one before those of other styles, whoever asked for these last.
 */
export async function latestSummary(database: MessageSource, key: SummarizedSession): Promise<Summary | undefined> {
  const rows = await database.run(
    (sql) => sql<RawSummary[]>`
    select ${columns(sql)} from summaries
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and level = 'session' ${andUsableSummary(sql, key.tenantId)}
    ${bestFirst(sql, byStyle(sql))} limit 1`,
  )
  return (await openSummaries(database, key.tenantId, rows))[0]
}

/** Every summary of a session, the oldest first; with `madeBy` those that were made so, with `level` those of what is of that. */
export async function summariesOf(
  database: MessageSource,
  key: SummarizedSession,
  { madeBy, level }: { readonly madeBy?: string; readonly level?: 'session' } = {},
): Promise<Summary[]> {
  const rows = await database.run(
    (sql) => sql<RawSummary[]>`
    select ${columns(sql)} from summaries
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId}
      ${madeBy === undefined ? sql`` : sql`and made_by = ${madeBy}`} ${level === undefined ? sql`` : sql`and level = ${level}`}
    order by created_at, id`,
  )
  return await openSummaries(database, key.tenantId, rows)
}

/** What a calling model writes is a few sentences, or what the prompt `handoff` asks it for. */
const hostStyles = ['brief', 'handoff']

/**
 * The newest summary in a style that covers a session up to its message `lastSeq`: one that the calling model wrote, or one of
 * ours, an extracted one only where it would do.
 */
export async function currentSummary(
  database: MessageSource,
  key: SummarizedSession,
  wanted: { readonly style: string; readonly lastSeq: number; readonly isExtractedEnough: boolean },
): Promise<Summary | undefined> {
  const rows = await database.run(
    (sql) => sql<RawSummary[]>`
    select ${columns(sql)} from summaries
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and level = 'session'
      and first_seq = 1 and last_seq = ${wanted.lastSeq} and (style = ${wanted.style} or (made_by = 'host' and ${hostStyles.includes(wanted.style)}))
      and (made_by <> 'extractive' or ${wanted.isExtractedEnough})
      ${andUsableSummary(sql, key.tenantId)}
    ${bestFirst(sql)} limit 1`,
  )
  return (await openSummaries(database, key.tenantId, rows))[0]
}
