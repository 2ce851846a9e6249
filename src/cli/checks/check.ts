import type { VerbatimError } from '../../errors.ts'

/** One line of what `doctor` says. */
export interface Check {
  readonly name: string
  readonly state: 'ok' | 'note' | 'problem'
  readonly message: string
  readonly remedy?: string
}

export function problemOf(name: string, { message, remedy }: VerbatimError): Check {
  return { name, state: 'problem', message, ...(remedy === undefined ? {} : { remedy }) }
}
