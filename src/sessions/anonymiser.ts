import { decodePayload, jsonMediaType } from '../model/messages/payload.ts'
import type { FoundName } from '../model/names.ts'
import { tokenMask, typeMask, type Mask } from '../privacy/mask.ts'
import type { MessageRow } from '../store/messages.ts'
import { MessageView, type Content, type ViewedSession } from './message-view.ts'

/** What a message holds that may tell of a person. Its own id stays: it keeps the same from being saved again. */
export type Said = Content & Pick<MessageRow, 'sender' | 'parentExternalId' | 'toolCallId' | 'metadata' | 'text'>

/** What a session says of itself; `metadata` is JSON. */
export interface Described {
  readonly title: string | null
  readonly metadata: string | null
  readonly tags: readonly string[]
}

export interface AnonymiserOptions {
  /** Of the tokens; without it the kind alone is written. */
  readonly key?: Uint8Array | undefined
  /** Names that a model has found in the session. */
  readonly found?: readonly FoundName[] | undefined
}

/**
 * Writes messages of a session anew for good, as the views without personal data show them: with the kind of each stretch that was
 * found, or under `key` with tokens that are the same for the same value.
 */
export class Anonymiser {
  /** How often each kind of data was replaced in messages. */
  readonly replaced = new Map<string, number>()
  readonly #view: MessageView
  /** For what says once more what was counted. */
  readonly #uncounted: MessageView

  constructor(session: Omit<ViewedSession, 'id'>, { key, found }: AnonymiserOptions = {}) {
    const mask = key === undefined ? typeMask : tokenMask(key, 'anonymised')
    const counting: Mask = (found) => {
      this.replaced.set(found.type, (this.replaced.get(found.type) ?? 0) + 1)
      return mask(found)
    }
    this.#view = MessageView.under(counting, session, { found })
    this.#uncounted = MessageView.under(mask, session, { found })
  }

  /** Content in which nothing was found keeps its bytes. */
  async message<T extends Said>(said: T): Promise<T> {
    const content = await this.#view.content(said)
    return {
      ...(await this.#view.about(said)),
      ...(saysTheSame(said, content) ? {} : content),
      text: said.text === null ? null : await this.#uncounted.text(said.text),
    }
  }

  async session({ title, metadata, tags }: Described): Promise<Described> {
    const own: Record<string, unknown> | undefined = metadata === null ? undefined : JSON.parse(metadata)
    const head = await this.#uncounted.head({ tags, ...(own === undefined ? {} : { metadata: own }) })
    return {
      title: title === null ? null : await this.#uncounted.text(title),
      metadata: head.metadata === undefined ? null : JSON.stringify(head.metadata),
      tags: [...new Set(head.tags)],
    }
  }
}

/** JSON may be written in several ways: what was written in another one is not changed for that. */
function saysTheSame(before: Content, after: Content): boolean {
  const decoded = decodePayload(before.payload, before.mediaType)
  if (decoded.encoding === 'base64') return false
  const bytes =
    decoded.encoding === 'json' && after.mediaType === jsonMediaType
      ? Buffer.from(JSON.stringify(decoded.value))
      : before.payload
  return Buffer.compare(bytes, after.payload) === 0
}
