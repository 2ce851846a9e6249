import type { SaveReceipt } from './save.ts'

/** What a save answers. */
export interface SaveReply {
  readonly session_id: string
  readonly external_id?: string
  readonly messages: readonly {
    readonly message_id: string
    readonly seq: number
    readonly sha256: string
    readonly saved_at: string
    readonly duplicate: boolean
  }[]
}

export function saveReplyOf(saved: SaveReceipt): SaveReply {
  return {
    session_id: saved.sessionId,
    ...(saved.externalId === null ? {} : { external_id: saved.externalId }),
    messages: saved.messages.map(({ id, seq, savedAt, duplicate }, index) => ({
      message_id: id,
      seq,
      sha256: saved.sha256[index] ?? '',
      saved_at: savedAt,
      duplicate,
    })),
  }
}
