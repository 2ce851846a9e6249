import { inOneLine } from './text/one-line.ts'

/** What sessions are narrowed to by name. */
export type NameKind = 'participant' | 'model' | 'tag' | 'source'

/** A name that something is asked for by. */
export interface WantedName {
  readonly kind: NameKind
  readonly name: string
}

/** One that no session has, with those that are nearly it. */
export interface UnknownName extends WantedName {
  readonly similar: readonly string[]
}

export function describeUnknownName({ kind, name, similar }: UnknownName): string {
  const known = similar.map((one) => `"${inOneLine(one)}"`).join(', ')
  return `No session has the ${kind} "${inOneLine(name)}".${known === '' ? '' : ` There is ${known}.`}`
}
