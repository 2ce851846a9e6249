import type { PendingQuery, Row } from 'postgres'

import type { Viewer } from '../../model/access.ts'
import type { Queries } from '../rows.ts'

/** Names a viewer to a function, as a FROM, whose row is made before what is selected from it. It ends with the statement. */
export function naming(sql: Queries, { tenantId, principalId, call }: Viewer): PendingQuery<Row[]> {
  return sql`from (
    select set_config('verbatim.tenant', ${String(tenantId)}, true), set_config('verbatim.principal', ${principalId ?? ''}, true),
      set_config('verbatim.call', ${call === undefined ? '' : JSON.stringify(call.columns)}, true)
  ) named`
}
