import { join } from 'node:path'

import { z } from 'zod'

import { absolutePath } from './absolute-path.ts'

export const privacySettingsShape = {
  VERBATIM_PSEUDONYM_KEY_FILE: z
    .string()
    .optional()
    .describe(
      'The file of the 32 secret bytes that pseudonyms are made with, and that opens what they stand for. All processes that are to give the same pseudonyms need the same. Default: keys/pseudonym.key in the home, made when it is needed',
    ),
} as const

export interface PrivacySettings {
  readonly pseudonymKeyFile: string
}

export function readPrivacySettings(
  settings: z.infer<z.ZodObject<typeof privacySettingsShape>>,
  home: string,
): PrivacySettings {
  const { VERBATIM_PSEUDONYM_KEY_FILE: file } = settings
  return {
    pseudonymKeyFile:
      file === undefined ? join(home, 'keys', 'pseudonym.key') : absolutePath('VERBATIM_PSEUDONYM_KEY_FILE', file),
  }
}
