import { UnavailableError } from '../errors.ts'
import { decodePayload, jsonMediaType, sha256, textMediaType } from '../model/messages/payload.ts'
import type { FoundName } from '../model/names.ts'
import { isMask, tokenMask, typeMask, type Mask } from '../privacy/mask.ts'
import { KnownNames } from '../privacy/names/known-names.ts'
import { namesOfOthers } from '../privacy/names/own-names.ts'
import { Rewriter } from '../privacy/rewriter.ts'
import type { MessageRow, MessageSource } from '../store/messages.ts'
import { readSessionNames } from '../store/names/message-names.ts'
import type { SessionRow } from '../store/session-row.ts'
import { readableText, type MessageBody, type SessionHead } from './document.ts'

/** How messages are shown without personal data: by the kind of each stretch, or by tokens that stay the same. */
export const privateViews = ['redacted', 'pseudonymised'] as const
export type PrivateView = (typeof privateViews)[number]

/** What of a session its view goes by. */
export type ViewedSession = Pick<SessionRow, 'id' | 'participants' | 'modelsUsed' | 'source'>

export interface ViewChoice {
  /** Knows the names that a model has found in the session. */
  readonly database: MessageSource
  readonly view: PrivateView
  readonly tenantId: number
  /** Within what the same person has the same token: one session, or all that the store holds. */
  readonly scope: 'session' | 'store'
  /** Gives the key of the tokens; absent where none is kept. */
  readonly pseudonymKey?: (() => Promise<Uint8Array>) | undefined
  /** Who it is shown to: their own name is left as it is. */
  readonly own?: string | undefined
}

/** What is known before a text is looked through. */
interface Known {
  readonly found?: readonly FoundName[] | undefined
  /** The participant who reads: nothing of theirs is hidden from them. */
  readonly own?: string | undefined
  /** Is told the tokens that are given. */
  readonly given?: ReadonlyMap<string, string> | undefined
}

/** The bytes of a message, and what they are. */
export interface Content {
  readonly payload: Uint8Array
  readonly mediaType: string
}

/** Senders that say what speaks, and not who. */
const roles = new Set(
  'user human assistant agent system developer tool function custom ai bot model unknown event import'.split(' '),
)

/** Shows the messages of one session, and its head, without the personal data and secrets that are found in them. */
export class MessageView {
  readonly #rewriter: Rewriter
  readonly #isNobody: (sender: string) => boolean
  /** The tokens that were given, and what they stand for. */
  readonly given: ReadonlyMap<string, string>

  constructor(
    rewriter: Rewriter,
    about: { readonly isNobody: (sender: string) => boolean; readonly given: ReadonlyMap<string, string> },
  ) {
    this.#rewriter = rewriter
    this.#isNobody = about.isNobody
    this.given = about.given
  }

  static async of(session: ViewedSession, choice: ViewChoice): Promise<MessageView> {
    const { mask, given } = await maskOf(session.id, choice)
    const { database, tenantId, own } = choice
    const found = await readSessionNames(database, { tenantId, sessionId: session.id })
    return MessageView.under(mask, session, {
      given,
      own,
      found: namesOfOthers(found, own, session.participants),
    })
  }

  /** The view under a mask of one's own. */
  static under(
    mask: Mask,
    session: Omit<ViewedSession, 'id'>,
    { found = [], given = new Map(), own }: Known = {},
  ): MessageView {
    const nobodies = new Set([...session.modelsUsed, session.source].map((name) => name.toLowerCase()))
    // A name that was replaced for good says no more.
    const isNobody = (sender: string) =>
      isMask(sender) || roles.has(sender.toLowerCase()) || nobodies.has(sender.toLowerCase())
    const names = session.participants.filter((name) => !isNobody(name))
    return new MessageView(new Rewriter(mask, new KnownNames(names, found, own)), { isNobody, given })
  }

  async text(text: string): Promise<string> {
    return await this.#rewriter.text(text)
  }

  sender(sender: string): string {
    return this.#isNobody(sender) ? sender : this.#rewriter.name(sender)
  }

