import { join } from 'node:path'

import { z } from 'zod'

import { InputError } from '../errors.ts'
import { absolutePath } from './absolute-path.ts'

export const encryptionSettingsShape = {
  VERBATIM_ENCRYPTION: z
    .enum(['on', 'off'])
    .default('off')
    .describe(
      'on: new sessions are encrypted at rest, and so are new imported documents (docs/encryption.md). off: they are stored as they are. What is there already stays as it is, and can be read either way',
    ),
  VERBATIM_ROOT_KEY: z
    .string()
    .optional()
    .describe(
      'The root key, which opens all other keys: 32 bytes in base64 or hexadecimal (openssl rand -base64 32). Every process that uses the store needs the same',
    ),
  VERBATIM_ROOT_KEY_FILE: z
    .string()
    .optional()
    .describe('A file that holds the root key. Default: keys/root.key in the home, made when it is first needed'),
  VERBATIM_ROOT_KEY_COMMAND: z
    .string()
    .optional()
    .describe(
      'A command that prints the root key, for a key management service or a keychain. It is run by the shell when a process first needs the key',
    ),
} as const

/** Whether new content is sealed, and where the root key comes from. */
export interface EncryptionSettings {
  readonly encrypts: boolean
  readonly rootKey:
    | { readonly kind: 'file'; readonly path: string }
    | { readonly kind: 'value'; readonly text: string }
    | { readonly kind: 'command'; readonly command: string }
}

/** Throws InputError where the root key is named in two ways. */
export function readEncryptionSettings(
  settings: z.infer<z.ZodObject<typeof encryptionSettingsShape>>,
  home: string,
): EncryptionSettings {
  const { VERBATIM_ROOT_KEY: text, VERBATIM_ROOT_KEY_FILE: file, VERBATIM_ROOT_KEY_COMMAND: command } = settings
  const encrypts = settings.VERBATIM_ENCRYPTION === 'on'
  if ([text, file, command].filter((value) => value !== undefined).length > 1)
    throw new InputError(
      'Cannot start as the root key is named twice: only one of VERBATIM_ROOT_KEY, VERBATIM_ROOT_KEY_FILE and VERBATIM_ROOT_KEY_COMMAND may be set',
      { remedy: 'Unset the others' },
    )
  if (text !== undefined) return { encrypts, rootKey: { kind: 'value', text } }
  if (command !== undefined) return { encrypts, rootKey: { kind: 'command', command } }
  const path = file === undefined ? join(home, 'keys', 'root.key') : absolutePath('VERBATIM_ROOT_KEY_FILE', file)
  return { encrypts, rootKey: { kind: 'file', path } }
}
