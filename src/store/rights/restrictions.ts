import type { Database } from '../database.ts'
import type { Queries } from '../rows.ts'
import { withReasons } from './reasons.ts'

/** What is restricted, since when, by whom and why. Of a session whose restriction was set without a reason only that it is. */
export interface Restriction {
  readonly kind: 'session' | 'participant'
  /** Our id, or the sender's name. */
  readonly target: string
  readonly restricted_by: string | null
  readonly restricted_at: Date | null
  readonly reason: string | null
}

export async function readRestrictions(
  database: Pick<Database, 'run' | 'vault'>,
  tenantId: number,
): Promise<Restriction[]> {
  return await withReasons(database, tenantId, await database.run((sql) => readNoted(sql, tenantId)))
}

/** The same, with what is noted of the reasons. */
async function readNoted(sql: Queries, tenantId: number): Promise<Restriction[]> {
  return await sql<Restriction[]>`
    select 'participant' as kind, name as target, restricted_by, restricted_at, reason from restricted_participants
    where tenant_id = ${tenantId}
    union all
    select 'session', s.id::text, set.actor, set.at, set.reason from sessions s left join lateral (
      select actor, at, reason from audit_log a
      where a.tenant_id = s.tenant_id and a.action = 'session.restrict' and a.object_id = s.id::text order by a.id desc limit 1
    ) set on true
    where s.tenant_id = ${tenantId} and s.restricted
    order by kind, target`
}

/** False where the session is so already. */
export async function writeSessionRestriction(
  sql: Queries,
  key: { readonly tenantId: number; readonly sessionId: string },
  isRestricted: boolean,
): Promise<boolean> {
  const rows = await sql`
    update sessions set restricted = ${isRestricted}, restrictions = restrictions + 1, said_at = clock_timestamp(), version = version + 1
    where tenant_id = ${key.tenantId} and id = ${key.sessionId} and restricted <> ${isRestricted} returning 1`
  return rows.length > 0
}

/** False where they are restricted already. */
export async function insertRestrictedParticipant(
  sql: Queries,
  row: { readonly tenantId: number; readonly name: string; readonly reason: string; readonly by: string },
): Promise<boolean> {
  const rows = await sql`
    insert into restricted_participants (tenant_id, name, reason, restricted_by)
    values (${row.tenantId}, ${row.name}, ${row.reason}, ${row.by}) on conflict do nothing returning 1`
  return rows.length > 0
}

/** False where they were not. */
export async function deleteRestrictedParticipant(sql: Queries, tenantId: number, name: string): Promise<boolean> {
  const rows = await sql`
    delete from restricted_participants where tenant_id = ${tenantId} and name = ${name} returning 1`
  return rows.length > 0
}

/** Says that words in some sessions were restricted or released, to whoever is making something of them: see `sessions.restrictions`. */
export async function noteRestriction(sql: Queries, tenantId: number, sessionIds: readonly string[]): Promise<void> {
  await sql`
    update sessions set restrictions = restrictions + 1
    where tenant_id = ${tenantId} and id in (select jsonb_array_elements_text(${JSON.stringify(sessionIds)}::text::jsonb)::uuid)`
}