  async head<T extends Partial<SessionHead>>(head: T): Promise<T> {
    const { title, participants, tags, metadata, external_id: externalId } = head
    return {
      ...head,
      ...(externalId === undefined ? {} : { external_id: await this.text(externalId) }),
      ...(title === undefined ? {} : { title: await this.text(title) }),
      ...(participants === undefined
        ? {}
        : { participants: [...new Set(participants.map((name) => this.sender(name)))] }),
      ...(tags === undefined ? {} : { tags: await Promise.all(tags.map((tag) => this.text(tag))) }),
      ...(metadata === undefined ? {} : { metadata: await this.#rewriter.json(metadata) }),
    }
  }

  /** What a message says of itself beside its content. */
  async row(row: MessageRow): Promise<MessageRow> {
    return { ...(await this.about(row)), externalId: await this.#given(row.externalId) }
  }

  /** The same but for its own id, by which it is known. */
  async about<T extends Pick<MessageRow, 'sender' | 'parentExternalId' | 'toolCallId' | 'metadata'>>(
    row: T,
  ): Promise<T> {
    return {
      ...row,
      sender: this.sender(row.sender),
      parentExternalId: await this.#given(row.parentExternalId),
      toolCallId: await this.#given(row.toolCallId),
      metadata: row.metadata === null ? null : JSON.stringify(await this.#rewriter.json(JSON.parse(row.metadata))),
    }
  }

  async #given(text: string | null): Promise<string | null> {
    return text === null ? null : await this.text(text)
  }

  /** A session as its head is made of it: whole, before anything of it is cut. */
  async session(session: SessionRow): Promise<SessionRow> {
    const { title, participants, tags, metadata } = session
    const shown = await this.head({ participants, tags, ...(metadata === null ? {} : { metadata }) })
    return {
      ...session,
      title: await this.#given(title),
      externalId: await this.#given(session.externalId),
      participants: shown.participants,
      tags: shown.tags,
      metadata: shown.metadata ?? null,
    }
  }

  /** A message with its content. Its SHA-256 is that of what is shown: the real one would tell whether a guess is right. */
  async message(row: MessageRow, body: MessageBody): Promise<{ readonly row: MessageRow; readonly body: MessageBody }> {
    const shown = await this.row(row)
    if ('error' in body) return { row: { ...shown, text: null, payloadSha256: new Uint8Array() }, body }
    const { payload, mediaType } = await this.content({ payload: body.payload, mediaType: row.payloadMediaType })
    return {
      row: { ...shown, text: null, payloadMediaType: mediaType, payloadSha256: sha256(payload) },
      body: { payload },
    }
  }

  /** Content in the shape that it had: JSON as JSON, text as text; of anything else how much it is. */
  async content({ payload, mediaType }: Content): Promise<Content> {
    const decoded = decodePayload(payload, mediaType)
    switch (decoded.encoding) {
      case 'json': {
        const json = JSON.stringify(await this.#rewriter.json(decoded.value))
        return { payload: Buffer.from(json), mediaType: jsonMediaType }
      }
      case 'text':
        return { payload: Buffer.from(await this.text(decoded.value)), mediaType: textMediaType }
      case 'base64':
        return { payload: Buffer.from(`[binary data, ${payload.length} bytes]`), mediaType: textMediaType }
      default:
        return decoded satisfies never
    }
  }

  /** What is to be read in a message. */
  async readable(row: MessageRow, payload: Uint8Array): Promise<string> {
    return await this.text(readableText(row, payload))
  }
}

async function maskOf(
  sessionId: string,
  { view, tenantId, scope, pseudonymKey }: ViewChoice,
): Promise<{ readonly mask: Mask; readonly given: ReadonlyMap<string, string> }> {
  const given = new Map<string, string>()
  if (view === 'redacted') return { mask: typeMask, given }
  if (pseudonymKey === undefined)
    throw new UnavailableError('Cannot give pseudonyms as this store keeps no key for them', {
      remedy: 'Use the view "redacted"',
    })
  const tokenOf = tokenMask(
    await pseudonymKey(),
    JSON.stringify(scope === 'session' ? [tenantId, sessionId] : [tenantId]),
  )
  const mask: Mask = (found) => {
    const token = tokenOf(found)
    given.set(token, found.value)
    return token
  }
  return { mask, given }
}
