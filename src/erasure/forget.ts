import { randomBytes } from 'node:crypto'

import {
  archivedTombstones,
  learnTombstones,
  putTombstones,
  type TombstoneRecord,
} from '../archive/restore/archived-tombstones.ts'
import { InputError, NotFoundError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { newId } from '../model/ids.ts'
import type { NamesBy } from '../model/names.ts'
import { giveReason, type GivenReason } from '../model/reason.ts'
import { checkName } from '../model/validate.ts'
import { wasAudited } from '../store/audit/audit-log.ts'
import type { Database } from '../store/database.ts'
import { auditErasure } from '../store/erasure/audit-erasure.ts'
import { completeErasure } from '../store/erasure/complete-erasure.ts'
import { eraseReturned } from '../store/erasure/erase-returned.ts'
import type { PlannedSession } from '../store/erasure/erasure-plan.ts'
import { addErasureWork, type AnonymiseDetails } from '../store/erasure/erasure-work.ts'
import {
  insertErasure,
  readReceipts,
  type ErasureAction,
  type ErasureReceipt,
  isAllHeld,
} from '../store/erasure/receipts.ts'
import { changedMeanwhile, stillAsPlanned } from '../store/erasure/renumbered.ts'
import { ownTombstoneKey } from '../store/erasure/tombstones.ts'
import { keepReason, withReasons } from '../store/rights/reasons.ts'
import { lockArrivals } from '../store/sync/lock-arrivals.ts'
import { inTransaction } from '../store/transaction.ts'
import { requireNamesRead } from './names-read.ts'
import { checkConfirmed, planErasure, previewedAt, previewErasure, type ErasurePreview } from './preview.ts'
import { runErasure, type RunDependencies } from './run-erasure.ts'
import { readSelection, targetHash, type ReadSelection, type Selection } from './selection.ts'

const tokenKeyBytes = 32

export interface ForgetInput extends Selection {
  /** `erase` where absent. */
  readonly action?: ErasureAction | undefined
  /** Of what is anonymised: whether tokens tell one value from another, instead of the kind alone. */
  readonly pseudonymise?: boolean | undefined
  /** Of what is anonymised: goes on with the names that are known where a model has not read all of it yet. */
  readonly withKnownNames?: boolean | undefined
  readonly reason?: string | undefined
  /** Of a preview of the same selection; absent asks for one. */
  readonly confirm?: string | undefined
}

/** `erased`, `anonymised`: it is done. `pending`: the rest follows in the background; the receipt says what it waits for. */
/** `on_hold` where legal holds have kept all of it, so that nothing was erased. */
export type ErasureReply = { readonly status: 'erased' | 'anonymised' | 'pending' | 'on_hold' } & ErasureReceipt

export interface ForgetDependencies extends RunDependencies {
  /** As the caller may see it. */
  readonly visible: Database
  /** What looks for names beside the rules; absent where nothing does. */
  readonly namesBy?: NamesBy | undefined
}

/**
 * Erases or anonymises for good what is named: without `confirm` it shows what that would be, with it it does exactly this. What does not
 * answer now (an archive, a remote index) is erased later, by itself. Sessions on legal hold are left alone and named.
 */
export async function forget(
  dependencies: ForgetDependencies,
  caller: Caller,
  input: ForgetInput,
): Promise<ErasurePreview | ErasureReply> {
  const { action = 'erase', reason: words, confirm } = input
  if (words !== undefined) checkName(words, { field: 'reason', charactersMax: limits.titleCharactersMax })
  const pseudonymise = input.pseudonymise === true
  if (pseudonymise && action === 'erase')
    throw new InputError('Cannot erase with pseudonyms', { remedy: 'They are for the action "anonymise"' })
  const selection = await readSelection(dependencies.visible, caller, { ...input, action })
  const now = new Date()
  if (confirm === undefined) return await previewErasure(dependencies, caller, { selection, now })
  const asOf = previewedAt(confirm, { now, action })
  const plan = await planErasure(dependencies, caller, { selection, asOf: asOf.toISOString() })
  checkConfirmed(caller, confirm, { selection, asOfMs: asOf.getTime(), sessions: plan.sessions })
  if (action === 'anonymise' && input.withKnownNames !== true)
    await requireNamesRead(dependencies, caller.tenantId, plan.sessions)
  const held = plan.held.map(({ id }) => id)
  const given = words === undefined ? undefined : giveReason(words)
  const sessions = plan.sessions
  return await erase(dependencies, caller, { ...selection, pseudonymise, reason: given?.note, given, sessions, held })
}

/** What is to be erased or anonymised, and why, as the receipt will say. */
export interface Erasure extends Pick<ReadSelection, 'action' | 'filter'> {
  readonly pseudonymise?: boolean
  readonly scope: string
  readonly reason: string | undefined
  /** What the reason notes, where somebody gave one. */
  readonly given?: GivenReason | undefined
  readonly sessions: readonly Pick<PlannedSession, 'id' | 'stretches' | 'erasures' | 'lastSeq'>[]
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
 * Erases or anonymises once more what is in the store although that was done: where an older copy of its database was put back. The archive
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
  await goOn(dependencies, id)
  return await readReceipt(database, tenantId, id)
}

/**
 * Takes in what was erased or anonymised at another store, leaves to be erased what is here of it, in one transaction, and waits for as much of that as there is
 * time for. Where an archive has it too, a restore brings nothing back.
 */
export async function eraseAsElsewhere(
  dependencies: RunDependencies,
  caller: Caller,
  records: readonly TombstoneRecord[],
): Promise<void> {
  const { database, archive } = dependencies
  const own = records.map((record) => ({ ...record, tenant: caller.tenantId, local: false }))
  for (const record of own) await putTombstones(archive, record)
  const id = await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      await lockArrivals(transaction, caller.tenantId, 'exclusive')
      for (const record of own) await learnTombstones(transaction, record)
      return await eraseReturned(transaction, caller)
    }),
  )
  if (id !== undefined) await goOn(dependencies, id)
}

