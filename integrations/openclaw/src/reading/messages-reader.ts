import { createHash } from 'node:crypto'

import { z } from 'zod'

import type { Session } from '../session.ts'
import type { ReadFrom, RowPage, RowReader } from './row-reader.ts'

/** Sessions whose messages are known in this process; the one that was silent longest is forgotten. */
const sessionsMax = 200

const messageSchema = z.looseObject({ timestamp: z.number().optional() })

/**
 * The messages that a turn ends with: the last resort, where neither OpenClaw's reader nor its store can be had. There are
 * no ids, no parents and no rows beside messages; an id is made of a message's content, so that it is stored once.
 */
export class MessagesReader implements RowReader {
  readonly name = 'messages'
  readonly #known = new Map<string, Set<string>>()

  async read(session: Session, { position, messages }: ReadFrom): Promise<RowPage | undefined> {
    if (messages === undefined) return undefined
    const known = this.#knownOf(session)
    const startedAt = position ?? new Date().toISOString()
    const header = { type: 'session', version: 3, id: session.sessionId, timestamp: startedAt }
    const taken: string[] = []
    const lines: Uint8Array[] = position === undefined ? [Buffer.from(JSON.stringify(header))] : []
    for (const message of messages) {
      const json = JSON.stringify(message)
      const id = `message-${createHash('sha256').update(json).digest('hex').slice(0, 32)}`
      if (known.has(id)) continue
      taken.push(id)
      const { timestamp } = messageSchema.safeParse(message).data ?? {}
      const at = timestamp === undefined ? {} : { timestamp: new Date(timestamp).toISOString() }
      lines.push(Buffer.from(JSON.stringify({ type: 'message', id, ...at, message })))
    }
    const onKept = () => {
      for (const id of taken) known.add(id)
    }
    return await Promise.resolve({ lines, position: startedAt, hasMore: false, onKept })
  }

  #knownOf({ agentId, sessionId }: Session): Set<string> {
    const key = `${agentId}/${sessionId}`
    const known = this.#known.get(key) ?? new Set()
    this.#known.delete(key)
    this.#known.set(key, known)
    const [oldest] = this.#known.keys()
    if (this.#known.size > sessionsMax && oldest !== undefined) this.#known.delete(oldest)
    return known
  }
}
