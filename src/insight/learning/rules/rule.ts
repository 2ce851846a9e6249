import type { FactKind } from '../fact.ts'

/** What a rule has found: the named parts of its pattern. */
export type RuleParts = Readonly<Record<string, string | undefined>>

/** A way in which people say something that is worth knowing in another session. */
export interface Rule {
  readonly kind: FactKind
  /** Who may say it: of an assistant only what it did or what was decided is taken, never what it says of anybody. */
  readonly by: 'user' | 'either'
  /** Matches at the start of a clause. The group `value` is what is told; a value that is vague is not taken. */
  readonly pattern: RegExp
  readonly confidence: number
  /** The value is a name: it begins with a capital or a figure. */
  readonly isName?: true
  /** What it is the answer to, where there is one answer at a time. */
  readonly slot?: (parts: RuleParts) => string | undefined
}

/* The words that many patterns have. */
export const value = String.raw`(?<value>\S.*)`
export const my = String.raw`(?:my|our)`
export const am = String.raw`(?: am|['’]m)`
export const often = String.raw`(?:(?:really|generally|usually|strongly|much|personally|always|also|still|just|mostly|mainly|currently|now|absolutely|particularly|especially) )*`

/** A pattern of words, with one space for any white space. */
export function words(source: string): RegExp {
  return new RegExp(source.replaceAll(' ', String.raw`\s+`), 'iuy')
}

/** Where what a value is about ends. */
export const clauseEnd = /[,;.!()]|\s[-–—]\s|\s(?:because|since|as|so|but|and|when|while|which|for|to avoid)\s/iu

/** The words that name what a value is about. */
export function objectOf(told = ''): string {
  return (told.split(clauseEnd)[0] ?? '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}+#.-]+/gu, ' ')
    .trim()
    .replace(/ (?:too|also|as well)$/u, '')
}
