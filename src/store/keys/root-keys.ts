import { describeRootKey, readRootKey, type RootKey, type RootKeySettings } from '../../crypto/root-key.ts'
import { UnavailableError } from '../../errors.ts'

/** Where the root key comes from, and the one that takes its place while it is being changed. */
export interface RootKeySources {
  readonly rootKey: RootKeySettings
  readonly nextRootKey?: RootKeySettings | undefined
}

export const keepRootKey =
  'Put the root key back from your copy of it: without it, what is encrypted cannot be read by anybody'

/** The next root key where no setting names one: it is made beside the file of the present one. */
export function nextSourceOf({ rootKey, nextRootKey }: RootKeySources): RootKeySettings | undefined {
  if (nextRootKey !== undefined) return nextRootKey
  return rootKey.kind === 'file' ? { kind: 'file', path: `${rootKey.path}.next` } : undefined
}

/**
 * The root key with an id: the present one or, while it is being changed, the next one. Throws UnavailableError where it is
 * missing, or is not the one that the store was encrypted under.
 */
export async function requireRootKey(sources: RootKeySources, expectedId: string): Promise<RootKey> {
  const root = await readRootKey(sources.rootKey)
  if (root?.id === expectedId) return root
  const nextSource = nextSourceOf(sources)
  const next = nextSource === undefined ? undefined : await readRootKey(nextSource)
  if (next?.id === expectedId) return next
  const source = describeRootKey(sources.rootKey)
  if (root === undefined)
    throw new UnavailableError(
      `Cannot open this store as it is encrypted and its root key is missing: ${source} is not there`,
      { remedy: keepRootKey },
    )
  throw new UnavailableError(
    `Cannot open this store as it is encrypted under the root key ${expectedId}, and the one of ${source} is ${root.id}`,
    { remedy: keepRootKey },
  )
}
