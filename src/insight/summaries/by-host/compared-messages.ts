import { readableText } from '../../../sessions/document.ts'
import { messageBody } from '../../../sessions/message-body.ts'
import type { ReadDependencies } from '../../../sessions/session-page.ts'
import type { SessionKey } from '../../../store/messages.ts'
import { pagedMessages, type MessageRange } from '../../../store/page-messages.ts'
import type { FoundMessage } from './source-finder.ts'

/** Of a longer message no more is compared: what it would take to keep it beside others is worth more than one sentence. */
const comparedCharactersMax = 50_000

/** A message, and its text with who said it; absent where it could not be read, or was not asked for. */
export interface ComparedMessage extends FoundMessage {
  readonly text: string | undefined
  /** Whether the text goes on behind `comparedCharactersMax` characters, which is where it is cut. */
  readonly isCut: boolean
}

/** The messages of a stretch of a session, in order, with as much of their texts as is compared. */
export async function* comparedMessages(
  { database, archive }: Pick<ReadDependencies, 'database' | 'archive'>,
  key: SessionKey,
  { withText, ...stretch }: MessageRange & { readonly withText: boolean },
): AsyncGenerator<ComparedMessage> {
  for await (const rows of pagedMessages(database, key, stretch)) {
    for (const row of rows) {
      const { id, seq, sender } = row
      const body = withText ? await messageBody(archive, row) : undefined
      const whole = body === undefined || 'error' in body ? undefined : readableText(row, body.payload)
      const text = whole === undefined ? undefined : `${sender}: ${whole.slice(0, comparedCharactersMax)}`
      yield { id, seq, sender, text, isCut: (whole?.length ?? 0) > comparedCharactersMax }
    }
  }
}
