import { requireSessionTo } from '../capture/session-reference.ts'
import { ConflictError, InputError, NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { newId } from '../model/ids.ts'
import { checkName } from '../model/validate.ts'
import { writeAudit } from '../store/audit/audit-log.ts'
import type { Database } from '../store/database.ts'
import { deletePolicy, writeHold, writePolicy, type StoredPolicy } from '../store/erasure/retention.ts'
import { changeSessionFor } from '../store/rights/change-session.ts'
import { inTransaction } from '../store/transaction.ts'
import type { RetentionLimits } from './decide.ts'

/** For what a policy is; nothing named is all of the tenant. */
export interface PolicyTarget {
  readonly source?: string | undefined
  readonly tag?: string | undefined
  /** Ours or the source's own id. */
  readonly session?: string | undefined
}

type NamedTarget = Pick<StoredPolicy, 'scope' | 'target'>

async function namedTarget(database: Database, caller: Caller, given: PolicyTarget): Promise<NamedTarget> {
  const { source, tag, session } = given
  if ([source, tag, session].filter((value) => value !== undefined).length > 1)
    throw new InputError('Cannot set one policy for several things', {
      remedy: 'Name a source, a tag or a session, or nothing for all',
    })
  if (session !== undefined) {
    const { id } = await requireSessionTo(database, caller, { reference: session, action: 'manage' })
    return { scope: 'session', target: id }
  }
  if (tag !== undefined)
    return { scope: 'tag', target: checkName(tag, { field: 'tag', charactersMax: limits.tagCharactersMax }) }
  if (source === undefined) return { scope: 'tenant', target: null }
  return { scope: 'source', target: checkName(source, { field: 'source', charactersMax: limits.nameCharactersMax }) }
}

/** Sets a policy in the place of the one for the same. Nothing is erased before the next sweep. */
export async function setPolicy(
  database: Database,
  caller: Caller,
  { target: given, limits: wanted }: { readonly target: PolicyTarget; readonly limits: RetentionLimits },
): Promise<void> {
  const { ageDaysMax, idleDaysMax, messagesMax, bytesMax } = wanted
  if ([ageDaysMax, idleDaysMax, messagesMax, bytesMax].every((value) => value === undefined))
    throw new InputError('Cannot set a policy without a limit', {
      remedy: 'Give at least one of: days since a message, days since the last activity, messages, bytes',
    })
  const named = await namedTarget(database, caller, given)
  const id = newId()
  await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      const policy = { ...named, id, ageDaysMax, idleDaysMax, messagesMax, bytesMax, createdBy: caller.principal }
      await writePolicy(transaction, caller.tenantId, policy)
      await writeAudit(transaction, caller, {
        action: 'retention.set',
        objectKind: 'retention_policy',
        objectId: id,
        outcome: 'ok',
        reason: named.scope,
      })
    }),
  )
}

export async function removePolicy(database: Database, caller: Caller, given: PolicyTarget): Promise<void> {
  const named = await namedTarget(database, caller, given)
  const isRemoved = await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      if (!(await deletePolicy(transaction, caller.tenantId, named))) return false
      await writeAudit(transaction, caller, { action: 'retention.remove', outcome: 'ok', reason: named.scope })
      return true
    }),
  )
  if (!isRemoved) throw new NotFoundError('There is no such policy', { remedy: 'Run "verbatim retention list"' })
}

/** Puts a session on legal hold or takes it off, for a reason that the audit log notes. */
export async function setHold(
  database: Database,
  caller: Caller,
  hold: { readonly session: string; readonly isHeld: boolean; readonly reason: string },
): Promise<string> {
  const words = checkName(hold.reason, { field: 'reason', charactersMax: limits.titleCharactersMax })
  const { id } = await requireSessionTo(database, caller, { reference: hold.session, action: 'manage' })
  const key = { tenantId: caller.tenantId, sessionId: id }
  const isDone = await changeSessionFor(database, key, {
    words,
    change: async (transaction, reason) => {
      if (!(await writeHold(transaction, key, hold.isHeld))) return false
      await writeAudit(transaction, caller, {
        action: hold.isHeld ? 'session.hold' : 'session.release',
        objectKind: 'session',
        objectId: id,
        outcome: 'ok',
        reason,
      })
      return true
    },
  })
  if (!isDone)
    throw new ConflictError(`Nothing was released as session "${id}" is not on legal hold`, {
      remedy: 'Run "verbatim retention holds" to see what is',
    })
  database.announce?.(key)
  return id
}
