import { describeDefect, UnavailableError, VerbatimError } from '../errors.ts'
import { asUpdated } from '../updated.ts'
import { exitCodes } from './exit-codes.ts'
import { inCommands } from './in-commands.ts'

/** Says on stderr what a user may see of an error, what to do included, and gives the exit code that goes with it. */
export function tellError(thrown: unknown): number {
  const error = asUpdated(thrown)
  if (!(error instanceof VerbatimError)) {
    process.stderr.write(`verbatim: internal error, a defect of Verbatim: ${describeDefect(error)}\n`)
    return exitCodes.internal
  }
  process.stderr.write(`verbatim: ${error.message}\n${remedyOf(error)}`)
  return error instanceof UnavailableError ? exitCodes.unavailable : exitCodes.usage
}

/** Says on stderr what is wrong and does not end the command. */
export function tellWarning(error: VerbatimError): void {
  process.stderr.write(`verbatim: warning: ${error.message}\n${remedyOf(error)}`)
}

function remedyOf({ remedy }: VerbatimError): string {
  return remedy === undefined ? '' : `${inCommands(remedy)}\n`
}
