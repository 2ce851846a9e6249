import type { RowSeal } from '../crypto/row-seal.ts'
import { UnavailableError } from '../errors.ts'
import type { Database } from '../store/database.ts'
import { LostKey, OtherSeal, SealedOtherwise, type SaveResult, type SaveTarget } from '../store/saving/save-messages.ts'

/** Where messages go, and what seals them there. */
export interface SealedTarget {
  readonly session: SaveTarget
  /** Absent where the session is not sealed. */
  readonly seal?: RowSeal | undefined
  /** What sealed the messages that are there already, where that was another: a retry is known by it. */
  readonly former?: RowSeal | 'plain' | undefined
}

/** While one save is going on, a session may be made by another process, and be given a new key. */
const attemptsMax = 5

/**
 * Saves under the seal of the session that messages go to, and again where that turns out to be another. `save` seals, and must
 * be idempotent. Of a session that is to be made the key is made first.
 */
export async function saveSealed(
  { vault }: Pick<Database, 'vault'>,
  { tenantId, session }: { readonly tenantId: number; readonly session: SaveTarget },
  save: (target: SealedTarget) => Promise<SaveResult>,
): Promise<SaveResult> {
  const sealFor = (target: SaveTarget) =>
    target.create ? vault.sealOfNew(tenantId, target.id) : vault.sealOf(tenantId, target.id)
  let target: SealedTarget = { session, seal: await sealFor(session) }
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    try {
      return await save(target)
    } catch (error) {
      if (error instanceof OtherSeal) {
        vault.forget(tenantId, error.sessionId)
        const found = { id: error.sessionId, source: session.source, create: false }
        target = { session: found, seal: await sealFor(found) }
      } else if (error instanceof LostKey) {
        vault.forget(tenantId, session.id)
        target = { session, seal: await sealFor(session) }
      } else if (error instanceof SealedOtherwise) {
        const key = { sessionId: target.session.id, version: error.keyVersion }
        const seals = await vault.sealsOf(tenantId, [key])
        const former = key.version === 0 ? 'plain' : seals(key.sessionId, key.version)
        if (former === undefined || former === target.former) break
        target = { ...target, former }
      } else throw error
    }
  }
  throw new UnavailableError(`Cannot save to session "${session.id}" as its keys are being changed`, {
    remedy: 'Try again',
  })
}
