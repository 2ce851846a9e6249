import type { Viewer } from '../../model/access.ts'
import { andOpen } from '../access/session-access.ts'
import type { Stretch } from '../erasure/erasure-plan.ts'
import type { SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'

/** In how many messages a model was to look for names, and how far it has. Those that were anonymised have none to be found. */
export interface NameCoverage {
  readonly messages: number
  readonly unread: number
  /** Long ones of which the beginning was read. */
  readonly partly: number
}

interface CoverageRow {
  messages: string
  unread: string
  partly: string
}

const counted = (sql: Queries) => sql`
  count(*) as messages, count(*) filter (where n.id is null) as unread, count(*) filter (where not n.is_whole) as partly`

/** The condition on `m` that it is a message that a model is to read. */
const isToRead = (sql: Queries) => sql`m.kind = 'message' and m.anonymized_at is null`

function fromRow(row: CoverageRow | undefined): NameCoverage {
  return { messages: Number(row?.messages ?? 0), unread: Number(row?.unread ?? 0), partly: Number(row?.partly ?? 0) }
}

export async function coverageOfSession(sql: Queries, { tenantId, sessionId }: SessionKey): Promise<NameCoverage> {
  const [row] = await sql<CoverageRow[]>`
    select ${counted(sql)} from messages m
    left join message_names n on n.tenant_id = ${tenantId} and n.id = m.id
    where m.tenant_id = ${tenantId} and m.session_id = ${sessionId} and ${isToRead(sql)}`
  return fromRow(row)
}

/** The same of all sessions that somebody may read. */
export async function coverageOfStore(sql: Queries, viewer: Viewer): Promise<NameCoverage> {
  const { tenantId } = viewer
  const [row] = await sql<CoverageRow[]>`
    select ${counted(sql)} from messages m
    left join message_names n on n.tenant_id = ${tenantId} and n.id = m.id
    where m.tenant_id = ${tenantId} and ${isToRead(sql)}
      and m.session_id in (select id from sessions where tenant_id = ${tenantId} ${andOpen(sql, viewer, 'read')})`
  return fromRow(row)
}

/** The same of chosen messages of some sessions; of one without stretches of all of its messages. */
export async function coverageOfChosen(
  sql: Queries,
  tenantId: number,
  sessions: readonly { readonly id: string; readonly stretches: readonly Stretch[] }[],
): Promise<NameCoverage> {
  const chosen = JSON.stringify(
    sessions.flatMap(({ id: s, stretches }) =>
      stretches.length === 0 ? [{ s, f: 1, l: Number.MAX_SAFE_INTEGER }] : stretches.map(([f, l]) => ({ s, f, l })),
    ),
  )
  const [row] = await sql<CoverageRow[]>`
    select ${counted(sql)}
    from jsonb_to_recordset(${chosen}::text::jsonb) as chosen(s uuid, f bigint, l bigint)
    join messages m on m.tenant_id = ${tenantId} and m.session_id = s and m.seq between f and l
    left join message_names n on n.tenant_id = ${tenantId} and n.id = m.id
    where ${isToRead(sql)}`
  return fromRow(row)
}
