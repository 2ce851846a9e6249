import { DamagedPayload, SessionKeyMissing } from '../errors.ts'

/** Whether an error is of one session, whose key or messages are not what they were: nothing else waits for it. */
export function isOfOneSession(error: unknown): error is SessionKeyMissing | DamagedPayload {
  return error instanceof SessionKeyMissing || error instanceof DamagedPayload
}
