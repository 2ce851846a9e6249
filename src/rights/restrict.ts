import { createHmac } from 'node:crypto'

import { requireSessionTo } from '../capture/session-reference.ts'
import { ConflictError, InputError, NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { checkName } from '../model/validate.ts'
import { queueArchive } from '../store/archive/archive-queue.ts'
import { writeAudit } from '../store/audit/audit-log.ts'
import type { Database } from '../store/database.ts'
import { ownTombstoneKey } from '../store/erasure/tombstones.ts'
import { forgetUnusable } from '../store/learning/recall-feedback.ts'
import { sessionsOfParticipant, type ParticipantSession } from '../store/rights/participant.ts'
import {
  deleteRestrictedParticipant,
  insertRestrictedParticipant,
  noteRestriction,
  writeSessionRestriction,
} from '../store/rights/restrictions.ts'
import type { Queries } from '../store/rows.ts'
import { inTransaction } from '../store/transaction.ts'
import { embedAgain } from '../store/vectors/embed-again.ts'

/** What is to be restricted, or not any more: a session, or all that somebody said. */
export interface RestrictionTarget {
  /** Ours or the source's own id. */
  readonly session?: string | undefined
  /** As messages name their sender, exactly. */
  readonly participant?: string | undefined
}

export interface RestrictionChange extends RestrictionTarget {
  readonly isRestricted: boolean
  readonly reason: string
}

/** What was restricted or released. */
export type Restricted =
  | { readonly kind: 'session'; readonly id: string }
  | { readonly kind: 'participant'; readonly name: string; readonly sessions: number; readonly messages: number }

/**
 * Restricts what is named: it stays stored, and is not searched, recalled, summarized or embedded from then on. Or releases it,
 * which also embeds what was saved meanwhile. With the reason in the audit log.
 */
export async function changeRestriction(
  database: Database,
  caller: Caller,
  { session, participant, isRestricted, reason: given }: RestrictionChange,
): Promise<Restricted> {
  const reason = checkName(given, { field: 'reason', charactersMax: limits.titleCharactersMax })
  if ((session === undefined) === (participant === undefined))
    throw new InputError('Cannot change a restriction as it must be of one session or of one participant', {
      remedy: 'Name the session, or --participant',
    })
  if (session !== undefined) return await changeSession(database, caller, { session, isRestricted, reason })
  const name = checkName(participant ?? '', { field: 'participant', charactersMax: limits.nameCharactersMax })
  return await changeParticipant(database, caller, { name, isRestricted, reason })
}

function unchanged(what: string, isRestricted: boolean): ConflictError {
  return new ConflictError(
    `Nothing was changed as ${what} is ${isRestricted ? 'restricted already' : 'not restricted'}`,
    {
      remedy: 'Run "verbatim restrict --list" to see what is restricted',
    },
  )
}

async function changeSession(
  database: Database,
  caller: Caller,
  change: { readonly session: string; readonly isRestricted: boolean; readonly reason: string },
): Promise<Restricted> {
  const { isRestricted, reason } = change
  const { tenantId } = caller
  const { id, lastSeq } = await requireSessionTo(database, caller, { reference: change.session, action: 'manage' })
  await inTurn(database, unchanged(`session "${id}"`, isRestricted), async (transaction) => {
    if (!(await writeSessionRestriction(transaction, { tenantId, sessionId: id }, isRestricted))) return false
    await (isRestricted ? forgetUnusable(transaction, tenantId) : embedAgain(transaction, tenantId, [{ id, lastSeq }]))
    await queueArchive(transaction, [{ tenantId, sessionId: id }], 0)
    await writeAudit(transaction, caller, {
      action: isRestricted ? 'session.restrict' : 'session.unrestrict',
      objectKind: 'session',
      objectId: id,
      outcome: 'ok',
      reason,
    })
    return true
  })
  database.announce?.({ tenantId, sessionId: id })
  return { kind: 'session', id }
}

async function changeParticipant(
  database: Database,
  caller: Caller,
  { name, isRestricted, reason }: { readonly name: string; readonly isRestricted: boolean; readonly reason: string },
): Promise<Restricted> {
  const { tenantId, principal: by } = caller
  let sessions: readonly ParticipantSession[] = []
  await inTurn(database, unchanged('this participant', isRestricted), async (transaction) => {
    const isDone = isRestricted
      ? await insertRestrictedParticipant(transaction, { tenantId, name, reason, by })
      : await deleteRestrictedParticipant(transaction, tenantId, name)
    if (!isDone) return false
    sessions = await sessionsOfParticipant(transaction, tenantId, name)
    if (isRestricted && sessions.length === 0)
      throw new NotFoundError('There is no message of a participant of this name', {
        remedy:
          'Give the name exactly as messages have it: "verbatim sessions --json" lists the participants of each session',
      })
    await noteRestriction(
      transaction,
      tenantId,
      sessions.map(({ sessionId }) => sessionId),
    )
    const restored = sessions.map(({ sessionId, lastSeq }) => ({ id: sessionId, lastSeq }))
    await (isRestricted ? forgetUnusable(transaction, tenantId) : embedAgain(transaction, tenantId, restored))
    // The name itself is not written into a record that is never erased: who knows it can tell that it was this one.
    const key = await ownTombstoneKey(transaction, tenantId)
    await writeAudit(transaction, caller, {
      action: isRestricted ? 'participant.restrict' : 'participant.unrestrict',
      objectKind: 'participant',
      objectId: createHmac('sha256', key).update(name).digest('hex'),
      outcome: 'ok',
      reason,
      count: sessions.reduce((sum, { messages }) => sum + messages, 0),
    })
    return true
  })
  for (const { sessionId } of sessions) database.announce?.({ tenantId, sessionId })
  const messages = sessions.reduce((sum, one) => sum + one.messages, 0)
  return { kind: 'participant', name, sessions: sessions.length, messages }
}

/** All of it or nothing; a second attempt, where the answer of the first was lost, finds it done. */
async function inTurn(
  database: Database,
  problem: ConflictError,
  work: (transaction: Queries) => Promise<boolean>,
): Promise<void> {
  let attempts = 0
  const isDone = await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      attempts++
      return await work(transaction)
    }),
  )
  if (!isDone && attempts === 1) throw problem
}
