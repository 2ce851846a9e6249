import { erase, type ErasureReply } from '../erasure/forget.ts'
import type { RunDependencies } from '../erasure/run-erasure.ts'
import type { Caller } from '../model/access.ts'
import type { Database } from '../store/database.ts'
import type { Stretch } from '../store/erasure/erasure-plan.ts'
import { messagesToSweep, readPolicies, sessionsToSweep, type SweptSession } from '../store/erasure/retention.ts'
import { decideRetention, limitsFor, type RetentionPolicy, type RetentionReason } from './decide.ts'

/** What a sweep would erase of one session, and why. */
export interface ExpiredSession {
  readonly session_id: string
  /** Whether all of it goes. */
  readonly whole: boolean
  readonly messages: number
  readonly reasons: readonly RetentionReason[]
  readonly stretches: readonly Stretch[]
  /** As `sessions.erasures`: while it stays, these are their numbers. */
  readonly erasures: number
  /** The number of its last message: where all of it goes and more was saved since, it has not expired. */
  readonly last_seq: number
}

export interface RetentionPlan {
  readonly expired: readonly ExpiredSession[]
  /** Sessions of which something would go, and that a legal hold keeps. */
  readonly held: readonly string[]
}

const pageSessions = 500

/** What has expired at a moment, by the policies of a tenant. */
export async function planRetention(database: Database, tenantId: number, nowMs: number): Promise<RetentionPlan> {
  const policies = await database.run((sql) => readPolicies(sql, tenantId))
  const expired: ExpiredSession[] = []
  const held: string[] = []
  let after: string | undefined
  while (policies.length > 0) {
    const page = { after, limit: pageSessions }
    const sessions = await database.run((sql) => sessionsToSweep(sql, tenantId, page))
    for (const session of sessions) {
      const found = await verdictOn(database, { tenantId, policies, nowMs }, session)
      if (found === 'held') held.push(session.id)
      else if (found !== 'keep') expired.push(found)
    }
    after = sessions.at(-1)?.id
    if (sessions.length < pageSessions) break
  }
  return { expired, held }
}

interface Moment {
  readonly tenantId: number
  readonly policies: readonly RetentionPolicy[]
  readonly nowMs: number
}

async function verdictOn(
  database: Database,
  { tenantId, policies, nowMs }: Moment,
  session: SweptSession,
): Promise<ExpiredSession | 'keep' | 'held'> {
  const limits = limitsFor(policies, session)
  if (limits === undefined) return 'keep'
  const messages = await database.run((sql) => messagesToSweep(sql, { tenantId, sessionId: session.id }))
  const decided = decideRetention(limits, session, { messages, nowMs })
  if (decided.verdict !== 'erase') return decided.verdict
  const { reasons, stretches } = decided
  const whole = stretches.length === 0
  const count = whole ? messages.length : stretches.reduce((sum, [first, last]) => sum + last - first + 1, 0)
  const { id, erasures, lastSeq } = session
  return { session_id: id, whole, messages: count, reasons, stretches, erasures, last_seq: lastSeq }
}

/**
 * Erases what a plan says has expired; undefined where nothing has. What was put on hold since is left alone, and so is a session that
 * was to go whole and that something was saved to. The receipt is the proof; an erasure that is interrupted goes on by itself.
 */
export async function applyRetention(
  dependencies: RunDependencies & { readonly waitMs?: number },
  caller: Caller,
  plan: RetentionPlan,
): Promise<ErasureReply | undefined> {
  if (plan.expired.length === 0) return undefined
  const reasons = [...new Set(plan.expired.flatMap((session) => session.reasons))].toSorted()
  return await erase(dependencies, caller, {
    action: 'erase',
    scope: 'retention',
    filter: {},
    reason: `policies: ${reasons.join(', ')}`,
    sessions: plan.expired.map(({ session_id: id, whole, stretches, erasures, last_seq: lastSeq }) => ({
      id,
      stretches,
      erasures,
      lastSeq: whole ? lastSeq : undefined,
    })),
    held: plan.held,
  })
}
