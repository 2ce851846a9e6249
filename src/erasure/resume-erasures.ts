import { limits } from '../limits.ts'
import type { Caller } from '../model/access.ts'
import { openErasures } from '../store/erasure/receipts.ts'
import { readReceipt, type ErasureReply } from './forget.ts'
import { runErasure, type RunDependencies } from './run-erasure.ts'

/**
 * Goes on with erasures of one kind that were begun and are not complete, as their process was killed, say, or waits for who is at them, as long
 * as a call waits for one of its own. Gives their receipts.
 */
export async function resumeErasures(
  dependencies: RunDependencies,
  { tenantId }: Caller,
  scope: string,
): Promise<ErasureReply[]> {
  const { database } = dependencies
  const ids = await database.run((sql) => openErasures(sql, tenantId, scope))
  const untilMs = performance.now() + limits.erasureWaitMs
  const receipts: ErasureReply[] = []
  for (const id of ids) {
    await runErasure(dependencies, { id, untilMs })
    receipts.push(await readReceipt(database, tenantId, id))
  }
  return receipts
}
