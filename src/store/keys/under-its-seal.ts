import type { RowSeal } from '../../crypto/row-seal.ts'
import type { MessageSource, SessionKey } from '../messages.ts'

/** Another process may give a session a new key at any moment; twice while one change is written is unheard of. */
const attemptsMax = 3

/**
 * Writes under the seal that a session has. `work` says false where the session has another by then, or is not there; it is
 * called again with the new one. False where it is not there.
 */
export async function underItsSeal(
  { vault }: Pick<MessageSource, 'vault'>,
  { tenantId, sessionId }: SessionKey,
  work: (seal: RowSeal | undefined) => Promise<boolean>,
): Promise<boolean> {
  let seal = await vault.sealOf(tenantId, sessionId)
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    if (await work(seal)) return true
    vault.forget(tenantId, sessionId)
    const now = await vault.sealOf(tenantId, sessionId)
    if (now?.version === seal?.version) return false
    seal = now
  }
  return false
}
