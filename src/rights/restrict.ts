import { requireSessionTo } from '../capture/session-reference.ts'
import { ConflictError, InputError, NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { giveReason } from '../model/reason.ts'
import { checkName } from '../model/validate.ts'
import { queueArchive } from '../store/archive/archive-queue.ts'
import { writeAudit } from '../store/audit/audit-log.ts'
import type { Database } from '../store/database.ts'
import { eraseReasonsOfGone } from '../store/erasure/complete-erasure.ts'
import { forgetUnusable } from '../store/learning/recall-feedback.ts'
import { changeSessionFor } from '../store/rights/change-session.ts'
import { participantHash, sessionsOfParticipant, type ParticipantSession } from '../store/rights/participant.ts'
import { keepReason } from '../store/rights/reasons.ts'
import {
  deleteRestrictedParticipant,
  insertRestrictedParticipant,
  noteRestriction,
  writeSessionRestriction,
} from '../store/rights/restrictions.ts'
import type { Transaction } from '../store/rows.ts'
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
 * which also embeds what was saved meanwhile. The audit log notes the reason.
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
  return await changeParticipant(database, caller, { name, isRestricted, words: reason })
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
  const { isRestricted, reason: words } = change
  const { tenantId } = caller
  const { id, lastSeq } = await requireSessionTo(database, caller, { reference: change.session, action: 'manage' })
  const key = { tenantId, sessionId: id }
  const isDone = await changeSessionFor(database, key, {
    words,
    change: async (transaction, reason) => {
      if (!(await writeSessionRestriction(transaction, key, isRestricted))) return false
      await (isRestricted
        ? forgetUnusable(transaction, tenantId)
        : embedAgain(transaction, tenantId, [{ id, lastSeq }]))
      await queueArchive(transaction, [key], 0)
      await writeAudit(transaction, caller, {
        action: isRestricted ? 'session.restrict' : 'session.unrestrict',
        objectKind: 'session',
        objectId: id,
        outcome: 'ok',
        reason,
      })
      return true
    },
  })
  if (!isDone) throw unchanged(`session "${id}"`, isRestricted)
  database.announce?.(key)
  return { kind: 'session', id }
}

async function changeParticipant(
  database: Database,
  caller: Caller,
  { name, isRestricted, words }: { readonly name: string; readonly isRestricted: boolean; readonly words: string },
): Promise<Restricted> {
  const { tenantId, principal: by } = caller
  const reason = giveReason(words)
  const seal = await database.vault.sealOfTenant(tenantId)
  let sessions: readonly ParticipantSession[] = []
  let attempts = 0
  const change = async (transaction: Transaction): Promise<boolean> => {
    attempts++
    const isDone = isRestricted
      ? await insertRestrictedParticipant(transaction, { tenantId, name, reason: reason.note, by })
      : await deleteRestrictedParticipant(transaction, tenantId, name)
    if (!isDone) return false
    sessions = await sessionsOfParticipant(transaction, tenantId, name)
    if (isRestricted && sessions.length === 0) throw noSuchParticipant()
    const ids = sessions.map(({ sessionId }) => sessionId)
    await noteRestriction(transaction, tenantId, ids)
    const restored = sessions.map(({ sessionId, lastSeq }) => ({ id: sessionId, lastSeq }))
    await (isRestricted ? forgetUnusable(transaction, tenantId) : embedAgain(transaction, tenantId, restored))
    const about = await participantHash(transaction, tenantId, name)
    await keepReason(transaction, { tenantId, about }, { reason, seal })
    // It would be left for good: nothing of theirs is to be erased any more.
    if (!isRestricted) await eraseReasonsOfGone(transaction, tenantId, name)
    await writeAudit(transaction, caller, {
      action: isRestricted ? 'participant.restrict' : 'participant.unrestrict',
      objectKind: 'participant',
      objectId: about,
      outcome: 'ok',
      reason: reason.note,
      count: sessions.reduce((sum, { messages }) => sum + messages, 0),
    })
    return true
  }
  const isDone = await database.run((sql) => inTransaction(sql, change))
  // A second attempt, where the answer of the first was lost, finds it done.
  if (!isDone && attempts === 1) throw unchanged('this participant', isRestricted)
  for (const { sessionId } of sessions) database.announce?.({ tenantId, sessionId })
  const messages = sessions.reduce((sum, one) => sum + one.messages, 0)
  return { kind: 'participant', name, sessions: sessions.length, messages }
}

function noSuchParticipant(): NotFoundError {
  return new NotFoundError('There is no message of a participant of this name', {
    remedy:
      'Give the name exactly as messages have it: "verbatim sessions --json" lists the participants of each session',
  })
}
