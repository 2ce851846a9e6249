import { InputError } from '../../errors.ts'
import type { Caller } from '../../model/access.ts'
import { summarizeAcross, type AcrossDependencies } from './across/summarize-across.ts'
import { summarize, type SummarizeDependencies, type SummarizeInput } from './summarize.ts'
import type { SummaryReply } from './summary-reply.ts'

/** A session that is to be summarised, or what several say about something or said in a time. */
export type SummarizeRequest = Omit<SummarizeInput, 'sessionId'> & {
  readonly sessionId?: string | undefined
  readonly query?: string | undefined
}

/** Summarises what is asked for, as the caller may see it, and says on the record of the call what was shown. */
export async function summarizeRequest(
  dependencies: SummarizeDependencies & AcrossDependencies,
  caller: Caller,
  input: SummarizeRequest,
): Promise<SummaryReply> {
  const { sessionId, query } = input
  if (sessionId !== undefined && query !== undefined)
    throw new InputError('Cannot summarize as both session_id and query are given', { remedy: 'Give one of them' })
  if (sessionId === undefined && (input.fromSeq !== undefined || input.toSeq !== undefined))
    throw new InputError('Cannot summarize as from_seq and to_seq are numbers of messages of one session', {
      remedy: 'Give session_id with them, or since and until',
    })
  const reply = await (sessionId === undefined
    ? summarizeAcross(dependencies, caller, input)
    : summarize(dependencies, caller, { ...input, sessionId }))
  if (reply.session_id !== undefined) caller.call?.show(reply.session_id)
  for (const { session_id: id, seq } of reply.citations) if (id !== undefined) caller.call?.show(id, [seq])
  if (caller.view === undefined) return reply
  const { privateSummary } = await import('../../sessions/private-summary.ts')
  return await privateSummary(dependencies.database, caller, reply)
}
