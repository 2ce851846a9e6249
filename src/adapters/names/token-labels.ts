import type { FoundName, NameType } from '../../model/names.ts'

/** A word or a mark of a text, with its place in UTF-16 units. */
export interface Word {
  readonly start: number
  readonly end: number
}

/** Characters of scripts that put no spaces between words stand alone, as models have them. */
const alone = '[\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}]'
const word = new RegExp(`${alone}|(?:(?!${alone})[\\p{L}\\p{M}\\p{N}])+|[^\\s\\p{L}\\p{M}\\p{N}]`, 'gu')

export function wordsOf(text: string): Word[] {
  return [...text.matchAll(word)].map(({ 0: found, index }) => ({ start: index, end: index + found.length }))
}

const types: ReadonlyMap<string, NameType> = new Map([
  ['PER', 'person'],
  ['PERS', 'person'],
  ['PERSON', 'person'],
  ['LOC', 'place'],
  ['LOCATION', 'place'],
  ['GPE', 'place'],
  ['PLACE', 'place'],
  ['ORG', 'organization'],
  ['ORGANIZATION', 'organization'],
  ['ORGANISATION', 'organization'],
])

interface Label {
  readonly type: NameType
  /** Whether a name begins here, also right behind another one of its kind. */
  readonly begins: boolean
}

/** What a label of a model says, as `B-PER` or `PERSON`; undefined where it is no kind of name that is told apart. */
export function labelOf(label: string): Label | undefined {
  const [, prefix, kind] = /^(?:([BIELSU])[-_])?(.+)$/u.exec(label.toUpperCase()) ?? []
  const type = types.get(kind ?? '')
  return type === undefined ? undefined : { type, begins: prefix === 'B' || prefix === 'S' || prefix === 'U' }
}

/** Names of the words that follow each other with one kind. `labels` are as `id2label` has them, one for each word. */
export function namesOfLabels(text: string, words: readonly Word[], labels: readonly string[]): FoundName[] {
  const names: FoundName[] = []
  let open: (Word & { readonly type: NameType }) | undefined
  const close = () => {
    if (open !== undefined) names.push({ type: open.type, name: text.slice(open.start, open.end) })
    open = undefined
  }
  for (const [index, { start, end }] of words.entries()) {
    const label = labelOf(labels[index] ?? '')
    const isFurther =
      open !== undefined && label?.type === open.type && !label.begins && !text.slice(open.end, start).includes('\n')
    if (!isFurther) close()
    if (label !== undefined) open = { type: label.type, start: open?.start ?? start, end }
  }
  close()
  return names
}

/** How many of the words that are left a model reads at once: as many as fit, and of these rather whole sentences. */
export function wordsThatFit(
  text: string,
  words: readonly (Word & { readonly tokens: number })[],
  tokensMax: number,
): number {
  let tokens = 0
  let fitting = 0
  let sentences = 0
  for (const one of words) {
    tokens += one.tokens
    if (tokens > tokensMax) break
    fitting++
    const rest = text.slice(one.end, one.end + 1)
    if (rest === '\n' || /[.!?。！？]/u.test(text.slice(one.start, one.end))) sentences = fitting
  }
  if (fitting === words.length) return fitting
  // A word that does not fit alone is passed over.
  return Math.max(sentences > fitting / 2 ? sentences : fitting, 1)
}
