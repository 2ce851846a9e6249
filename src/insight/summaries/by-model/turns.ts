import { isFlagged } from '../../../model/message-flags.ts'
import { readableText } from '../../../sessions/document.ts'
import { messageBody } from '../../../sessions/message-body.ts'
import { flagsOfMessage } from '../../../sessions/message-flags.ts'
import type { ReadDependencies } from '../../../sessions/session-page.ts'
import type { MessageRow, SessionKey } from '../../../store/messages.ts'
import { pagedMessages } from '../../../store/page-messages.ts'
import type { WeighedStretch } from '../../../store/summaries/weigh-messages.ts'
import type { MessageToSummarize } from '../../extracts/extract.ts'
import { sampleStretches } from '../../extracts/sample-stretches.ts'

export interface TurnOptions {
  /** Leaves out messages that hold secrets or read like instructions to a model, and is told of each. */
  readonly leaveOut?: () => void
}

/** The same of a stretch that may be long: at most so many of its messages. */
export async function* sampledTurns(
  dependencies: ReadDependencies,
  key: SessionKey,
  { messagesMax, ...stretch }: WeighedStretch & TurnOptions & { readonly messagesMax: number },
): AsyncGenerator<MessageToSummarize> {
  for (const piece of sampleStretches(stretch, messagesMax)) yield* turns(dependencies, key, { ...stretch, ...piece })
}

/** The turns of a stretch of a session, streamed, so that its length does not matter. Damaged and restricted ones are left out. */
export async function* turns(
  dependencies: ReadDependencies,
  key: SessionKey,
  { leaveOut, ...stretch }: WeighedStretch & TurnOptions,
): AsyncGenerator<MessageToSummarize> {
  const isWanted = (row: MessageRow) =>
    row.kind === 'message' &&
    (stretch.since === undefined || row.timestamp >= stretch.since) &&
    (stretch.until === undefined || row.timestamp <= stretch.until)
  const range = { ...stretch, usable: true, withFlags: leaveOut !== undefined }
  for await (const rows of pagedMessages(dependencies.database, key, range)) {
    for (const row of rows.filter(isWanted)) {
      const body = await messageBody(dependencies.archive, row)
      if ('error' in body) continue
      if (leaveOut !== undefined && isFlagged(row.flags ?? flagsOfMessage(row, body.payload))) leaveOut()
      else yield turnOf(row, body.payload)
    }
  }
}

export function turnOf(row: MessageRow, payload: Uint8Array): MessageToSummarize {
  const { id, seq, sender, role } = row
  return { id, seq, sender, role, text: spokenText(row, readableText(row, payload)) }
}

/** A message's words without the calls that it makes: tool input is code and data, and no sentence of the conversation. */
function spokenText(row: MessageRow, text: string): string {
  const tools = row.toolsUsed ?? []
  const paragraphs = text.split('\n\n')
  const call = paragraphs.findIndex((paragraph) =>
    tools.some((tool) => paragraph === tool || paragraph.startsWith(`${tool} `)),
  )
  return call < 0 ? text : paragraphs.slice(0, call).join('\n\n')
}
