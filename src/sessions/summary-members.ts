import { asStretches, sentencesWithoutMessages } from '../store/summaries/sentences-without-messages.ts'
import type { Summary } from '../store/summaries/summaries.ts'
import type { SessionDocument } from './document.ts'

/** A summary as it is shown, and what of it is not as it could be. */
export interface ShownSummary {
  readonly text: string
  /** There is more of it. */
  readonly isCut?: boolean
  /** The last message that it is of. */
  readonly toSeq: number
  /** The session has more messages by now. */
  readonly isOutdated: boolean
  /** The numbers of its lines, from 1, that no message is known to bear out. */
  readonly withoutMessages: readonly number[]
}

/** The members of a session document that tell of its summary. */
export function summaryMembers(
  summary: ShownSummary | undefined,
): Pick<SessionDocument, `context_summary${'' | '_truncated' | '_to_seq' | '_without_messages'}`> {
  if (summary === undefined) return { context_summary: null }
  const { text, isCut, toSeq, isOutdated, withoutMessages } = summary
  return {
    context_summary: text,
    ...(isCut === true && { context_summary_truncated: true }),
    ...(isOutdated && { context_summary_to_seq: toSeq }),
    ...(withoutMessages.length > 0 && { context_summary_without_messages: asStretches(withoutMessages) }),
  }
}

/** A summary with the text that is shown of it. */
export function shownOf(
  summary: Summary,
  { text, isCut, lastSeq }: { readonly text: string; readonly isCut?: boolean; readonly lastSeq: number },
): ShownSummary {
  const toSeq = summary.lastSeq ?? 0
  const lines = text.split('\n').length
  const withoutMessages = sentencesWithoutMessages(summary).all.filter((number) => number <= lines)
  return { text, isCut: isCut === true, toSeq, isOutdated: toSeq < lastSeq, withoutMessages }
}
