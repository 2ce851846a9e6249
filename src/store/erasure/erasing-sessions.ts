import type { Queries } from '../rows.ts'

/** Has nothing more saved to sessions that are to go whole: it would be told that it is stored, and go with them. */
export async function closeErasing(sql: Queries, tenantId: number, sessionIds: readonly string[]): Promise<void> {
  await sql`
    update sessions set erasing_at = now() where tenant_id = ${tenantId} and id in (
      select id from sessions where tenant_id = ${tenantId} and erasing_at is null
        and id in (select jsonb_array_elements_text(${JSON.stringify(sessionIds)}::text::jsonb)::uuid)
      order by id for no key update)`
}

/**
 * Has sessions saved to again that nobody here is to erase whole any more. With `kept`, that session alone, which a piece of work has left as it
 * was: what another one is to erase stays closed, as what is saved to it would go.
 */
export async function reopenErasing(
  sql: Queries,
  tenantId: number,
  kept?: { readonly sessionId: string; readonly itemId: number },
): Promise<void> {
  const [ofSession, byOthers] =
    kept === undefined ? [sql``, sql``] : [sql`and s.id = ${kept.sessionId}`, sql`and o.id <> ${kept.itemId}`]
  await sql`
    update sessions s set erasing_at = null, version = version + 1
    where s.tenant_id = ${tenantId} and s.erasing_at is not null ${ofSession} and not exists (
      select from outbox o where o.tenant_id = ${tenantId} and o.topic = 'erase' and o.session_id = s.id ${byOthers}
        and o.details->>'whole' = 'true' and o.details->>'rowsErased' is distinct from 'true')`
}
