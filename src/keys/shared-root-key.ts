import { InputError } from '../errors.ts'
import type { Database } from '../store/database.ts'
import { readRootKeyId } from '../store/keys/encryption-keys.ts'

/** Throws InputError where a server would be encrypted under a root key that only this machine has. */
export async function requireSharedRootKey(database: Database): Promise<void> {
  const { isRootKeyNamed } = database.vault.settings
  if (database.kind === 'embedded' || isRootKeyNamed) return
  if ((await database.run(readRootKeyId)) !== undefined) return
  throw new InputError(
    'Cannot encrypt this store as no root key is named, and other machines that use the server would not have one made here',
    {
      remedy:
        'Make one (openssl rand -base64 32), name it as VERBATIM_ROOT_KEY, VERBATIM_ROOT_KEY_FILE or VERBATIM_ROOT_KEY_COMMAND for every process that uses the server, start them anew, then run this again',
    },
  )
}
