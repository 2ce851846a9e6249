import { archivedTombstones, learnTombstones } from '../archive/archived-tombstones.ts'
import { NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { newId } from '../model/ids.ts'
import { checkName } from '../model/validate.ts'
import { wasAudited } from '../store/audit/audit-log.ts'
import type { Database } from '../store/database.ts'
import { auditErasure } from '../store/erasure/audit-erasure.ts'
import { eraseReturned } from '../store/erasure/erase-returned.ts'
import type { PlannedSession } from '../store/erasure/erasure-plan.ts'
import { addErasureWork } from '../store/erasure/erasure-work.ts'
import { completeErasure, insertErasure, readReceipts, type ErasureReceipt } from '../store/erasure/receipts.ts'
import { ownTombstoneKey } from '../store/erasure/tombstones.ts'
import { inTransaction } from '../store/transaction.ts'
import { checkConfirmed, planErasure, previewedAt, previewErasure, type ErasurePreview } from './preview.ts'
import { runErasure, type RunDependencies } from './run-erasure.ts'
import { readSelection, targetHash, type ReadSelection, type Selection } from './selection.ts'

export interface ForgetInput extends Selection {
  readonly reason?: string | undefined
  /** Of a preview of the same selection; absent asks for one. */
  readonly confirm?: string | undefined
}

/** `erased`: everything is gone. `pending`: the rest follows in the background; the receipt says what it waits for. */
export type ErasureReply = { readonly status: 'erased' | 'pending' } & ErasureReceipt

export interface ForgetDependencies extends RunDependencies {
  /** As the caller may see it. */
  readonly visible: Database
}

/**
 * Erases for good what is named: without `confirm` it shows what that would be, with it it erases exactly this. What does not
 * answer now (an archive, a remote index) is erased later, by itself. Sessions on legal hold are left alone and named.
 */
export async function forget(
  dependencies: ForgetDependencies,
  caller: Caller,
  input: ForgetInput,
): Promise<ErasurePreview | ErasureReply> {
  const { reason, confirm } = input
  if (reason !== undefined) checkName(reason, { field: 'reason', charactersMax: limits.titleCharactersMax })
  const selection = await readSelection(dependencies.visible, caller, input)
  const now = new Date()
  if (confirm === undefined) return await previewErasure(dependencies.visible, caller, { selection, now })
  const asOf = previewedAt(confirm, now)
  const plan = await planErasure(dependencies.visible, caller, { selection, asOf: asOf.toISOString() })
  checkConfirmed(caller, confirm, { selection, asOfMs: asOf.getTime(), sessions: plan.sessions })
  const held = plan.held.map(({ id }) => id)
  return await erase(dependencies, caller, { ...selection, reason, sessions: plan.sessions, held })
}

/** What is to be erased, and why, as the receipt will say. */
export interface Erasure extends Pick<ReadSelection, 'filter'> {
  readonly scope: string
  readonly reason: string | undefined
  readonly sessions: readonly Pick<PlannedSession, 'id' | 'stretches'>[]
  readonly held: readonly string[]
}

/** Begins an erasure, durably, and waits for as much of it as there is time for. */
export async function erase(
  dependencies: RunDependencies & { readonly waitMs?: number },
  caller: Caller,
  erasure: Erasure,
): Promise<ErasureReply> {
  const { database, waitMs = limits.erasureWaitMs } = dependencies
  const id = newId()
  await begin(database, caller, { ...erasure, id })
  await runErasure(dependencies, { id, untilMs: performance.now() + waitMs })
  for (const session of erasure.sessions) database.announce?.({ tenantId: caller.tenantId, sessionId: session.id })
  return await readReceipt(database, caller.tenantId, id)
}

/**
 * Erases once more what is in the store although it was erased: where an older copy of its database was put back. The archive
 * knows of erasures that such a copy does not. Undefined where nothing has come back.
 */
export async function eraseAgain(dependencies: RunDependencies, caller: Caller): Promise<ErasureReply | undefined> {
  const { database, archive } = dependencies
  const { tenantId } = caller
  for await (const record of archivedTombstones(archive))
    if (record.tenant === tenantId)
      await database.run((sql) => inTransaction(sql, (transaction) => learnTombstones(transaction, record)))
  const id = await database.run((sql) => inTransaction(sql, (transaction) => eraseReturned(transaction, caller)))
  if (id === undefined) return undefined
  await runErasure(dependencies, { id, untilMs: performance.now() + limits.erasureWaitMs })
  return await readReceipt(database, tenantId, id)
}

async function begin(database: Database, caller: Caller, erasure: Erasure & { readonly id: string }): Promise<void> {
  const { tenantId } = caller
  const { id, scope, reason, sessions, held } = erasure
  await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      // Where the answer was lost, this is the second attempt.
      if (await wasAudited(transaction, tenantId, id)) return
      const key = await ownTombstoneKey(transaction, tenantId)
      const requestedBy = caller.principal
      await insertErasure(transaction, {
        tenantId,
        id,
        scope,
        reason,
        requestedBy,
        held,
        targetHash: targetHash(key, erasure),
      })
      await addErasureWork(transaction, { tenantId, id }, sessions)
      if (sessions.length === 0) await completeErasure(transaction, { tenantId, erasureId: id })
      await auditErasure(transaction, caller, { id, scope, sessions })
    }),
  )
}

async function readReceipt(database: Database, tenantId: number, id: string): Promise<ErasureReply> {
  const [receipt] = await database.run((sql) => readReceipts(sql, tenantId, { id, limit: 1 }))
  if (receipt === undefined)
    throw new NotFoundError(`No erasure "${id}"`, { remedy: 'Run "verbatim erase --receipts" to see what there is' })
  return { status: receipt.completed_at === null ? 'pending' : 'erased', ...receipt }
}
