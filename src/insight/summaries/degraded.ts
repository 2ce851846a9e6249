import type { SummaryReply } from './summary-reply.ts'

const lacking = 'messages that cannot be read: '

/** What `degraded` says of messages that could not be read. */
export function lackOf(unreadable: number): readonly string[] {
  if (unreadable === 0) return []
  return [`${lacking}${unreadable}. Run "verbatim verify" for which they are and why`]
}

/** What `degraded` says, for people, a reason a line. */
export function explainDegraded({
  degraded = [],
  made_by: madeBy,
}: Pick<SummaryReply, 'degraded' | 'made_by'>): readonly string[] {
  const instead = madeBy === 'extractive' ? 'Not by a model' : 'Not made anew'
  return degraded.map((reason) => (reason.startsWith(lacking) ? `It lacks ${reason}` : `${instead}: ${reason}`))
}
