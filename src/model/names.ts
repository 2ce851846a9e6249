/** The kinds of names that are told apart. */
export const nameTypes = ['person', 'place', 'organization'] as const
export type NameType = (typeof nameTypes)[number]

/** A name as it stands in a text. */
export interface FoundName {
  readonly type: NameType
  readonly name: string
}

/** What looks for names beside the rules: the model that writes, or one on this machine. */
export type NamesBy = 'model' | 'local'
