import { setTimeout as sleep } from 'node:timers/promises'

import type { Capture } from './capture.ts'
import type { UnreadSessions } from './unread-sessions.ts'

/** How long the stop of the gateway waits in all. */
const waitMs = 5_000

/**
 * Looks once more at what was said last, and at sessions that no hook has told of: OpenClaw may stop between the first turn of a
 * session and the hook that tells of it. Resolves when all is on disk, or at the deadline: the next start looks again.
 */
export async function lookBeforeStop(
  { capture, unread }: { readonly capture: Capture; readonly unread: UnreadSessions },
  deadline: Promise<unknown> = sleep(waitMs, undefined, { ref: false }),
): Promise<void> {
  const late = new AbortController()
  const lookAtUnread = async (): Promise<void> => await capture.lookAtAll(await unread.find(Date.now()), late.signal)
  await Promise.race([Promise.all([capture.close(), lookAtUnread()]), deadline])
  late.abort()
}