/** Works off an erasure that was begun, as far as there is time for it. */
export async function goOn(dependencies: RunDependencies, id: string): Promise<void> {
  await runErasure(dependencies, { id, untilMs: performance.now() + limits.erasureWaitMs })
  dependencies.database.needWork?.()
}

async function begin(database: Database, caller: Caller, erasure: Erasure & { readonly id: string }): Promise<void> {
  const { tenantId } = caller
  const { id, action, filter, scope, reason, given, held } = erasure
  const seal = given === undefined ? undefined : await database.vault.sealOfTenant(tenantId)
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
        action,
        targetHash: targetHash(key, erasure),
      })
      if (given !== undefined) await keepReason(transaction, { tenantId }, { reason: given, seal })
      const sessions = await stillAsPlanned(transaction, tenantId, erasure.sessions)
      // What has expired by then is swept the next time; what somebody asked for is done whole or not at all.
      if (sessions.length < erasure.sessions.length && scope !== 'retention') throw changedMeanwhile()
      await addErasureWork(
        transaction,
        { tenantId, id },
        sessions.map((session) => ({
          ...session,
          // What has expired stays where more is saved to it; to what somebody asked for nothing is saved from now on.
          lastSeq: scope === 'retention' ? session.lastSeq : undefined,
          anonymise: anonymiseBy(erasure),
          participant: filter.participant,
        })),
      )
      if (sessions.length === 0) await completeErasure(transaction, { tenantId, erasureId: id }, filter.participant)
      await auditErasure(transaction, caller, { id, action, scope, sessions })
    }),
  )
}

/** A key for the tokens of each session, which nobody has when the work is done: no value can be tried out by it then. */
function anonymiseBy({ action, pseudonymise = false }: Erasure): AnonymiseDetails | undefined {
  if (action === 'erase') return undefined
  return pseudonymise ? { key: randomBytes(tokenKeyBytes).toString('hex') } : {}
}

export async function readReceipt(database: Database, tenantId: number, id: string): Promise<ErasureReply> {
  const stored = await database.run((sql) => readReceipts(sql, tenantId, { id, limit: 1 }))
  const [receipt] = await withReasons(database, tenantId, stored)
  if (receipt === undefined)
    throw new NotFoundError(`No erasure "${id}"`, { remedy: 'Run "verbatim erase --receipts" to see what there is' })
  const done = { erase: 'erased', anonymise: 'anonymised' } as const
  if (receipt.completed_at === null) return { status: 'pending', ...receipt }
  return { status: isAllHeld(receipt) ? 'on_hold' : done[receipt.action], ...receipt }
}
