import { UnavailableError, type AuditUnwritten } from '../errors.ts'

/** A command did what it does, and the audit log has no row of it. */
export class CommandUnrecorded extends UnavailableError {
  override readonly name = 'CommandUnrecorded'

  constructor(unwritten: AuditUnwritten) {
    super(`No row of this command could be written to the audit log: ${unwritten.why}`, {
      remedy:
        'What it says was done, or shown, all the same. Have who administers the database put the audit log right (docs/audit.md)',
      cause: unwritten,
    })
  }
}
