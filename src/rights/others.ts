import type { MessageBody } from '../sessions/document.ts'
import type { ExportedHead, ExportedMessage } from '../sessions/exports/write-session.ts'
import { MessageView } from '../sessions/message-view.ts'
import type { MessageRow, MessageSource } from '../store/messages.ts'
import type { SessionRow } from '../store/session-row.ts'
import type { Summary } from '../store/summaries/summaries.ts'

/**
 * What of other people goes with somebody's own words: nothing that they said, what they said without the personal data that
 * are found in it, or all of it.
 */
export const othersShown = ['omitted', 'redacted', 'full'] as const
export type OthersShown = (typeof othersShown)[number]

/** Shows what one session holds about a participant. */
export class OthersView {
  readonly #participant: string
  readonly #shown: OthersShown
  readonly #view: MessageView

  constructor(participant: string, shown: OthersShown, view: MessageView) {
    this.#participant = participant
    this.#shown = shown
    this.#view = view
  }

  static async of(
    session: SessionRow,
    {
      participant,
      shown,
      tenantId,
      database,
    }: {
      readonly participant: string
      readonly shown: OthersShown
      readonly tenantId: number
      readonly database: MessageSource
    },
  ): Promise<OthersView> {
    const others = session.participants.filter((name) => name !== participant)
    const viewed = { ...session, participants: others }
    const view = await MessageView.of(viewed, {
      database,
      view: 'redacted',
      tenantId,
      scope: 'session',
      own: participant,
    })
    return new OthersView(participant, shown, view)
  }

  /** The sender whose messages alone are wanted. */
  get sender(): string | undefined {
    return this.#shown === 'omitted' ? this.#participant : undefined
  }

  /** Title, tags and metadata are of the session, which others may have named: but for `full` they are redacted. */
  async head(session: SessionRow, messages: number): Promise<ExportedHead & Readonly<Record<string, unknown>>> {
    const { title, tags, metadata } = session
    const named = {
      ...(title === null ? {} : { title }),
      ...(tags.length === 0 ? {} : { tags }),
      ...(metadata === null ? {} : { metadata }),
    }
    return {
      session_id: session.id,
      ...(session.externalId === null ? {} : { external_id: session.externalId }),
      source: session.source,
      ...(this.#shown === 'full' ? named : await this.#view.head(named)),
      created_at: session.createdAt,
      closed_at: session.closedAt,
      last_active_at: session.lastActiveAt,
      participants: [this.#participant],
      models_used: session.modelsUsed,
      message_count: messages,
      messages_of_others: session.messageCount - messages,
      ...(session.restricted ? { restricted: true } : {}),
      ...(session.legalHold ? { legal_hold: true } : {}),
    }
  }

  async message(row: MessageRow, body: MessageBody): Promise<Omit<ExportedMessage, 'sentiment'>> {
    const isOwn = row.sender === this.#participant
    return isOwn || this.#shown !== 'redacted' ? { row, body } : await this.#view.message(row, body)
  }

  /**
   * What a summary says of them: the sentences that quote them; one that quotes nobody, as a model wrote it, without the
   * personal data that are found in it. Undefined where nothing is left.
   */
  async summary(summary: Summary): Promise<Readonly<Record<string, unknown>> | undefined> {
    const sentences: { text: string; message_ids: readonly string[] }[] = []
    for (const { text, message_ids: ids, sender } of summary.sentences) {
      if (this.#shown === 'full' || sender === this.#participant) sentences.push({ text, message_ids: ids })
      else if (sender === undefined || this.#shown === 'redacted')
        sentences.push({ text: await this.#view.text(text), message_ids: ids })
    }
    if (sentences.length === 0) return undefined
    const { id, sessionId, style, firstSeq, lastSeq, madeBy, model, createdAt } = summary
    return {
      kind: 'summary',
      id,
      session_id: sessionId,
      style,
      from_seq: firstSeq,
      to_seq: lastSeq,
      made_by: madeBy,
      ...(model === null ? {} : { model }),
      created_at: createdAt,
      sentences,
    }
  }
}
