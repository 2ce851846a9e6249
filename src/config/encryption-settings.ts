import { join } from 'node:path'

import { z } from 'zod'

import { InputError } from '../errors.ts'
import { absolutePath } from './absolute-path.ts'

export const encryptionSettingsShape = {
  VERBATIM_ENCRYPTION: z
    .enum(['on', 'off'])
    .optional()
    .describe(
      'on: new sessions are encrypted at rest, and so are new imported documents (docs/encryption.md). off: they are stored as they are. Default: on for a store that holds nothing yet; one that holds something goes on as it is. What is there already stays as it is. A store that "verbatim keys encrypt" or "decrypt" has converted says itself what it is: a setting that says otherwise is refused',
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
    .describe(
      'A file that holds the root key. Default: keys/root.key in the home, made at the first save to an embedded store. On a PostgreSQL server none is made: name it in one of these ways',
    ),
  VERBATIM_ROOT_KEY_COMMAND: z
    .string()
    .optional()
    .describe(
      'A command that prints the root key, for a key management service or a keychain. It is run by the shell when a process first needs the key',
    ),
  VERBATIM_NEXT_ROOT_KEY: z
    .string()
    .optional()
    .describe(
      'The root key that takes the place of the present one: "verbatim keys rotate-root" changes to it, and until then a store opens with either (docs/encryption.md)',
    ),
  VERBATIM_NEXT_ROOT_KEY_FILE: z.string().optional().describe('A file that holds the next root key'),
  VERBATIM_NEXT_ROOT_KEY_COMMAND: z.string().optional().describe('A command that prints the next root key'),
} as const

type Settings = z.infer<z.ZodObject<typeof encryptionSettingsShape>>

type RootKeySource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'value'; readonly text: string; readonly setting: string }
  | { readonly kind: 'command'; readonly command: string; readonly setting: string }

/** Whether new content is sealed, and where the root key comes from. */
export interface EncryptionSettings {
  /** Undefined where nothing is said: then it is as the store is, and where that holds nothing yet, it is sealed. */
  readonly encrypts: boolean | undefined
  readonly rootKey: RootKeySource
  /** Whether it is not simply the file in the home. */
  readonly isRootKeyNamed: boolean
  /** What takes its place, while that is going on. */
  readonly nextRootKey: RootKeySource | undefined
}

/** Throws InputError where a root key is named in two ways. */
export function readEncryptionSettings(settings: Settings, home: string): EncryptionSettings {
  const file = { kind: 'file', path: join(home, 'keys', 'root.key') } as const
  const { VERBATIM_ENCRYPTION: said } = settings
  const named = sourceOf(settings, 'VERBATIM_ROOT_KEY')
  return {
    encrypts: said === undefined ? undefined : said === 'on',
    rootKey: named ?? file,
    isRootKeyNamed: named !== undefined,
    nextRootKey: sourceOf(settings, 'VERBATIM_NEXT_ROOT_KEY'),
  }
}

function sourceOf(settings: Settings, name: 'VERBATIM_ROOT_KEY' | 'VERBATIM_NEXT_ROOT_KEY'): RootKeySource | undefined {
  const [text, file, command] = [settings[name], settings[`${name}_FILE`], settings[`${name}_COMMAND`]]
  if ([text, file, command].filter((value) => value !== undefined).length > 1)
    throw new InputError(
      `Cannot start as the root key is named twice: only one of ${name}, ${name}_FILE and ${name}_COMMAND may be set`,
      { remedy: 'Unset the others' },
    )
  if (text !== undefined) return { kind: 'value', text, setting: name }
  if (command !== undefined) return { kind: 'command', command, setting: `${name}_COMMAND` }
  return file === undefined ? undefined : { kind: 'file', path: absolutePath(`${name}_FILE`, file) }
}
