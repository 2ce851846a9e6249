import { z } from 'zod'

export const auditSettingsShape = {
  VERBATIM_AUDIT_FAILURE: z
    .enum(['refuse', 'continue'])
    .default('refuse')
    .describe(
      'What happens while the audit log cannot be written: refuse answers what reads, as long as its rows can be kept in memory, and refuses what writes; continue goes on, and tells later how many rows were lost. A save and its row are one transaction under either',
    ),
} as const

export type AuditFailure = 'refuse' | 'continue'
