import { limits } from '../../src/limits.ts'
import type { RecordedConversation, RecordedSession } from './dataset.ts'
import type { MemoryProcess } from './memory-process.ts'

/** Where a recorded message is: in its recording, and in the store. */
export interface Place {
  readonly conversation: string
  readonly session: number
  readonly ref: string
  /** UUID of the session in the store. */
  readonly sessionId: string
  /** Number of the message in its session in the store. */
  readonly seq: number
}

/** Places by the store's message id. */
export type Places = ReadonlyMap<string, Place>

async function saveSession(memory: MemoryProcess, conversation: string, session: RecordedSession) {
  const sessionId = `${conversation}/session-${session.number}`
  const saved: [string, Place][] = []
  for (let at = 0; at < session.messages.length; at += limits.batchMessagesMax) {
    const part = session.messages.slice(at, at + limits.batchMessagesMax)
    const reply = await memory.tools.saveAll({
      session_id: sessionId,
      messages: part.map(({ ref, sender, role, timestamp, text }) => ({
        // An id of our own lets a store be filled twice: what is there already is answered with its place.
        message_id: `${conversation}/${ref}`,
        content: text,
        sender,
        role,
        timestamp,
      })),
    })
    for (const [index, { message_id: id, seq }] of reply.messages.entries()) {
      const ref = part[index]?.ref
      if (ref === undefined) throw new Error('save_messages answered with more messages than it was given')
      saved.push([id, { conversation, session: session.number, ref, sessionId: reply.session_id, seq }])
    }
  }
  await memory.tools.update(sessionId, { tags: [conversation] })
  return saved
}

/** Saves conversations, each session tagged with its conversation's id, and returns where their messages are. */
export async function fill(memory: MemoryProcess, conversations: readonly RecordedConversation[]): Promise<Places> {
  const places: [string, Place][] = []
  for (const { id, sessions } of conversations) {
    for (const session of sessions) places.push(...(await saveSession(memory, id, session)))
  }
  return new Map(places)
}
