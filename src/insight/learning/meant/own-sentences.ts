import { listedDecisions } from '../../extracts/cues/listed-decisions.ts'
import { splitSentences } from '../../extracts/sentences.ts'
import type { Asserted } from './asserted.ts'

/** A sentence that is its sender's own, with its place in the text of the message. */
export interface OwnSentence {
  readonly text: string
  readonly start: number
}

/** Passages that somebody has put in, and that are not their own words: in tags, as a quotation, as code, as a table. */
const putIn = [
  /<([a-zA-Z][\w-]*)\b[^>]*>[\s\S]*?(?:<\/\1>|$)/gu,
  /^[ \t]*>.*$/gmu,
  /^(?: {4}|\t).*$/gmu,
  /^[ \t]*\|.*$/gmu,
  /^[ \t]*(?:[$#%»]|PS>|>>>)\s.*$/gmu,
  /^-{3,}[^\n]*\n[\s\S]*?^-{3,}[^\n]*$/gmu,
  // A quotation of several sentences: the later ones show no mark.
  /(?<![\p{L}\p{N}])"[^"\n]*[.!?]\s[^"\n]*"|“[^“”]*[.!?]\s[^“”]*”|«[^«»]*[.!?]\s[^«»]*»/gu,
] as const

/** Every character as a line break: the sentence before it ends there, and all places stay what they are. */
const blank = (passage: string) => '\n'.repeat(passage.length)

const withoutPutIn = (text: string) => putIn.reduce((rest, pattern) => rest.replace(pattern, blank), text)

/** The sentences of what somebody asserts, without those that are put in from elsewhere. */
export function ownSentences({ text, stretches }: Asserted): OwnSentence[] {
  return stretches.flatMap(({ start: offset, end }) => {
    const own = withoutPutIn(text.slice(offset, end))
    return splitSentences(own).flatMap(({ start, end: until, kind }) =>
      kind === 'code' ? [] : [{ text: own.slice(start, until), start: offset + start }],
    )
  })
}

/** What stands under a heading of decisions in what somebody asserts: as `listedDecisions`, without what is put in from elsewhere. */
export function ownListedDecisions({ text, stretches }: Asserted, charactersMax: number): OwnSentence[] {
  return stretches.flatMap(({ start: offset, end }) => {
    const said = text.slice(offset, end)
    const own = withoutPutIn(said)
    return listedDecisions(said, { spans: splitSentences(said), charactersMax }).flatMap(({ start, end: until }) => {
      const item = said.slice(start, until)
      return own.slice(start, until) === item ? [{ text: item, start: offset + start }] : []
    })
  })
}

/**
 * A text as long as that of the message, of its sender's own words alone: in place of everything else, and of what stands
 * between them, there are line breaks.
 */
export function ownWords({ text, stretches }: Asserted): string {
  let words = ''
  for (const { start, end } of stretches) {
    const own = withoutPutIn(text.slice(start, end))
    const code = splitSentences(own).filter(({ kind }) => kind === 'code')
    words += '\n'.repeat(start - words.length)
    for (const span of code) words += own.slice(words.length - start, span.start) + '\n'.repeat(span.end - span.start)
    words += own.slice(words.length - start)
  }
  return words
}

/** The same to be read by a model. */
export function ownTextOf(asserted: Asserted): string {
  return ownWords(asserted)
    .replaceAll(/\n{3,}/gu, '\n\n')
    .trim()
}
