import { newId } from '../model/ids.ts'
import { findSubject, insertSubject } from '../store/access/principals.ts'
import { writeAudit } from '../store/audit/audit-log.ts'
import type { Database } from '../store/database.ts'
import { inTransaction } from '../store/transaction.ts'
import type { Access } from './verdict.ts'

/** Somebody whom an authorization server vouches for. */
export interface Subject {
  readonly issuer: string
  readonly subject: string
  /** The name of a tenant; undefined for the first. */
  readonly tenant: string | undefined
}

/** The principal that a subject is, made when it is first seen; or why it may not come in, in words for its bearer. */
export async function admitSubject(
  database: Database,
  subject: Subject,
): Promise<Pick<Access, 'tenantId' | 'principal' | 'principalId'> | string> {
  let found = await database.run((sql) => findSubject(sql, subject))
  if (found !== undefined && found.principal === undefined) {
    await makePrincipal(database, found.tenantId, subject)
    // Another replica may have made it in between, under another id.
    found = await database.run((sql) => findSubject(sql, subject))
  }
  if (found?.principal === undefined) return 'its tenant is unknown here, or disabled'
  if (found.isDisabled) return 'whom it names is disabled here'
  const { id: principalId, name: principal } = found.principal
  return { tenantId: found.tenantId, principal, principalId }
}

async function makePrincipal(database: Database, tenantId: number, { issuer, subject }: Subject): Promise<void> {
  const id = newId()
  // Unambiguous, as an issuer has no spaces. The names of people in a token may change, and be somebody else's later.
  const name = `${issuer} ${subject}`
  await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      if (!(await insertSubject(transaction, { tenantId, id, name, issuer, subject }))) return
      await writeAudit(
        transaction,
        { tenantId, principal: name, client: 'oauth' },
        { action: 'principal.create', objectKind: 'principal', objectId: id, outcome: 'ok' },
      )
    }),
  )
}
