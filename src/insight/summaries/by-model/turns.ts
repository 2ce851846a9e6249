import { isFlagged } from '../../../model/messages/message-flags.ts'
import { readableText } from '../../../sessions/document.ts'
import { messageBody } from '../../../sessions/message-body.ts'
import { flagsOfMessage } from '../../../sessions/message-flags.ts'
import type { ReadDependencies } from '../../../sessions/session-page.ts'
import type { MessageRow, SessionKey } from '../../../store/messages.ts'
import { pagedMessages } from '../../../store/page-messages.ts'
import { countMessages, seqsAt, type WeighedStretch } from '../../../store/summaries/weigh-messages.ts'
import type { MessageToSummarize } from '../../extracts/candidates.ts'
import { sampleStretches, type Stretch } from '../../extracts/sample-stretches.ts'
import { spokenIn } from '../../learning/meant/asserted.ts'

export interface TurnOptions {
  /** Leaves out messages that hold secrets or read like instructions to a model, and is told of each. */
  readonly leaveOut?: () => void
  /** Is told of each message that cannot be read, as its archive is away or it is damaged. */
  readonly missOut?: (seq: number) => void
}

/**
 * The same of a stretch that may be long: at most so many of its messages, evenly spread (`sampleStretches`); with a time, of those
 * that are of it.
 */
export async function* sampledTurns(
  dependencies: ReadDependencies,
  key: SessionKey,
  { messagesMax, ...stretch }: WeighedStretch & TurnOptions & { readonly messagesMax: number },
): AsyncGenerator<MessageToSummarize> {
  const isTimed = stretch.since !== undefined || stretch.until !== undefined
  const pieces = isTimed
    ? await sampleOfTime(dependencies, key, { ...stretch, messagesMax })
    : sampleStretches(stretch, messagesMax)
  for (const piece of pieces) yield* turns(dependencies, key, { ...stretch, ...piece })
}

/** Messages of a time may be few among the others, and have many between them: they are sampled by their order. */
async function sampleOfTime(
  { database }: ReadDependencies,
  key: SessionKey,
  { messagesMax, ...stretch }: WeighedStretch & { readonly messagesMax: number },
): Promise<readonly Stretch[]> {
  const count = await database.run((sql) => countMessages(sql, key, stretch))
  if (count === 0) return []
  const pieces = sampleStretches({ fromSeq: 1, toSeq: count }, messagesMax)
  const positions = [...new Set(pieces.flatMap(({ fromSeq, toSeq }) => [fromSeq, toSeq]))]
  const seqs = await database.run((sql) => seqsAt(sql, key, { ...stretch, positions }))
  const seqOf = new Map(positions.map((position, at) => [position, seqs[at]]))
  return pieces.flatMap(({ fromSeq, toSeq }) => {
    const [first, last] = [seqOf.get(fromSeq), seqOf.get(toSeq)]
    return first === undefined || last === undefined ? [] : [{ fromSeq: first, toSeq: last }]
  })
}

/** The turns of a stretch of a session, streamed, so that its length does not matter. Those that cannot be read and restricted ones are left out. */
export async function* turns(
  dependencies: ReadDependencies,
  key: SessionKey,
  { leaveOut, missOut, ...stretch }: WeighedStretch & TurnOptions,
): AsyncGenerator<MessageToSummarize> {
  const range = { ...stretch, usable: true, withFlags: leaveOut !== undefined }
  for await (const rows of pagedMessages(dependencies.database, key, range)) {
    for (const row of rows.filter(({ kind }) => kind === 'message')) {
      const body = await messageBody(dependencies.archive, row)
      if ('error' in body) missOut?.(row.seq)
      else if (leaveOut !== undefined && isFlagged(row.flags ?? flagsOfMessage(row, body.payload))) leaveOut()
      else yield turnOf(row, body.payload)
    }
  }
}

export function turnOf(row: MessageRow, payload: Uint8Array): MessageToSummarize {
  const { id, seq, sender, role } = row
  const isSpeaker = role === 'user' || role === 'assistant'
  const text = (isSpeaker ? spokenIn(row, payload) : undefined) ?? spokenText(row, readableText(row, payload))
  return { id, seq, sender, role, text: text.replaceAll(injected, '\n\n').trim() }
}

/**
 * What an agent's program puts into a turn of its user or into what a tool has answered, which neither has said: `<system-reminder>`,
 * `<environment_context>`, `<tool_use_error>`.
 */
const injected = /<([a-z]+[-_][\w-]*)\b[^<>]{0,1000}(?<!\/)>[\s\S]*?(?:<\/\1>|$)/giu

/** A message's words without the calls that it makes: tool input is code and data, and no sentence of the conversation. */
function spokenText(row: MessageRow, text: string): string {
  const tools = row.toolsUsed ?? []
  const paragraphs = text.split('\n\n')
  const call = paragraphs.findIndex((paragraph) =>
    tools.some((tool) => paragraph === tool || paragraph.startsWith(`${tool} `)),
  )
  return call < 0 ? text : paragraphs.slice(0, call).join('\n\n')
}
