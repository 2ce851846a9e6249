import type { Sql } from 'postgres'

import type { Viewer } from '../../model/access.ts'
import { text } from '../sql-text.ts'
import { sessionOfUnitConditions, unitConditions, type UnitFilter } from './unit-filter.ts'

/** Where a message is. */
export interface UnitPlace {
  readonly sessionId: string
  readonly seq: number
}

interface UnitsOfTime {
  readonly viewer: Viewer
  readonly level: number
  readonly filter: UnitFilter
  /** Milliseconds since 1970; not before the one, and before the other. */
  readonly fromMs: number
  readonly toMs: number
  /** Of so many units of that time that may be found, its newest, the messages are chosen. */
  readonly readMax: number
  readonly limit: number
}

/**
 * Messages of a time, whatever they say: of each session first how somebody began it, so that every one of them is seen, and the newest
 * sessions first. Uses `search_units_by_time`.
 */
export async function unitsOfTime(sql: Sql, request: UnitsOfTime): Promise<UnitPlace[]> {
  const { viewer, level, filter } = request
  const time = (milliseconds: number) => text`${new Date(milliseconds).toISOString()}::text::timestamptz`
  const { text: statement, values } = text`
    select session_id, first_seq from (
      select u.session_id, u.first_seq, u.timestamp, row_number() over (partition by u.session_id order by u.role <> 'user', u.first_seq) as turn
      from (
        select * from search_units u where u.tenant_id = ${viewer.tenantId} and u.level = ${level}
          and u.timestamp >= ${time(request.fromMs)} and u.timestamp < ${time(request.toMs)}
          and u.kind = 'message' and u.role <> 'tool' and u.part = 0 ${unitConditions(filter)}
          ${sessionOfUnitConditions(viewer, filter)}
        order by u.timestamp desc limit ${request.readMax}
      ) u
    ) found
    order by turn, timestamp desc, session_id, first_seq limit ${request.limit}`.toStatement()
  const rows = await sql.unsafe<{ session_id: string; first_seq: string }[]>(statement, values)
  return rows.map((row) => ({ sessionId: row.session_id, seq: Number(row.first_seq) }))
}
