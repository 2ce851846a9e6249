import type { Viewer } from '../../model/access.ts'
import { roleSchema, type Role } from '../../model/messages/message.ts'
import type { VectorFilter } from '../../ports/vector-index.ts'
import { hasClosedSessions } from '../../store/access/session-access.ts'
import { hasRestrictedParticipants } from '../../store/access/usable.ts'
import type { Database } from '../../store/database.ts'
import { looksAtMessage, type NameFilter, type UnitFilter } from '../../store/search/unit-filter.ts'
import { sessionSizes } from '../../store/session-ids.ts'

/** Sessions that a filter of a vector index names at most; where tags fit more, results are filtered afterwards alone. */
const sessionsMax = 1_000

export interface VectorScope {
  /** What of a search's filter a vector index can check by itself. */
  readonly filter: VectorFilter
  /** Whether the rest is to be checked on what it finds, so that much of that may fall away. */
  readonly isPartial: boolean
  /** Messages of the sessions that the filter names; undefined where it names none. */
  readonly messages: number | undefined
}

export async function vectorScope(database: Database, viewer: Viewer, filter: UnitFilter): Promise<VectorScope> {
  const { sessionId, notSessionId, tags, since, until } = filter
  const sessions =
    sessionId === undefined && tags === undefined
      ? undefined
      : await database.run((sql) => sessionSizes(sql, viewer, { filter, limit: sessionsMax + 1 }))
  const roles = filter.roles === undefined ? undefined : rolesOf(filter.roles)
  const isNamed = sessions !== undefined && sessions.length <= sessionsMax
  const checked: VectorFilter = {
    ...(isNamed ? { sessionIds: sessions.map(({ id }) => id) } : {}),
    ...(notSessionId === undefined ? {} : { notSessionId }),
    ...(since === undefined ? {} : { sinceMs: Date.parse(since) }),
    ...(until === undefined ? {} : { untilMs: Date.parse(until) }),
    ...(roles === undefined ? {} : { roles }),
  }
  return {
    filter: checked,
    isPartial:
      looksAtMessage(filter) ||
      filter.flags !== undefined ||
      (sessions !== undefined && !isNamed) ||
      (await database.run(
        async (sql) =>
          (await hasClosedSessions(sql, viewer)) || (await hasRestrictedParticipants(sql, viewer.tenantId)),
      )),
    messages: isNamed ? sessions.reduce((sum, { messages }) => sum + messages, 0) : undefined,
  }
}

function rolesOf({ any, none }: NameFilter): Role[] {
  return roleSchema.options.filter((role) => (any.length === 0 || any.includes(role)) && !none.includes(role))
}
