import type { Queries } from '../rows.ts'

/** Has nothing more saved to sessions that are to go whole: it would be told that it is stored, and go with them. */
export async function closeErasing(sql: Queries, tenantId: number, sessionIds: readonly string[]): Promise<void> {
  await sql`
    update sessions set erasing_at = now() where tenant_id = ${tenantId} and id in (
      select id from sessions where tenant_id = ${tenantId} and erasing_at is null
        and id in (select jsonb_array_elements_text(${JSON.stringify(sessionIds)}::text::jsonb)::uuid)
      order by id for no key update)`
}

/** Has sessions saved to again that are kept, and those of which it is the work of nobody here to erase them. */
export async function reopenErasing(sql: Queries, tenantId: number, sessionId?: string): Promise<void> {
  const which =
    sessionId === undefined
      ? sql`not exists (select from outbox o where o.tenant_id = ${tenantId} and o.topic = 'erase' and o.session_id = s.id)`
      : sql`s.id = ${sessionId}`
  await sql`
    update sessions s set erasing_at = null, version = version + 1
    where s.tenant_id = ${tenantId} and s.erasing_at is not null and ${which}`
}
