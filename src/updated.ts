import { sep } from 'node:path'

import { codeOf, UnavailableError } from './errors.ts'
import { packageFile } from './package-file.ts'

/** Of an import, and of a thread's file. */
const missingCodes = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']
/** As Node.js words it, for what is imported and for a file that a thread is started from. */
const missingModule = /^Cannot find module '(.+?)'(?: imported from |$)/mu

/**
 * The error as whoever sees it is told: a file of the program that is not there any more means that Verbatim was updated, or
 * removed, since this process began. The files of a build have names of their own, so a process never loads those of another
 * build; and what it has loaded goes on. Every other error is given back as it is.
 */
export function asUpdated(error: unknown): unknown {
  if (!(error instanceof Error) || !missingCodes.includes(codeOf(error) ?? '')) return error
  const path = missingModule.exec(error.message)?.[1]
  return path?.startsWith(packageFile('dist') + sep) === true ? updated(error) : error
}

export function updated(cause?: unknown): UnavailableError {
  return new UnavailableError('Cannot do this as Verbatim was updated while it was running', {
    remedy: 'Start it again: restart the program that uses it',
    cause,
  })
}

/** Waits for a file of the program itself. The build puts this around each `import()` of one. */
export async function loaded<T>(loading: Promise<T>): Promise<T> {
  try {
    return await loading
  } catch (error) {
    throw asUpdated(error)
  }
}
