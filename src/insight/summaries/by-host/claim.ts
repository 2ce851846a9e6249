import { isStopWord } from '../../../indexing/terms/stop-words.ts'
import { tokenize } from '../../../indexing/terms/tokenize.ts'
import { isHeadingLine } from '../../../model/text/heading-line.ts'
import { isAboutTalk, lackingIn } from '../../checks/borne-out.ts'
import { isNumberWord } from '../../checks/number-words.ts'

/** What a line of a list begins with. */
const listMark = /^\s*(?:\d{1,3}[.)]|[-*•#]+)\s+/u
/** Words that a claim is looked for by. */
const termsMax = 60

/** A sentence as it is looked for in messages. */
export interface Claim {
  /** The number of the sentence in its summary, from 1. */
  readonly number: number
  readonly said: string
  /** Its telling words, each as written, folded, and as a stem. */
  readonly terms: readonly (readonly string[])[]
  /** Names, numbers, paths and addresses in it. */
  readonly names: readonly string[]
}

/** What a line says, without the mark of a list. Its first word has a capital anyway: that it is a name nobody could know. */
export function checkedText(line: string): string {
  const said = line.replace(listMark, '').trim()
  return said.replace(/\p{L}/u, (letter) => letter.toLowerCase())
}

/** A line as it is looked for; undefined where it says nothing that could be found: a heading, a rule. */
export function claimOf(
  line: string,
  about: { readonly number: number; readonly language: string | null },
): Claim | undefined {
  const said = checkedText(line)
  const names = lackingIn(said, '').filter((name) => !isNumberWord(name))
  if (isHeadingLine(line)) return undefined
  const terms = tellingTerms(said, about.language).slice(0, termsMax)
  return terms.length === 0 && names.length === 0 ? undefined : { number: about.number, said, terms, names }
}

/** The telling words of a text, as a claim has them: a stem alone may be a function word, as that of "one" is "on". */
export function tellingTerms(text: string, language: string | null): Claim['terms'] {
  const languages = [language ?? 'en', 'en']
  const terms = new Map<string, string[]>()
  const tokens = tokenize(text, { language })
  for (const [at, { term, kind, start }] of tokens.entries()) {
    if ((kind !== 'word' && kind !== 'gram') || isStopWord(term, languages) || isAboutTalk(term)) continue
    const next = tokens[at + 1]
    const stem = next?.kind === 'stem' && next.start === start ? [next.term] : []
    terms.set(stem[0] ?? term, [term, ...stem])
  }
  return [...terms.values()]
}
