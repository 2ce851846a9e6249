import { rename } from 'node:fs/promises'
import { dirname } from 'node:path'

import { renewCopies } from '../archive/archive-keys.ts'
import { describeRootKey, makeRootKeyFile, readRootKey, type RootKey } from '../crypto/root-key.ts'
import { codeOf, ConflictError, InputError, UnavailableError } from '../errors.ts'
import type { ArchiveStore } from '../ports/archive-store.ts'
import { tenantIds } from '../store/access/tenants.ts'
import type { Database } from '../store/database.ts'
import { readRootKeyId } from '../store/keys/encryption-keys.ts'
import { forgetOldWrappings, rewrapTenantKeys } from '../store/keys/rewrap-keys.ts'
import { nextSourceOf, requireRootKey, type RootKeySources } from '../store/keys/root-keys.ts'
import { inTransaction } from '../store/transaction.ts'
import { syncDirectory } from '../sync-directory.ts'

export interface KeyStores {
  readonly database: Database
  readonly archive: ArchiveStore
}

export interface RootKeyRotation {
  /** Ids of root keys, which tell nothing of them. */
  readonly from: string
  readonly to: string
  /** Keys of tenants that were wrapped anew. */
  readonly keys: number
  /** Where the new root key is now. */
  readonly source: string
  /** Whether a setting has to be changed by hand: the new root key is where `source` says, and the old one is useless. */
  readonly changeSettings: boolean
}

/**
 * Puts a store under another root key, for all tenants at once: the one that the settings name as the next or, where the present
 * one is in a file of this store alone, a new one. Whoever reads meanwhile, or is killed here, finds the store under one of the
 * two, and both open it (`requireRootKey`). Called again, it goes on.
 */
export async function rotateRootKey(stores: KeyStores): Promise<RootKeyRotation> {
  const { database } = stores
  const sources = database.vault.settings
  if ((await database.run(readRootKeyId)) === undefined)
    throw new ConflictError('Cannot change the root key as nothing is encrypted in this store', {
      remedy: 'Run "verbatim keys encrypt" to encrypt all that it holds, with new keys',
    })
  const next = await nextRootKey(sources, database.kind)
  // Read after that: another one may have ended its change between the two.
  const from = (await database.run(readRootKeyId)) ?? next.root.id
  let keys = 0
  if (next.root.id !== from) {
    const old = await requireRootKey(sources, from)
    keys = await database.run((sql) => inTransaction(sql, (own) => rewrapTenantKeys(own, { from: old, to: next.root })))
  }
  if (next.isOwn) await takePlace(sources)
  await database.run(forgetOldWrappings)
  for (const tenantId of await database.run(tenantIds)) await renewCopies(stores, tenantId)
  return {
    from,
    to: next.root.id,
    keys,
    source: describeRootKey(next.isOwn ? sources.rootKey : next.source),
    changeSettings: !next.isOwn,
  }
}

/** The key that takes over; `isOwn` where it is a file of ours, that then takes the place of the present one. */
async function nextRootKey(sources: RootKeySources, store: Database['kind']) {
  const source = nextSourceOf(sources)
  const isOwn = sources.nextRootKey === undefined
  const remedy =
    'Set VERBATIM_NEXT_ROOT_KEY, VERBATIM_NEXT_ROOT_KEY_FILE or VERBATIM_NEXT_ROOT_KEY_COMMAND to the new one for every process that uses the store, then run this again'
  if (source === undefined)
    throw new InputError(`Cannot change the root key as ${describeRootKey(sources.rootKey)} cannot be written`, {
      remedy,
    })
  if (isOwn && store === 'server')
    throw new InputError(
      'Cannot make a new root key in a file as other machines that use this server would not have it',
      {
        remedy,
      },
    )
  if (isOwn && source.kind === 'file') await makeRootKeyFile(source.path)
  const root: RootKey | undefined = await readRootKey(source)
  if (root === undefined)
    throw new UnavailableError(`Cannot find the next root key: ${describeRootKey(source)} is not there`, {
      remedy: 'Make one with: openssl rand -base64 32',
    })
  return { source, root, isOwn }
}

async function takePlace({ rootKey, nextRootKey }: RootKeySources): Promise<void> {
  const next = nextSourceOf({ rootKey, nextRootKey })
  if (rootKey.kind !== 'file' || next?.kind !== 'file') return
  try {
    await rename(next.path, rootKey.path)
  } catch (error) {
    // Another process that does the same was faster.
    if (codeOf(error) !== 'ENOENT') throw error
  }
  await syncDirectory(dirname(rootKey.path))
}
