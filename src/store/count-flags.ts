import type { Sql } from 'postgres'

import type { Viewer } from '../model/access.ts'
import { andOpen } from './access/session-access.ts'

/** How many messages are flagged, and how many secrets of each kind they hold. */
export interface FlaggedMessages {
  readonly secrets: { readonly messages: number; readonly kinds: Readonly<Record<string, number>> }
  readonly instructions: { readonly messages: number }
}

/** Counts what is flagged of a tenant. Uses `search_units_flagged`. */
export async function countFlagged(sql: Sql, viewer: Viewer): Promise<FlaggedMessages> {
  const [row] = await sql<{ secrets: string; instructions: string; kinds: Record<string, number> | null }[]>`
    with flagged as materialized (
      select distinct on (u.session_id, u.first_seq) flags from search_units u
      where u.tenant_id = ${viewer.tenantId} and u.flags <> '{}' and u.level in (0, 3) and u.part = 0
        and exists (select from sessions where tenant_id = ${viewer.tenantId} and id = u.session_id ${andOpen(sql, viewer, 'read')})
    )
    select count(*) filter (where flags ? 'secrets') as secrets, count(*) filter (where flags ? 'instructions') as instructions,
      (select jsonb_object_agg(kind, number) from (
        select kind, sum(number::int) as number from flagged, jsonb_each_text(flags->'secrets') as held(kind, number)
        group by kind) kinds) as kinds
    from flagged`
  return {
    secrets: { messages: Number(row?.secrets ?? 0), kinds: row?.kinds ?? {} },
    instructions: { messages: Number(row?.instructions ?? 0) },
  }
}
