import { join } from 'node:path'

import { z } from 'zod'

import { absolutePath } from './absolute-path.ts'

export const auditSettingsShape = {
  VERBATIM_AUDIT_FAILURE: z
    .enum(['refuse', 'continue'])
    .default('refuse')
    .describe(
      'What happens while the audit log cannot be written: refuse answers what reads, as long as its rows can be kept in memory, and refuses what writes; continue goes on with all that has no row in its own transaction, and tells later how many rows were lost. A save or another change is one transaction with its row, and not made without it, under either',
    ),
  VERBATIM_AUDIT_KEY_FILE: z
    .string()
    .optional()
    .describe(
      'The file of the 32 secret bytes that heads of the audit log are signed with. All processes on a server need the same. Default: keys/audit.key in the home, made when it is needed',
    ),
  VERBATIM_AUDIT_HEAD_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(60)
    .describe('How often a signed head of the audit log is put into the archive, while rows are written'),
} as const

export type AuditFailure = 'refuse' | 'continue'

export interface AuditSettings {
  readonly failure: AuditFailure
  readonly keyFile: string
  /** Whether the setting names it: then all who use the store have the same. */
  readonly isKeyNamed: boolean
  readonly headMs: number
}

export function readAuditSettings(
  settings: z.infer<z.ZodObject<typeof auditSettingsShape>>,
  home: string,
): AuditSettings {
  const { VERBATIM_AUDIT_KEY_FILE: file } = settings
  return {
    failure: settings.VERBATIM_AUDIT_FAILURE,
    keyFile: file === undefined ? join(home, 'keys', 'audit.key') : absolutePath('VERBATIM_AUDIT_KEY_FILE', file),
    isKeyNamed: file !== undefined,
    headMs: settings.VERBATIM_AUDIT_HEAD_SECONDS * 1_000,
  }
}
