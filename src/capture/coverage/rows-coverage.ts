import type { SessionCoverage } from './session-comparison.ts'

/** How much is stored of sessions whose rows are compared one by one. */
export interface RowsCoverage {
  readonly sessions: number
  readonly sessions_incomplete: number
  readonly rows: number
  readonly rows_missing: number
  readonly agents: readonly AgentCoverage[]
  /** Some of the sessions of which something is missing, the longest waiting first. */
  readonly incomplete: readonly SessionCoverage[]
  /** All sessions, where they were asked for. */
  readonly each?: readonly SessionCoverage[]
}

export interface AgentCoverage {
  readonly agent: string
  readonly sessions: number
  readonly sessions_incomplete: number
  readonly rows: number
  readonly rows_missing: number
  readonly missing_since?: string
  readonly last_written_at?: string
  readonly last_captured_at?: string
}

const namedMax = 20

export function rowsCoverage(
  sessions: readonly SessionCoverage[],
  { everySession }: { readonly everySession: boolean },
): RowsCoverage {
  const agents = new Map<string, SessionCoverage[]>()
  for (const session of sessions) {
    const [agent = ''] = session.session.split('/', 1)
    const known = agents.get(agent)
    if (known === undefined) agents.set(agent, [session])
    else known.push(session)
  }
  const incomplete = sessions.filter((session) => session.rows_missing > 0)
  const since = ({ missing_since: time = '' }: SessionCoverage) => time
  return {
    ...totals(sessions),
    agents: [...agents].map(([agent, own]) => ({ agent, ...totals(own), ...times(own) })),
    incomplete: incomplete.toSorted((left, right) => (since(left) < since(right) ? -1 : 1)).slice(0, namedMax),
    ...(everySession ? { each: sessions } : {}),
  }
}

function totals(sessions: readonly SessionCoverage[]) {
  return {
    sessions: sessions.length,
    sessions_incomplete: sessions.filter((session) => session.rows_missing > 0).length,
    rows: sessions.reduce((total, { rows }) => total + rows, 0),
    rows_missing: sessions.reduce((total, session) => total + session.rows_missing, 0),
  }
}

/** ISO 8601 in UTC sorts as text. */
export function times(sessions: readonly SessionCoverage[]) {
  const missing = sessions.flatMap((session) => session.missing_since ?? []).toSorted()[0]
  const written = sessions.flatMap((session) => session.last_written_at ?? []).toSorted().at(-1)
  const captured = sessions.flatMap((session) => session.last_captured_at ?? []).toSorted().at(-1)
  return {
    ...(missing === undefined ? {} : { missing_since: missing }),
    ...(written === undefined ? {} : { last_written_at: written }),
    ...(captured === undefined ? {} : { last_captured_at: captured }),
  }
}
