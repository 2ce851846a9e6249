import type { TransactionSql } from 'postgres'

import { requireSessionTo } from '../capture/session-reference.ts'
import { ConflictError, InputError, NotFoundError } from '../errors.ts'
import type { Caller, SessionRole } from '../model/access.ts'
import {
  deleteGrant,
  deleteGrants,
  holdAccess,
  noteAccessChange,
  principalsNamed,
  readGrants,
  writeGrant,
  type GrantKey,
  type SessionGrant,
} from '../store/access/session-access.ts'
import { writeAudit } from '../store/audit/audit-log.ts'
import type { Database } from '../store/database.ts'
import { inTransaction } from '../store/transaction.ts'

/** A session as it is shared, under our id. */
export interface SessionAccess {
  readonly sessionId: string
  /** Empty where it is open to the whole tenant. */
  readonly grants: readonly SessionGrant[]
}

export async function readAccess(database: Database, caller: Caller, reference: string): Promise<SessionAccess> {
  const { id } = await requireSessionTo(database, caller, { reference, action: 'list' })
  return await accessOf(database, { tenantId: caller.tenantId, sessionId: id })
}

/** Also for who has just given up the right to see it. */
async function accessOf(database: Database, key: Omit<GrantKey, 'principalId'>): Promise<SessionAccess> {
  const { tenantId, sessionId } = key
  return { sessionId, grants: await database.run((sql) => readGrants(sql, tenantId, sessionId)) }
}

/**
 * Gives a principal a role in a session, in place of the one it had. With the first, which must be an owner's, the session is
 * closed to everybody else but the administrators of the tenant. Errors: InputError, NotFoundError, ForbiddenError,
 * ConflictError.
 */
export async function grantAccess(
  database: Database,
  caller: Caller,
  grant: { readonly session: string; readonly principal: string; readonly role: SessionRole },
): Promise<SessionAccess> {
  const key = await keyOf(database, caller, grant)
  await change(database, caller, {
    key,
    action: 'session.grant',
    reason: `${grant.role} ${key.principalId}`,
    write: async (sql) => {
      refuseWithoutOwner(await readGrants(sql, key.tenantId, key.sessionId), grant)
      await writeGrant(sql, key, grant.role)
      return true
    },
  })
  return await accessOf(database, key)
}

function refuseWithoutOwner(
  grants: readonly SessionGrant[],
  grant: { readonly principal: string; readonly role: SessionRole },
): void {
  if (grants.length === 0 && grant.role !== 'owner')
    throw new InputError('Cannot share the session with somebody before it has an owner: nobody could write to it', {
      remedy: 'Give the role owner first, to who writes to it',
    })
  const owners = grants.filter(({ role }) => role === 'owner')
  if (grant.role !== 'owner' && owners.length === 1 && owners[0]?.principal === grant.principal)
    throw new InputError(`Cannot give "${grant.principal}" another role as nobody else owns the session`, {
      remedy: 'Give somebody else the role owner first',
    })
}

/** Takes a principal's role in a session away, from the next call on. The last is not taken: that would open the session. */
export async function revokeAccess(
  database: Database,
  caller: Caller,
  grant: { readonly session: string; readonly principal: string },
): Promise<SessionAccess> {
  const key = await keyOf(database, caller, grant)
  const done = await change(database, caller, {
    key,
    action: 'session.revoke',
    reason: key.principalId,
    write: async (sql) => {
      refuseLast(await readGrants(sql, key.tenantId, key.sessionId), grant)
      return await deleteGrant(sql, key)
    },
  })
  if (!done)
    throw new NotFoundError(`"${grant.principal}" has no role in session "${grant.session}"`, {
      remedy: '"verbatim access list" shows who has',
    })
  return await accessOf(database, key)
}

function refuseLast(grants: readonly SessionGrant[], grant: { readonly principal: string }): void {
  const owners = grants.filter(({ role }) => role === 'owner')
  if (grants.length > 1 && owners.length === 1 && owners[0]?.principal === grant.principal)
    throw new InputError('Cannot take the role of the last owner of the session as others have roles in it', {
      remedy: 'Give somebody else the role owner first, or open it to everybody: verbatim access open <session>',
    })
  if (grants.length === 1 && grants[0]?.principal === grant.principal)
    throw new InputError(`Cannot take the last role in the session as everybody of the tenant could read it then`, {
      remedy: 'Give somebody else a role first, or open it to everybody: verbatim access open <session>',
    })
}

/** Takes all roles in a session away: it is open to the whole tenant again. */
export async function openAccess(database: Database, caller: Caller, reference: string): Promise<SessionAccess> {
  const { id } = await requireSessionTo(database, caller, { reference, action: 'manage' })
  const key = { tenantId: caller.tenantId, sessionId: id }
  await change(database, caller, {
    key,
    action: 'session.open',
    write: async (sql) => {
      await deleteGrants(sql, key)
      return true
    },
  })
  return await accessOf(database, key)
}

async function keyOf(
  database: Database,
  caller: Caller,
  grant: { readonly session: string; readonly principal: string },
): Promise<GrantKey> {
  const { id: sessionId } = await requireSessionTo(database, caller, { reference: grant.session, action: 'manage' })
  const named = await database.run((sql) => principalsNamed(sql, caller.tenantId, grant.principal))
  const [principalId] = named
  if (principalId === undefined)
    throw new NotFoundError(`Nobody here is called "${grant.principal}"`, {
      remedy:
        'Make a token for them first: verbatim token create --principal …; "verbatim token list" shows who there is',
    })
  if (named.length > 1)
    throw new ConflictError(`${named.length} principals are called "${grant.principal}"`, {
      remedy: 'Give them different names at their identity providers',
    })
  return { tenantId: caller.tenantId, sessionId, principalId }
}

async function change(
  database: Database,
  caller: Caller,
  event: {
    readonly key: Omit<GrantKey, 'principalId'>
    readonly action: string
    readonly reason?: string
    /** False where there was nothing to do. */
    readonly write: (sql: TransactionSql) => Promise<boolean>
  },
): Promise<boolean> {
  const { sessionId, tenantId } = event.key
  const done = await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      // Of two owners that take each other's role the second sees what the first has done.
      await holdAccess(transaction, event.key)
      if (!(await event.write(transaction))) return false
      await noteAccessChange(transaction, event.key)
      await writeAudit(transaction, caller, {
        action: event.action,
        objectKind: 'session',
        objectId: sessionId,
        outcome: 'ok',
        ...(event.reason === undefined ? {} : { reason: event.reason }),
      })
      return true
    }),
  )
  if (done) database.announce?.({ tenantId, sessionId })
  return done
}
