import { roleSchema } from '../model/message.ts'
import type { VectorFilter } from '../ports/vector-index.ts'
import type { Database } from '../store/database.ts'
import type { UnitFilter } from '../store/score-units.ts'
import { sessionSizes } from '../store/session-ids.ts'

/** Sessions that a filter of a vector index names at most; where tags fit more, results are filtered afterwards alone. */
const sessionsMax = 1_000

export interface VectorScope {
  /** What of a search's filter a vector index can check by itself; the rest is checked on what it found. */
  readonly filter: VectorFilter
  /** Messages of the sessions that the filter names; undefined where it names none. */
  readonly messages: number | undefined
}

export async function vectorScope(database: Database, tenantId: number, filter: UnitFilter): Promise<VectorScope> {
  const { sessionId, notSessionId, tags, since, until } = filter
  const sessions =
    sessionId === undefined && tags === undefined
      ? undefined
      : await database.run((sql) => sessionSizes(sql, tenantId, { sessionId, tags, limit: sessionsMax + 1 }))
  const roles = filter.roles?.flatMap((role) => roleSchema.safeParse(role).data ?? [])
  const isNamed = sessions !== undefined && sessions.length <= sessionsMax
  const checked: VectorFilter = {
    ...(isNamed ? { sessionIds: sessions.map(({ id }) => id) } : {}),
    ...(notSessionId === undefined ? {} : { notSessionId }),
    ...(since === undefined ? {} : { sinceMs: Date.parse(since) }),
    ...(until === undefined ? {} : { untilMs: Date.parse(until) }),
    ...(roles === undefined ? {} : { roles }),
  }
  return { filter: checked, messages: sessions?.reduce((sum, { messages }) => sum + messages, 0) }
}
