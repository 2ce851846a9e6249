import { UnavailableError } from '../../../errors.ts'
import { asUpdated } from '../../../updated.ts'
import type { WireError } from '../wire.ts'

/** `53100` disk full, `58030` the engine broke or hangs, `57P01` the daemon is leaving. */
type EngineErrorCode = '53100' | '58030' | '57P01'

/** The engine cannot answer. What was asked may or may not have been done: only idempotent work may be tried again. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly code: EngineErrorCode
  readonly hint: string

  constructor(code: EngineErrorCode, message: string, hint: string) {
    super(message)
    this.code = code
    this.hint = hint
  }

  toWire(): WireError {
    return { code: this.code, message: this.message, hint: this.hint }
  }
}

const reasonCharactersMax = 200

export const freeSpaceHint = 'Free some space on the disk of VERBATIM_HOME; saves resume by themselves'

/** What ended the engine's thread. */
export function engineErrorOf(error: Error): EngineError {
  const told = asUpdated(error)
  if (!(told instanceof UnavailableError)) return engineErrorFrom(error.message.slice(0, reasonCharactersMax))
  return new EngineError('58030', told.message, told.remedy ?? '')
}

/** `reason` is PostgreSQL's last message, or what the thread said; it never holds stored text. */
export function engineErrorFrom(reason: string): EngineError {
  if (isSpaceProblem(reason)) {
    return new EngineError('53100', `Cannot use the store as its disk is full: "${reason}"`, freeSpaceHint)
  }
  return new EngineError(
    '58030',
    `Cannot use the store as its engine stopped: "${reason}"`,
    'Try again: the engine is being restarted',
  )
}

function isSpaceProblem(reason: string): boolean {
  return /No space left on device|ENOSPC|Disk quota exceeded|EDQUOT/i.test(reason)
}
