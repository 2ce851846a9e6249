import { setTimeout as sleep } from 'node:timers/promises'

import { eraseUnused } from '../capture/held-payloads.ts'
import { isPayloadUsed } from '../store/erasure/erased-elsewhere.ts'
import type { ConversionTarget } from '../store/keys/conversion-work.ts'
import { inTransaction } from '../store/transaction.ts'
import type { KeyStores } from './rotate-root-key.ts'

/**
 * Removes large payloads that no message refers to any more, of the kind that a conversion has left behind. They are found by
 * their names, as who left them may have died. How many, and which the archive does not let go.
 */
export async function removeLeftPayloads(
  { database, archive }: KeyStores,
  target: ConversionTarget,
  graceMs: number,
): Promise<{ readonly erased: number; readonly kept: readonly string[] }> {
  const isUsed = (location: string) => database.run((sql) => isPayloadUsed(sql, location))
  const left: string[] = []
  for await (const name of archive.list('payloads/'))
    if (isSealed(name) === (target === 'plain') && !(await isUsed(name))) left.push(name)
  if (left.length === 0) return { erased: 0, kept: [] }
  // What was put for a message is named by its row after that.
  await sleep(graceMs)
  const kept: string[] = []
  let count = 0
  for (const name of left) {
    // The same bytes may have been saved since.
    const done = await database.run((sql) => inTransaction(sql, (own) => eraseUnused(own, archive, name)))
    if (done === undefined) continue
    kept.push(...done.kept)
    count += done.erased > 0 && done.kept.length === 0 ? 1 : 0
  }
  return { erased: count, kept }
}

/** By the version of its key at the end of its name. */
function isSealed(name: string): boolean {
  return /\.k\d+$/.test(name)
}
