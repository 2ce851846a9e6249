import { limits } from '../../../limits.ts'
import type { ReadDependencies } from '../../../sessions/session-page.ts'
import type { SessionKey } from '../../../store/messages.ts'
import { dropOtherExtracts } from '../../../store/summaries/segment-extracts.ts'
import type { WeighedStretch } from '../../../store/summaries/weigh-messages.ts'
import { chosenBefore } from '../../extracts/candidates.ts'
import { Extract, type ExtractiveSummary, type ExtractOptions, summarizeExtractive } from '../../extracts/extract.ts'
import { sampleSegments, segmentAt, segmentMessages, segmentOf } from '../../extracts/segments.ts'
import { sampledTurns } from '../by-model/turns.ts'
import { readSegment, segmentExtracts } from './segment-extracts.ts'

export interface SessionExtract extends ExtractiveSummary {
  readonly leftOut: number
  /** Messages that could not be read. */
  readonly unreadable: number
}

export interface SessionExtractRequest extends ExtractOptions {
  /** Whether sentences that stand for its segments are stored. */
  readonly keep: boolean
  /** How often messages of the session were erased by when it began to be read. */
  readonly erasures: number
}

/** Summarises a stretch of a session with its own sentences. Of a long one a bounded number of messages is read, evenly spread. */
export async function extractStretch(
  dependencies: ReadDependencies,
  key: SessionKey,
  { stretch, ...options }: ExtractOptions & { readonly stretch: WeighedStretch },
): Promise<SessionExtract> {
  let leftOut = 0
  let unreadable = 0
  const told = { leaveOut: () => void leftOut++, missOut: () => void unreadable++ }
  const wanted = { ...stretch, messagesMax: limits.summaryMessagesMax, ...told }
  return { ...(await summarizeExtractive(sampledTurns(dependencies, key, wanted), options)), leftOut, unreadable }
}

/**
 * Summarises a session from its first message to another with its own sentences: of each segment of a hundred messages those are taken
 * once that stand for it, and stored; a summary in any style is chosen from these, and from the messages of the
 * last segment, which is read whole. So of a session that goes on only what is new is read, and what is not used any more.
 */
export async function extractSession(
  dependencies: ReadDependencies,
  key: SessionKey,
  { toSeq, isWhole, ...request }: SessionExtractRequest & { readonly toSeq: number; readonly isWhole: boolean },
): Promise<SessionExtract> {
  const { style, keep, erasures } = request
  const extract = new Extract(request)
  const last = segmentOf(toSeq)
  const segmentsMax = Math.floor(limits.summaryMessagesMax / segmentMessages) - 1
  const chosen = sampleSegments(last, segmentsMax).map((index) => segmentAt(index, toSeq))
  let messagesRead = 0
  let leftOut = 0
  let unreadable = 0
  for await (const one of segmentExtracts(dependencies, key, { segments: chosen, style, keep, erasures })) {
    for (const sentence of one.sentences) extract.add(chosenBefore(sentence))
    messagesRead += one.messagesRead
    leftOut += one.leftOut
    unreadable += one.unreadable
  }
  const segment = segmentAt(last, toSeq)
  const newest = await readSegment(dependencies, key, {
    segment,
    keep: keep && isWhole,
    erasures,
    see: (candidate) => extract.add(candidate),
  })
  if (keep && isWhole) {
    const firstSeqs = [...chosen, segment].map(({ fromSeq }) => fromSeq)
    await dependencies.database.run((sql) => dropOtherExtracts(sql, key, firstSeqs))
  }
  return {
    sentences: extract.sentences(),
    messagesRead: messagesRead + newest.messagesRead,
    leftOut: leftOut + newest.leftOut,
    unreadable: unreadable + newest.unreadable,
  }
}
