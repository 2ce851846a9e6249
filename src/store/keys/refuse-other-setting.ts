import { InputError } from '../../errors.ts'
import type { MessageSource } from '../messages.ts'
import type { EncryptionState } from './encryption-state.ts'

const words: Readonly<Record<EncryptionState, string>> = {
  encrypted: 'is encrypted',
  encrypting: 'is being encrypted',
  plain: 'is not encrypted',
  decrypting: 'is being decrypted',
}

/** Throws InputError where VERBATIM_ENCRYPTION says another thing of a store than a conversion has made of it. */
export async function refuseOtherSetting({ run, vault }: MessageSource): Promise<void> {
  const { encrypts } = vault.settings
  if (encrypts === undefined) return
  const others: readonly EncryptionState[] = encrypts ? ['plain', 'decrypting'] : ['encrypted', 'encrypting']
  const [row] = await run(
    (sql) => sql<{ state: EncryptionState }[]>`
    select state from encryption_states where state in (${others[0] ?? ''}, ${others[1] ?? ''}) order by tenant_id limit 1`,
  )
  if (row === undefined) return
  const [setting, other] = encrypts ? ['on', 'encrypt'] : ['off', 'decrypt']
  throw new InputError(`Cannot start with VERBATIM_ENCRYPTION=${setting} as this store ${words[row.state]}`, {
    remedy: `Unset VERBATIM_ENCRYPTION, as the store says itself what it is; or make it another with "verbatim keys ${other}"`,
  })
}
