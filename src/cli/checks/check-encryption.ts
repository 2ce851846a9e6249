import { existsSync } from 'node:fs'

import { describeRootKey } from '../../crypto/root-key.ts'
import type { Caller } from '../../model/access.ts'
import { agreed, counted } from '../../model/text/counted.ts'
import type { Database } from '../../store/database.ts'
import { conversionLeft } from '../../store/keys/conversion-work.ts'
import { countSealed, lacksKey } from '../../store/keys/encryption-keys.ts'
import { readEncryptionState } from '../../store/keys/encryption-state.ts'
import type { Check } from './check.ts'

/** Whether what is saved is encrypted, and what is stored already. */
export async function checkEncryption(database: Database, { tenantId }: Caller): Promise<Check> {
  const { sealed, plain } = await database.run((sql) => countSealed(sql, tenantId))
  if (await database.run((sql) => lacksKey(sql, tenantId)))
    return {
      name,
      state: 'problem',
      message: `${counted(sealed, 'session')} ${agreed(sealed, 'is encrypted, and its key is', 'are encrypted, and their keys are')} not in the database: nothing of ${agreed(sealed, 'it', 'them')} can be read or found`,
      remedy:
        'Run "verbatim restore --keys", which takes them from the archive, or restore the table encryption_keys from a backup',
    }
  const stored = await database.run((sql) => readEncryptionState(sql, tenantId))
  const { rootKey } = database.vault.settings
  const held = `${counted(sealed, 'session')} ${agreed(sealed, 'is', 'are')} encrypted and ${plain} ${agreed(plain, 'is', 'are')} not`
  const source = describeRootKey(rootKey)
  const state = stored?.state ?? ((await database.vault.sealsNew(tenantId)) ? 'encrypted' : 'plain')
  switch (state) {
    case 'encrypting':
    case 'decrypting':
      return { name, state: 'note', ...(await underWay(database, tenantId, { state, held })) }
    case 'plain':
      return {
        name,
        state: 'note',
        message: `off: new sessions are not encrypted; ${held}`,
        remedy: 'Run "verbatim keys encrypt" to encrypt all of it, or use an encrypted disk',
      }
    case 'encrypted': {
      if (sealed === 0 && rootKey.kind === 'file' && !existsSync(rootKey.path))
        return {
          name,
          state: 'ok',
          message: `on; the root key is made in ${source} at the first save; ${held}`,
          remedy: `Keep a copy of it elsewhere then: ${without}`,
        }
      const message = `on, with the root key of ${source}; ${held}`
      if (plain === 0) return { name, state: 'ok', message, remedy: `Keep a copy of ${source} elsewhere: ${without}` }
      return { name, state: 'note', message, remedy: 'Run "verbatim keys encrypt" to encrypt the rest' }
    }
    default:
      return state satisfies never
  }
}

const name = 'encryption'
const without = 'without it nothing that is saved can be read, in backups and in the archive neither'

async function underWay(
  database: Database,
  tenantId: number,
  { state, held }: { readonly state: 'encrypting' | 'decrypting'; readonly held: string },
): Promise<Pick<Check, 'message' | 'remedy'>> {
  const left = await database.run((sql) => conversionLeft(sql, tenantId))
  const [doing, command] = state === 'encrypting' ? ['encrypted', 'encrypt'] : ['decrypted', 'decrypt']
  return {
    message: `being ${doing}: ${counted(left.sessions, 'session')} with ${counted(left.messages, 'message')}, ${counted(left.files, 'imported document')} and ${counted(left.reasons, 'reason')} are left; ${held}`,
    remedy: `Where nobody is at it any more, go on with: verbatim keys ${command}`,
  }
}
