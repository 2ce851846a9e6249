import { describeRootKey } from '../crypto/root-key.ts'
import type { Caller } from '../model/access.ts'
import type { Database } from '../store/database.ts'
import { countSealed } from '../store/keys/encryption-keys.ts'

/** One line of what `doctor` says. */
export interface Check {
  readonly name: string
  readonly state: 'ok' | 'note' | 'problem'
  readonly message: string
  readonly remedy?: string
}

/** Whether what is saved is encrypted, and what is stored already. */
export async function checkEncryption(database: Database, { tenantId }: Caller): Promise<Check> {
  const name = 'encryption'
  const { sealed, plain } = await database.run((sql) => countSealed(sql, tenantId))
  const { encrypts, rootKey } = database.vault.settings
  const held = `${sealed} sessions are encrypted and ${plain} are not`
  const source = describeRootKey(rootKey)
  if (!encrypts)
    return {
      name,
      state: 'note',
      message: `off: new sessions are not encrypted; ${held}`,
      remedy: 'Set VERBATIM_ENCRYPTION=on, or use an encrypted disk',
    }
  const message = `on, with the root key of ${source}; ${held}`
  return { name, state: plain === 0 ? 'ok' : 'note', message, remedy: `Keep a copy of ${source} elsewhere` }
}
