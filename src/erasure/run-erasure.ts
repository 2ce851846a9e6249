import { setTimeout as sleep } from 'node:timers/promises'

import { putTombstones, tombstoneRecord } from '../archive/restore/archived-tombstones.ts'
import { describeForLog } from '../errors.ts'
import type { Log } from '../log.ts'
import { completeErasure } from '../store/erasure/complete-erasure.ts'
import {
  claimErasure,
  isLastOfErasure,
  isUnderWay,
  lockErasure,
  type ErasureItem,
} from '../store/erasure/erasure-work.ts'
import { lockReceipt } from '../store/erasure/receipts.ts'
import { inTransaction } from '../store/transaction.ts'
import { failOutbox } from '../store/work/failed-work.ts'
import { finishOutbox } from '../store/work/outbox.ts'
import { anonymiseRows } from './anonymise-rows.ts'
import { TakenOver } from './erase-counted.ts'
import { eraseOutside, type ErasureDependencies } from './erase-outside.ts'
import { eraseRows } from './erase-rows.ts'
import { keepClaim } from './keep-claim.ts'

export interface RunDependencies extends ErasureDependencies {
  /** Absent where whoever asked is told by the receipt. */
  readonly log?: Log | undefined
}

const retryMs = 15_000
const lookMs = 100
const retryMsMax = 600_000

/**
 * Works off one piece of an erasure; false where none is due. What fails is tried again later, for ever: what was asked to
 * be erased is never given up.
 */
export async function workOffErasure(dependencies: RunDependencies, erasureId?: string): Promise<boolean> {
  const { database, log } = dependencies
  const item = await database.run((sql) => claimErasure(sql, erasureId))
  if (item === undefined) return false
  const leave = keepClaim({ database, log }, item)
  try {
    await eraseItem(dependencies, item)
  } catch (error) {
    await leave()
    await putOff(dependencies, item, error)
  } finally {
    await leave()
  }
  return true
}

/** Nothing where another one has finished it meanwhile, or has it by now. */
async function eraseItem(dependencies: RunDependencies, item: ErasureItem): Promise<void> {
  const { database } = dependencies
  const { anonymise } = item.details
  const done =
    anonymise === undefined
      ? await eraseRows(database, item, dependencies.log)
      : await anonymiseRows(dependencies, item)
  if (done === undefined) return
  if (done.details.whole) database.vault.forget(done.tenantId, done.sessionId)
  await eraseOutside(dependencies, done)
  await finish(dependencies, done)
}

/** What has failed is tried again later; where another one has it by now that is not put off. */
async function putOff({ database, log }: RunDependencies, item: ErasureItem, error: unknown): Promise<void> {
  if (error instanceof TakenOver) {
    log?.info(`the erasure of session ${item.sessionId} was taken over by another`)
    return
  }
  const reason = describeForLog(error)
  log?.warn(`the erasure of session ${item.sessionId} waits: ${reason}`)
  const delayMs = Math.min(retryMs * 2 ** item.attempts, retryMsMax)
  await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      if ((await lockErasure(transaction, item)) === undefined) return
      await failOutbox(transaction, item.id, { error: reason, delayMs, dead: false })
    }),
  )
}

/** Works off an erasure, as long as there is time and nothing of it has to wait. */
export async function runErasure(
  dependencies: RunDependencies,
  erasure: { readonly id: string; readonly untilMs: number },
): Promise<void> {
  const { database } = dependencies
  while (performance.now() < erasure.untilMs) {
    if (await workOffErasure(dependencies, erasure.id)) continue
    // The background work may have taken a part of it.
    if (!(await database.run((sql) => isUnderWay(sql, erasure.id)))) return
    await sleep(lookMs)
  }
}

/** Ends a piece of work, unless another one has it by now. With the last one of an erasure its tombstones go to the archive, and it is complete. */
async function finish(dependencies: RunDependencies, item: ErasureItem): Promise<void> {
  const { database, archive } = dependencies
  const { tenantId, details } = item
  const key = { tenantId, erasureId: details.erasure }
  const isLast = await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      // Before the receipt, as who counts what was erased locks them: the other way round two at one piece could wait for each other.
      if ((await lockErasure(transaction, item)) === undefined) return false
      // Two last ones at once would each leave it to the other.
      await lockReceipt(transaction, key)
      if (await isLastOfErasure(transaction, item)) return true
      await finishOutbox(transaction, [item.id])
      return false
    }),
  )
  if (!isLast) return
  const record = await database.run((sql) => tombstoneRecord(sql, { tenantId, id: details.erasure }))
  if (record.tombstones.length > 0) await putTombstones(archive, record)
  await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      if ((await lockErasure(transaction, item)) === undefined) return
      await finishOutbox(transaction, [item.id])
      await completeErasure(transaction, key, details.participant)
    }),
  )
}
