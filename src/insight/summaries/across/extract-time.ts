import type { ReadDependencies } from '../../../sessions/session-page.ts'
import type { SessionKey } from '../../../store/messages.ts'
import { segmentsOfTime, type WeighedPiece, type WeighedStretch } from '../../../store/summaries/weigh-messages.ts'
import { chosenBefore, candidatesOf } from '../../extracts/candidates.ts'
import { Extract, type ExtractOptions } from '../../extracts/extract.ts'
import { segmentAt, segmentMessages, segmentOf } from '../../extracts/segments.ts'
import { charactersOf } from '../by-model/read-piece.ts'
import { turns } from '../by-model/turns.ts'
import type { SessionExtract } from '../segments/extract-session.ts'
import { segmentExtracts } from '../segments/segment-extracts.ts'

export interface TimeExtractRequest extends ExtractOptions, Pick<WeighedStretch, 'since' | 'until'> {
  /** Its newest messages of the time, as many as are looked at, and whether there are more. */
  readonly piece: WeighedPiece & { readonly hasMore: boolean }
  /** The number of the session's last message. */
  readonly lastSeq: number
  /** Whether sentences that stand for its segments are stored. */
  readonly keep: boolean
  /** How often messages of the session were erased by when it began to be read. */
  readonly erasures: number
}

/**
 * The most telling sentences of what was said in a session in a time. Segments that are of it as a whole are read once, as for a summary
 * of the session; of those at its ends the messages are read each time.
 */
export async function extractTime(
  dependencies: ReadDependencies,
  key: SessionKey,
  { piece, lastSeq, since, until, ...request }: TimeExtractRequest,
): Promise<SessionExtract> {
  const { style, keep, erasures } = request
  const first = segmentAt(segmentOf(piece.firstSeq), lastSeq)
  const { toSeq } = segmentAt(segmentOf(piece.lastSeq), lastSeq)
  const lowestSeq = piece.hasMore ? piece.firstSeq : 1
  const range = { fromSeq: first.fromSeq, toSeq, since, until, segmentMessages }
  const extract = new Extract(request)
  let messagesRead = 0
  let leftOut = 0
  let unreadable = 0
  for (const { index, isWhole } of await dependencies.database.run((sql) => segmentsOfTime(sql, key, range))) {
    const segment = segmentAt(index, lastSeq)
    if (isWhole && segment.fromSeq >= lowestSeq) {
      const segments = [segment]
      for await (const one of segmentExtracts(dependencies, key, { segments, style, keep, erasures })) {
        for (const sentence of one.sentences) extract.add(chosenBefore(sentence))
        messagesRead += one.messagesRead
        leftOut += one.leftOut
        unreadable += one.unreadable
      }
    } else {
      const fromSeq = Math.max(segment.fromSeq, lowestSeq)
      const told = { leaveOut: () => void leftOut++, missOut: () => void unreadable++ }
      const wanted = { fromSeq, toSeq: segment.toSeq, since, until, ...told }
      for await (const turn of turns(dependencies, key, wanted)) {
        messagesRead++
        for (const candidate of candidatesOf(turn, charactersOf(turn.role))) extract.add(candidate)
      }
    }
  }
  return { sentences: extract.sentences(), messagesRead, leftOut, unreadable }
}
