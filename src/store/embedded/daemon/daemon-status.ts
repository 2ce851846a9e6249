import { readFileSync, renameSync, writeFileSync } from 'node:fs'

import { z } from 'zod'

const statusSchema = z.object({
  state: z.enum(['starting', 'ready', 'stopping', 'failed', 'stopped']),
  pid: z.number().int(),
  version: z.string(),
  /** Milliseconds since 1970. */
  at: z.number(),
  reason: z.string().optional(),
  remedy: z.string().optional(),
})

/** What the daemon last said about itself, for a client that cannot reach it. */
export type DaemonStatus = z.infer<typeof statusSchema>

export function writeStatus(file: string, status: DaemonStatus): void {
  try {
    writeFileSync(`${file}.${status.pid}`, `${JSON.stringify(status)}\n`, { mode: 0o600 })
    renameSync(`${file}.${status.pid}`, file)
  } catch {
    // On a full disk there is no place for it; the client then reports that the daemon does not answer.
  }
}

/** `undefined` when there is none, or none that can be read. */
export function readStatus(file: string): DaemonStatus | undefined {
  try {
    return statusSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}
