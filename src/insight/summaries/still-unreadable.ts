import { messageBody } from '../../sessions/message-body.ts'
import type { ReadDependencies } from '../../sessions/session-page.ts'
import { readMessages, type SessionKey } from '../../store/messages.ts'
import type { SummaryMaking } from '../../store/summaries/summaries.ts'

/** Of what lacks more messages, which these are is not stored: it is made anew when it is asked for. */
const namedMax = 100

/** What is stored with a summary of the messages that it lacks, as they could not be read. */
export function makingWithout(
  unreadable: readonly number[],
): Pick<SummaryMaking, 'messages_unreadable' | 'unreadable'> {
  if (unreadable.length === 0) return {}
  return { messages_unreadable: unreadable.length, ...(unreadable.length <= namedMax ? { unreadable } : {}) }
}

/** Whether those which are lacking can be named, and so what lacks them can be stored. */
export function canBeNamed(unreadable: readonly number[]): boolean {
  return unreadable.length <= namedMax
}

/**
 * Whether what was made of messages is as good as what would be made now: each that it lacks still cannot be read. They are read one at
 * a time, until one can be.
 */
export async function lacksAsBefore(
  { database, archive }: Pick<ReadDependencies, 'database' | 'archive'>,
  key: SessionKey,
  making: Pick<SummaryMaking, 'messages_unreadable' | 'unreadable'>,
): Promise<boolean> {
  const { messages_unreadable: lacking = 0, unreadable = [] } = making
  if (unreadable.length !== lacking) return false
  for (const seq of unreadable) {
    const [row] = await readMessages(database, key, { fromSeq: seq, toSeq: seq, limit: 1, usable: true })
    if (row === undefined || !('error' in (await messageBody(archive, row)))) return false
  }
  return true
}
