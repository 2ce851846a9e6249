import {
  describeRootKey,
  makeRootKeyFile,
  readRootKey,
  type RootKey,
  type RootKeySettings,
} from '../../crypto/root-key.ts'
import { InputError, UnavailableError } from '../../errors.ts'

/** Where the root key comes from, and the one that takes its place while it is being changed. */
export interface RootKeySources {
  readonly rootKey: RootKeySettings
  readonly nextRootKey?: RootKeySettings | undefined
  /** Whether it is not simply the file in the home. */
  readonly isRootKeyNamed?: boolean
  /** Whether other machines use the store: they would not have what is made in a home. */
  readonly isShared?: boolean
  /** Told of the file that a root key was made in. */
  readonly onRootKeyMade?: (path: string) => void
}

export const keepRootKey =
  'Put the root key back from your copy of it: without it, what is encrypted cannot be read by anybody'

/** The next root key where no setting names one: it is made beside the file of the present one. */
export function nextSourceOf({ rootKey, nextRootKey }: RootKeySources): RootKeySettings | undefined {
  if (nextRootKey !== undefined) return nextRootKey
  return rootKey.kind === 'file' ? { kind: 'file', path: `${rootKey.path}.next` } : undefined
}

/** Whether the first root key of a store can be had: named, or made in the file of this machine where no other uses the store. */
export function hasRootKeyOfItsOwn({ isShared = false, isRootKeyNamed = false }: RootKeySources): boolean {
  return isRootKeyNamed || !isShared
}

/** Throws InputError where the first root key of a store would have to be made on one of several machines. */
export function refuseLonelyRootKey(sources: RootKeySources): void {
  if (hasRootKeyOfItsOwn(sources)) return
  throw new InputError(
    'Cannot encrypt this store as no root key is named, and other machines that use the server would not have one made here',
    {
      remedy:
        'Make one (openssl rand -base64 32), name it as VERBATIM_ROOT_KEY, VERBATIM_ROOT_KEY_FILE or VERBATIM_ROOT_KEY_COMMAND for every process that uses the server, and start them anew. To keep everything as it is, unencrypted, set VERBATIM_ENCRYPTION=off',
    },
  )
}

/** The first root key of a store, made in its file where it is not there. */
export async function firstRootKey(sources: RootKeySources): Promise<RootKey> {
  refuseLonelyRootKey(sources)
  const { rootKey, onRootKeyMade } = sources
  if (rootKey.kind === 'file' && (await makeRootKeyFile(rootKey.path))) onRootKeyMade?.(rootKey.path)
  const root = await readRootKey(rootKey)
  if (root !== undefined) return root
  throw new UnavailableError(`Cannot find ${describeRootKey(rootKey)}`, { remedy: keepRootKey })
}

/** The ids of the root keys at hand: of the present one, and of the next one while it is being changed. */
export async function rootKeyIds(sources: RootKeySources): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  for (const source of [sources.rootKey, nextSourceOf(sources)]) {
    const root = source === undefined ? undefined : await readRootKey(source)
    if (root !== undefined) ids.add(root.id)
  }
  return ids
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
