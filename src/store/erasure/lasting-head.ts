import { z } from 'zod'

import { UnavailableError } from '../../errors.ts'
import type { MessageSource, SessionKey } from '../messages.ts'
import type { Queries } from '../rows.ts'
import { readHead } from '../sync/session-heads.ts'

/** What was said of a session at any store that tells nothing of its messages: other stores need it after an erasure too. */
const lasting = ['closed_at', 'restricted', 'legal_hold'] as const

const headSchema = z.object({ fields: z.record(z.string(), z.unknown()) })

/** What was said of a session wherever it was exchanged with, before its messages are erased. */
export interface FoundHead {
  /** As it is stored; undefined where nothing is. */
  readonly body: Uint8Array | undefined
  /** What of it stays, as JSON. */
  readonly stays: string
  /** Why nothing stays although something was said. */
  readonly problem: string | undefined
}

/** Not to be called in a transaction. */
export async function findHead(database: MessageSource, key: SessionKey): Promise<FoundHead> {
  const head = await readHead(database, key)
  const found = { body: head?.body, stays: stayingOf({}), problem: undefined }
  if (head === undefined) return found
  try {
    const { fields } = headSchema.parse(JSON.parse(await head.open()))
    return { ...found, stays: stayingOf(fields) }
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
    return { ...found, problem: error.message }
  }
}

function stayingOf(fields: Readonly<Record<string, unknown>>): string {
  const kept = lasting.flatMap((field) => (fields[field] === undefined ? [] : [[field, fields[field]]]))
  return JSON.stringify({ fields: Object.fromEntries(kept), summaries: [] })
}

/** Whether it is still as it was found; the session is locked. */
export async function isSameHead(
  sql: Queries,
  { tenantId, sessionId }: SessionKey,
  { body }: FoundHead,
): Promise<boolean> {
  const [row] = await sql<{ body: Uint8Array }[]>`
    select body from session_heads where tenant_id = ${tenantId} and session_id = ${sessionId}`
  return row === undefined || body === undefined ? row?.body === body : Buffer.compare(row.body, body) === 0
}
