import type { Sql } from 'postgres'

import type { Viewer } from '../model/access.ts'
import { andOpen } from './access/session-access.ts'
import { restrictedNames } from './access/usable.ts'

export interface NamedCount {
  readonly name: string
  readonly sessions: number
}

/** Who takes part, with which models, from which sources: the most frequent of each. */
export interface StoreProfile {
  readonly participants: readonly NamedCount[]
  readonly models: readonly NamedCount[]
  readonly sources: readonly NamedCount[]
  readonly tags: readonly NamedCount[]
}

const namesMax = 20

export async function readProfile(sql: Sql, viewer: Viewer): Promise<StoreProfile> {
  const rows = await sql<{ kind: string; name: string; sessions: string }[]>`
    with seen as (
      select * from sessions where tenant_id = ${viewer.tenantId} and not restricted ${andOpen(sql, viewer, 'read')}
    ), named as (
      select 'participants' as kind, name from seen, unnest(participants) as name where name not in (${restrictedNames(sql, viewer.tenantId)})
      union all select 'models', unnest(models_used) from seen
      union all select 'tags', unnest(tags) from seen
      union all select 'sources', source from seen
    ), counted as (
      select kind, name, count(*) as sessions, row_number() over (partition by kind order by count(*) desc, name) as place
      from named group by kind, name
    )
    select kind, name, sessions from counted where place <= ${namesMax} order by kind, place`
  const of = (kind: string) =>
    rows.filter((row) => row.kind === kind).map((row) => ({ name: row.name, sessions: Number(row.sessions) }))
  return { participants: of('participants'), models: of('models'), sources: of('sources'), tags: of('tags') }
}
