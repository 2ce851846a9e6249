/** Every error that a caller may see. Anything else is a defect and is shown as `internal error <id>`. */
export type ErrorCode = 'input' | 'not_found' | 'forbidden' | 'limit' | 'conflict' | 'unavailable'

/**
 * The base of all errors whose text may be shown to a caller, a model included. Messages quote ids and numbers,
 * never stored text, SQL, paths of the server or secrets. `remedy` says what to do next.
 */
export abstract class VerbatimError extends Error {
  abstract readonly code: ErrorCode
  readonly remedy: string | undefined

  constructor(message: string, options: { readonly remedy?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.remedy = options.remedy
  }
}

/** The caller's arguments cannot be taken as they are. */
export class InputError extends VerbatimError {
  override readonly name = 'InputError'
  readonly code = 'input'
}

/** Nothing the caller may read has this id. */
export class NotFoundError extends VerbatimError {
  override readonly name = 'NotFoundError'
  readonly code = 'not_found'
}

/** It is there, and the caller may not do this with it. */
export class ForbiddenError extends VerbatimError {
  override readonly name = 'ForbiddenError'
  readonly code = 'forbidden'
}

/** A bound of `limits.ts` was passed; nothing was stored. */
export class LimitError extends VerbatimError {
  override readonly name = 'LimitError'
  readonly code = 'limit'
  readonly limit: number
  readonly actual: number

  constructor(
    action: string,
    size: { readonly what: string; readonly limit: number; readonly actual: number; readonly remedy?: string },
  ) {
    super(
      `Cannot ${action} as ${size.what} must be <= ${size.limit}: current value is ${size.actual}`,
      size.remedy === undefined ? {} : { remedy: size.remedy },
    )
    this.limit = size.limit
    this.actual = size.actual
  }
}

/** The request contradicts what is stored, for example an id that is already used for other content. */
export class ConflictError extends VerbatimError {
  override readonly name: string = 'ConflictError'
  readonly code = 'conflict'
}

/** What is to be stored was erased or anonymised before, and is not stored again. */
export class ErasedError extends ConflictError {
  override readonly name = 'ErasedError'
}

/** Something the request needs does not answer now; the same request may work later. */
export class UnavailableError extends VerbatimError {
  override readonly name: string = 'UnavailableError'
  readonly code = 'unavailable'
}

/** The keys of an encrypted store are not there: nothing is read, found or stored until they are back. */
export class KeysMissing extends UnavailableError {
  override readonly name = 'KeysMissing'
}

/** What was asked for has no row in the audit log, as that takes none now: what writes is not done without one. */
export class AuditUnwritten extends UnavailableError {
  override readonly name = 'AuditUnwritten'
  /** What is wrong with the audit log. */
  readonly why: string

  constructor(why: string, options: { readonly remedy?: string; readonly cause?: unknown } = {}) {
    super(`Cannot do this as what is done cannot be written down: ${why}`, {
      remedy: 'Try again when who administers the database has put the audit log right (docs/audit.md)',
      ...options,
    })
    this.why = why
  }
}

/** The key of one session is not there, or was altered: until it is back, what needs it waits, and what does not goes on. */
export class SessionKeyMissing extends UnavailableError {
  override readonly name = 'SessionKeyMissing'
}

/** What a message, or the head of a session, said is not there, or is not what was saved: no later call finds it, until it is restored from a backup. */
export class DamagedPayload extends UnavailableError {
  override readonly name = 'DamagedPayload'
}

/** What a caller is told of an error in one text: what was wrong, and what to do. */
export function explain(error: VerbatimError): string {
  return error.remedy === undefined ? error.message : `${error.message}. ${error.remedy}`
}

/** The code that Node.js, PostgreSQL or we gave an error (`ENOENT`, `53100`, `input`), or undefined where it has none. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** The text of any thrown value, for logs and for wrapping; never for a caller unless it is a VerbatimError. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

const framesMax = 5

/**
 * What a log or a terminal is told of an error that is a defect, in one line: its kind, its code and where it was thrown.
 * That is enough to find it; its message is left out because it may quote what is stored.
 */
export function describeDefect(error: unknown): string {
  if (!(error instanceof Error)) return `thrown ${typeof error}`
  // The frames are the end of the stack; the message above them may have lines of its own.
  const frames =
    /(?:\n +at [^\n]+)+$/
      .exec(error.stack ?? '')?.[0]
      .trim()
      .split(/\n +/) ?? []
  return [error.name, codeOf(error), ...frames.slice(0, framesMax)].filter((part) => part !== undefined).join(' ')
}

const causesMax = 3

/** An error as a log is told of it: one of our own by its message, which quotes ids and numbers only, any other as a defect; and what caused it. */
export function describeForLog(error: unknown, causes = causesMax): string {
  const text = error instanceof VerbatimError ? error.message : describeDefect(error)
  if (causes === 0 || !(error instanceof Error) || error.cause === undefined) return text
  return `${text} (caused by ${describeForLog(error.cause, causes - 1)})`
}
