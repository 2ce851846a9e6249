import { readHeads, type MessageHead, type MessageSource, type SessionKey } from '../messages.ts'
import { isoTime, type Queries } from '../rows.ts'

/** What a message names that was saved after none, although it is not the first. */
export const afterNone = '00000000-0000-0000-0000-000000000000'

/** What a message is known by, and the one that it was saved after. */
export interface MessageMark {
  readonly seq: number
  readonly id: string
  /** Undefined where it was saved after none. */
  readonly follows: string | undefined
  /** SHA-256 of its payload in hexadecimal, or `erased`. */
  readonly content: string
  /** ISO 8601. */
  readonly anonymizedAt: string | undefined
}

function followed(followsId: string | null, before: string | undefined): string | undefined {
  if (followsId === null) return before
  return followsId === afterNone ? undefined : followsId
}

/** Marks of up to `limit` messages of a session in order. Uses the primary key. */
export async function readMarks(
  database: MessageSource,
  key: SessionKey,
  { fromSeq, limit }: { readonly fromSeq: number; readonly limit: number },
): Promise<MessageMark[]> {
  const heads = await readHeads(database, key, { fromSeq: Math.max(1, fromSeq - 1), limit: limit + 1 })
  let before: MessageHead | undefined
  const marks = heads.map((head) => {
    const mark = {
      seq: head.seq,
      id: head.id,
      follows: followed(head.followsId, before?.id),
      content: head.kind === 'erased' ? 'erased' : Buffer.from(head.payloadSha256).toString('hex'),
      anonymizedAt: head.anonymizedAt ?? undefined,
    }
    before = head
    return mark
  })
  return marks.filter(({ seq }) => seq >= fromSeq).slice(0, limit)
}

/** A message that is stored, in the tree of its session. */
export interface StoredLink {
  readonly seq: number
  readonly id: string
  readonly follows: string | undefined
  readonly savedAt: string
  /** Whether that is written in its row. */
  readonly isApart: boolean
}

/**
 * The messages of a session behind one of its messages, and further back where one of those was saved after a message that is before
 * it: so that each was saved after `root` or after another of them.
 */
export async function readTail(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  afterSeq: number,
): Promise<{ readonly root: string | undefined; readonly rootSeq: number; readonly links: readonly StoredLink[] }> {
  let rootSeq = afterSeq
  for (;;) {
    const [row] = await sql<{ seq: string | null }[]>`
      select min(coalesce(p.seq, 0)) as seq from messages m
      left join messages p on p.tenant_id = m.tenant_id and p.session_id = m.session_id and p.id = m.follows_id
      where m.tenant_id = ${tenantId} and m.session_id = ${sessionId} and m.seq > ${rootSeq} and m.follows_id is not null`
    const earliest = row === undefined || row.seq === null ? rootSeq : Number(row.seq)
    if (earliest >= rootSeq) break
    rootSeq = earliest
  }
  const rows = await sql<{ seq: string; id: string; follows_id: string | null; saved_at: string | Date }[]>`
    select seq, id, follows_id, saved_at from messages
    where tenant_id = ${tenantId} and session_id = ${sessionId} and seq >= ${rootSeq} order by seq`
  let before: string | undefined
  const links: StoredLink[] = []
  let root: string | undefined
  for (const { seq, id, follows_id: followsId, saved_at: savedAt } of rows) {
    if (Number(seq) === rootSeq) root = id
    else
      links.push({
        seq: Number(seq),
        id,
        follows: followed(followsId, before),
        savedAt: isoTime(savedAt),
        isApart: followsId !== null,
      })
    before = id
  }
  return { root, rootSeq, links }
}

/** Where some messages of a session are. */
export async function seqsOf(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await sql<{ id: string; seq: string }[]>`
    select id, seq from messages where tenant_id = ${tenantId} and session_id = ${sessionId}
      and id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb)::uuid)`
  return new Map(rows.map(({ id, seq }) => [id, Number(seq)]))
}
