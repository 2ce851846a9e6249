import { SessionKeyMissing } from '../../errors.ts'

/** What a session's key was asked for: the words after "Cannot", before the session. */
export type SealedWork =
  | 'save to'
  | 'read'
  | 'archive'
  | 'anonymise'
  | 'summarize'
  | 'learn from'
  | 'look for names in'
  | 'give pseudonyms of'
  | 'sync'

/** The key of a session that is there is not, or does not open. Who saves can take another session; whatever else is done waits for the key. */
export function sessionKeyMissing(sessionId: string, work: SealedWork): SessionKeyMissing {
  return new SessionKeyMissing(`Cannot ${work} session "${sessionId}" as its key is missing or was altered`, {
    remedy:
      work === 'save to'
        ? 'Use another session_id, and run "verbatim verify"'
        : 'Run "verbatim restore --keys", which takes keys from the archive, or restore the table encryption_keys from a backup',
  })
}
