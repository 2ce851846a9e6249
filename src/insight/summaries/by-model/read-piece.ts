import { limits } from '../../../limits.ts'
import type { Role } from '../../../model/messages/message.ts'
import type { ReadDependencies } from '../../../sessions/session-page.ts'
import type { SessionKey } from '../../../store/messages.ts'
import { shownCharacters, type WeighedPiece, type WeighedStretch } from '../../../store/summaries/weigh-messages.ts'
import type { MessageToSummarize } from '../../extracts/candidates.ts'
import { summarizeExtractive } from '../../extracts/extract.ts'
import { sampledTurns, turns } from './turns.ts'

/** The turns of a piece as far as a model is shown them. */
export interface ShownPiece {
  readonly turns: readonly MessageToSummarize[]
  readonly messagesRead: number
  readonly leftOut: number
  /** The numbers of messages that could not be read. */
  readonly unreadable: readonly number[]
}

/** Tokens of the sentences that stand for a piece which is too long to be shown. */
const condensedTokens = 6_000
/** A message may weigh more than what was left of its piece. */
const wholeWeightMax = limits.summaryPieceCharacters + 2 * shownCharacters.said

/** Reads a piece: whole, each message cut where it is long; of one that is too long its most telling sentences. */
export async function readPiece(
  dependencies: ReadDependencies,
  key: SessionKey,
  piece: WeighedPiece & Pick<WeighedStretch, 'since' | 'until'>,
): Promise<ShownPiece> {
  let leftOut = 0
  const unreadable: number[] = []
  const { since, until } = piece
  const told = { leaveOut: () => void leftOut++, missOut: (seq: number) => void unreadable.push(seq) }
  const wanted = { fromSeq: piece.firstSeq, toSeq: piece.lastSeq, since, until, ...told }
  if (piece.weight > wholeWeightMax) {
    const read = sampledTurns(dependencies, key, { ...wanted, messagesMax: limits.summaryPieceMessagesMax })
    const { sentences, messagesRead } = await summarizeExtractive(read, {
      style: 'detailed',
      maxTokens: condensedTokens,
    })
    const shown = sentences.map(({ messageId: id, ...sentence }) => ({ ...sentence, id, role: 'user' as const }))
    return { turns: shown, messagesRead, leftOut, unreadable }
  }
  const whole: MessageToSummarize[] = []
  for await (const turn of turns(dependencies, key, wanted)) whole.push({ ...turn, text: cutTurn(turn) })
  const said = whole.filter(({ text }) => text.trim() !== '')
  return { turns: said, messagesRead: whole.length, leftOut, unreadable }
}

/** What a model is shown of a message. */
export function cutTurn({ role, text }: MessageToSummarize): string {
  const most = charactersOf(role)
  return text.length <= most ? text : `${text.slice(0, most).toWellFormed()} […]`
}

/** How much of a message is read, where it is one of many. */
export function charactersOf(role: Role): number {
  return role === 'user' || role === 'assistant' ? shownCharacters.said : shownCharacters.other
}
