import { isDeepStrictEqual } from 'node:util'

import type { ContextSwitch, Role, TokenUsage } from '../model/messages/message.ts'
import type { TranscriptEntry, TranscriptEvent, TranscriptSession } from './format.ts'

/** What a format understood of an entry; everything but the kind may be missing. */
export interface EntryDraft {
  readonly kind: TranscriptEntry['kind']
  readonly id?: string | undefined
  readonly parentId?: string | undefined
  readonly timestamp?: string | undefined
  readonly role?: Role | undefined
  readonly sender?: string | undefined
  readonly model?: string | undefined
  readonly text?: string | undefined
  readonly usage?: TokenUsage | undefined
  readonly toolsUsed?: readonly string[] | undefined
  readonly toolCallId?: string | undefined
  readonly contextSwitch?: ContextSwitch | undefined
  readonly copied?: boolean | undefined
  readonly problem?: string | undefined
}

/** What a format understood of a session. */
export interface SessionDraft {
  readonly id: string
  readonly title?: string | undefined
  readonly parent?: string | undefined
  readonly createdAt?: string | undefined
  readonly participants?: readonly string[] | undefined
  readonly metadata?: Readonly<Record<string, string | number | boolean | undefined>> | undefined
  readonly incognito?: boolean | undefined
}

/** The bytes of one entry, and the session that it belongs to. */
export interface EntryPlace {
  readonly session: string
  readonly before: Uint8Array
  readonly bytes: Uint8Array
}

export const damaged = (problem: string): EntryDraft => ({ kind: 'damaged', problem })

/**
 * Makes the events of one document. A session is announced before its first entry and again when something new is known
 * of it; an id that comes twice in a session gets a number, because ids must be unique and both entries are kept.
 */
export class EventBuilder {
  readonly #announced = new Map<string, TranscriptSession>()
  readonly #seen = new Map<string, number>()

  #uniqueId(session: string, id: string): string {
    const key = `${session}\n${id}`
    const count = (this.#seen.get(key) ?? 0) + 1
    this.#seen.set(key, count)
    return count === 1 ? id : `${id}#${count}`
  }

  *session(draft: SessionDraft): Generator<TranscriptSession> {
    const known = this.#announced.get(draft.id)
    const news = sessionEvent(draft)
    const metadata = { ...known?.metadata, ...news.metadata }
    const event = { ...known, ...news, ...(Object.keys(metadata).length === 0 ? {} : { metadata }) }
    if (known !== undefined && isDeepStrictEqual(known, event)) return
    this.#announced.set(draft.id, event)
    yield event
  }

  *entry(place: EntryPlace, draft: EntryDraft): Generator<TranscriptEvent> {
    if (!this.#announced.has(place.session)) yield* this.session({ id: place.session })
    const id = draft.id === undefined ? undefined : this.#uniqueId(place.session, draft.id)
    yield {
      type: 'entry',
      ...place,
      kind: draft.kind,
      role: draft.role ?? 'custom',
      text: draft.text ?? '',
      toolsUsed: draft.toolsUsed ?? [],
      ...(id === undefined ? {} : { id }),
      ...(draft.parentId === undefined ? {} : { parentId: draft.parentId }),
      ...(draft.timestamp === undefined ? {} : { timestamp: draft.timestamp }),
      ...(draft.sender === undefined ? {} : { sender: draft.sender }),
      ...(draft.model === undefined ? {} : { model: draft.model }),
      ...(draft.usage === undefined ? {} : { usage: draft.usage }),
      ...(draft.toolCallId === undefined ? {} : { toolCallId: draft.toolCallId }),
      ...(draft.contextSwitch === undefined ? {} : { contextSwitch: draft.contextSwitch }),
      ...(draft.copied === true ? { copied: true } : {}),
      ...(draft.problem === undefined ? {} : { problem: draft.problem }),
    }
  }
}

function sessionEvent(draft: SessionDraft): TranscriptSession {
  const facts: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(draft.metadata ?? {})) {
    if (value !== undefined) facts[name] = value
  }
  return {
    type: 'session',
    id: draft.id,
    ...(draft.title === undefined ? {} : { title: draft.title }),
    ...(draft.parent === undefined ? {} : { parent: draft.parent }),
    ...(draft.createdAt === undefined ? {} : { createdAt: draft.createdAt }),
    ...(draft.participants === undefined ? {} : { participants: draft.participants }),
    ...(Object.keys(facts).length === 0 ? {} : { metadata: facts }),
    ...(draft.incognito === true ? { incognito: true } : {}),
  }
}
