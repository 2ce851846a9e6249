import { isSealedObject } from '../archive/archive-object.ts'
import { Archiver } from '../archive/archiver.ts'
import { manifestKey } from '../archive/manifest.ts'
import { BrokenSeal } from '../crypto/aead.ts'
import { ConflictError, UnavailableError } from '../errors.ts'
import type { ConversionTarget } from '../store/keys/conversion-work.ts'
import { readOpenedFile, storeResealedFile } from '../store/keys/resealed-files.ts'
import { readSessionKeyState, type SessionKeyState } from '../store/keys/resealed-rows.ts'
import type { SessionKey } from '../store/messages.ts'
import { inTransaction } from '../store/transaction.ts'
import { hashSession, type ConvertStores } from './hash-session.ts'
import { resealSession, type Resealed } from './reseal-session.ts'

/**
 * Seals all that is stored of a session, or stores it unsealed, in the archive too. It is read, found and saved to meanwhile.
 * Killed and called again, it goes on. What has its key is kept until all are done: who read before may still open it.
 */
export async function convertSession(
  stores: ConvertStores,
  key: SessionKey,
  target: ConversionTarget,
): Promise<Resealed> {
  const { database } = stores
  const { tenantId, sessionId } = key
  const state = await database.run((sql) => readSessionKeyState(sql, key))
  // It was erased since it was noted.
  if (state === undefined) return { messages: 0, kept: [] }
  // First: also of a session that cannot be converted, the words are found.
  await hashSession(stores, key)
  const version = target === 'plain' ? 0 : versionOf(state)
  const seal = version === 0 ? undefined : await database.vault.sealOfNext(tenantId, { sessionId, version }, 0)
  const reseal = { from: state.current, version, seal }
  try {
    return await resealSession(stores, key, reseal)
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    // The background work was archiving it as it was before.
    return await resealSession(stores, key, { ...reseal, from: version })
  }
}

/** The one that it has, or that was begun, or a new one. */
function versionOf({ current, live, highest }: SessionKeyState): number {
  return current > 0 ? current : (live.at(-1) ?? highest + 1)
}

/** The same for an imported document. Objects that the archive does not let go are named. */
export async function convertFile(
  stores: ConvertStores,
  key: { readonly tenantId: number; readonly id: string },
  target: ConversionTarget,
): Promise<readonly string[]> {
  const { database } = stores
  const { tenantId, id } = key
  const seal = target === 'plain' ? undefined : await database.vault.sealOfTenant(tenantId)
  try {
    const file = await readOpenedFile(database, tenantId, id)
    if (file === undefined) return []
    if (file.keyVersion !== (seal?.version ?? 0))
      await database.run((sql) => inTransaction(sql, (own) => storeResealedFile(own, key, { file, seal })))
  } catch (error) {
    if (!(error instanceof BrokenSeal)) throw error
    throw new UnavailableError(
      'Cannot open the layout of an imported document as it was altered or its key is missing',
      {
        remedy: 'Run "verbatim verify"',
        cause: error,
      },
    )
  }
  const kept = await eraseFormerManifests(stores, key, target)
  await new Archiver(stores).archiveFiles(tenantId)
  return kept
}

/** All versions of manifests that are not as they are to be. What was archived since the row was changed has another number. */
async function eraseFormerManifests(
  { archive }: ConvertStores,
  { tenantId, id }: { readonly tenantId: number; readonly id: string },
  target: ConversionTarget,
): Promise<readonly string[]> {
  const subject = { kind: 'file', tenantId, id } as const
  const numbers: number[] = [0]
  for await (const name of archive.list(manifestKey(subject, 0).replace(/[^/]*$/, '')))
    numbers.push(Number(/\/(\d+)\.vmanifest$/.exec(name)?.[1] ?? 0))
  const kept: string[] = []
  // Those that were removed too: a bucket may have kept them.
  for (let number = 1; number <= Math.max(...numbers); number++) {
    const name = manifestKey(subject, number)
    const bytes = await archive.get(name)
    if (bytes === undefined || isSealedObject(bytes) !== (target === 'encrypted'))
      kept.push(...(await archive.erase(name)).kept)
  }
  return kept
}
