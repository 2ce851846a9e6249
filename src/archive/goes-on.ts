import { ConflictError } from '../errors.ts'
import { isSegmentKnown, isUnerased, type ArchivedSegment } from '../store/archive/archive-state.ts'
import type { SessionKey } from '../store/messages.ts'
import type { Transaction } from '../store/rows.ts'

/**
 * Whether nothing was erased meanwhile. A ConflictError where what this goes on from was forgotten: the object stays then, as it is true
 * and whoever archives anew may have taken it up already.
 */
export async function goesOn(
  sql: Transaction,
  key: SessionKey,
  {
    erasures,
    after,
  }: { readonly erasures: number; readonly after: Pick<ArchivedSegment, 'number' | 'chain'> | undefined },
): Promise<boolean> {
  if (!(await isUnerased(sql, key, erasures))) return false
  if (!(await isSegmentKnown(sql, key, after))) throw forgotten(key)
  return true
}

export function forgotten({ sessionId }: SessionKey): ConflictError {
  return new ConflictError(`Cannot archive session "${sessionId}" as what was archived of it was forgotten meanwhile`, {
    remedy: 'Nothing is to be done: all of it is archived anew',
  })
}
