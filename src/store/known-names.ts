import type { Sql } from 'postgres'

import type { Viewer } from '../model/access.ts'
import type { NameKind, UnknownName, WantedName } from '../model/unknown-name.ts'
import { andOpen } from './access/session-access.ts'
import { restrictedNames } from './access/usable.ts'

const similarMax = 5
/** A shorter name stands in many others by chance. */
const partCharactersMin = 3

/**
 * Which of some names no session has that the viewer may read, and which they have that differ from it in case alone, are a part of it or have it
 * as a part. Reads all sessions: for who has found nothing.
 */
export async function unknownNames(
  sql: Sql,
  viewer: Viewer,
  wanted: readonly WantedName[],
): Promise<readonly UnknownName[]> {
  if (wanted.length === 0) return []
  const rows = await sql<{ kind: NameKind; name: string; known: string | null }[]>`
    with seen as (
      select * from sessions where tenant_id = ${viewer.tenantId} and not restricted ${andOpen(sql, viewer, 'read')}
    ), named as (
      select 'participant' as kind, name from seen, unnest(participants) as name where name not in (${restrictedNames(sql, viewer.tenantId)})
      union select 'model', unnest(models_used) from seen
      union select 'tag', unnest(tags) from seen
      union select 'source', source from seen
    ), wanted as (
      select w ->> 'kind' as kind, w ->> 'name' as name, ordinality
      from jsonb_array_elements(${JSON.stringify(wanted)}::text::jsonb) with ordinality as given (w, ordinality)
    )
    select w.kind, w.name, n.name as known from wanted w left join named n on n.kind = w.kind and (
      lower(n.name) = lower(w.name)
      or length(w.name) >= ${partCharactersMin} and strpos(lower(n.name), lower(w.name)) > 0
      or length(n.name) >= ${partCharactersMin} and strpos(lower(w.name), lower(n.name)) > 0)
    order by ordinality, lower(n.name) = lower(w.name) desc, length(n.name), n.name`
  return wanted.flatMap(({ kind, name }) => {
    const like = rows.filter((row) => row.kind === kind && row.name === name).flatMap(({ known }) => known ?? [])
    return like.includes(name) ? [] : [{ kind, name, similar: like.slice(0, similarMax) }]
  })
}
