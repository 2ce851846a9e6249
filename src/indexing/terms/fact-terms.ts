import type { FactBody, FactTerms } from '../../store/learning/sealed-facts.ts'
import { detectLanguage } from './language.ts'
import { isStopWord } from './stop-words.ts'
import { unitTerms, type TermHasher } from './terms.ts'
import { tokenize } from './tokenize.ts'

/** Words of a fact that it is found by. */
const wordsMax = 60

/** The same words in another writing: case, marks and white space say nothing. */
function folded(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}+#%$€]+/gu, ' ')
    .trim()
}

/** The telling words of a text, hashed. */
export function tellingTerms(text: string, hasher: TermHasher): bigint[] {
  const language = detectLanguage(text)
  const languages = [language ?? 'en', 'en']
  const tokens = tokenize(text, { language }).filter(({ term }) => !isStopWord(term, languages))
  return [...unitTerms(tokens, hasher, { max: wordsMax }).terms]
}

/** Behind who says it, where it is theirs: what is where, and what those who work there use. */
const ofThoseThere = /^fact\|(?:\|the |(?:.*\|)?(?:we|our) [^|]*$)/u

/**
 * Whether a fact is so in its session's project alone: what was decided there, what is where, and what is used there. Preferences are of
 * who has them, and what helped in one project helps in another.
 */
export function isOfProject(kind: string, { slot, claim }: Pick<FactBody, 'slot' | 'claim'>): boolean {
  return kind === 'decision' || [slot, claim].some((about) => about !== undefined && ofThoseThere.test(about))
}

const someone = String.raw`(?:[Ii]|you|we|he|she|they|\p{Lu}[\p{L}'’-]+)`
const owners = String.raw`(?:[Mm]y|[Yy]our|[Hh]is|[Hh]er|[Tt]heir|\p{Lu}\p{L}+['’]s)`
const asking = (pattern: string) => new RegExp(String.raw`(?<!\p{L})(?:${pattern})(?!\p{L})`, 'u')

/**
 * What people ask for by other words than those in which it is told, by what it answers: who moved to Porto lives there. Words alone of
 * such a question are of others too: "the nightly job", "live reload", "the name of the file".
 */
const questions: readonly { readonly slots: readonly string[]; readonly asked: RegExp }[] = [
  {
    slots: ['home'],
    asked: asking(
      String.raw`(?:[Ww]here|(?:[Ww]hich|[Ww]hat) (?:city|town|village|country|place))(?: (?:do|does|did|am|are|is))? ${someone}(?: (?:am|are|is|now|currently|still))? (?:live|lives|living)`,
    ),
  },
  {
    slots: ['name', 'first name', 'nickname'],
    asked: asking(
      String.raw`${owners} (?:first |full |real )?(?:nick)?name|[Ww]ho am [Ii]|[Ww]hat (?:do|should|can) ${someone} call (?:me|you|him|her|them)`,
    ),
  },
  {
    slots: ['occupation'],
    asked: asking(
      String.raw`${owners} job|(?:[Ww]hich|[Ww]hat) job (?:do|does) ${someone} have|${someone} do for (?:a living|work)|profession|occupation`,
    ),
  },
  { slots: ['diet'], asked: asking('diet|eats?') },
  { slots: ['am married'], asked: asking('married') },
]

const askedTerm = (slots: readonly string[], hasher: TermHasher) => hasher(`asked\0${slots[0]}`)

/** What a text asks for of which facts may tell in other words, hashed. */
export function askedTerms(text: string, hasher: TermHasher): bigint[] {
  return questions.filter(({ asked }) => asked.test(text)).map(({ slots }) => askedTerm(slots, hasher))
}

/** What a fact answers, hashed as in `askedTerms`. */
function answeredTerms(slot: string | undefined, hasher: TermHasher): bigint[] {
  const of = slot?.slice(slot.lastIndexOf('|') + 1) ?? ''
  return questions.filter(({ slots }) => slots.includes(of)).map(({ slots }) => askedTerm(slots, hasher))
}

/**
 * How a fact is found, and known again: what one person says of themselves is theirs, what was decided or helped is so whoever
 * says it. `project`: of its session, where that is known. NUL keeps these terms apart from every word.
 */
export function factTerms(
  kind: string,
  body: FactBody,
  { hasher, project }: { readonly hasher: TermHasher; readonly project: string | undefined },
): FactTerms {
  const { text, subject, slot, claim } = body
  const whose = kind === 'decision' || kind === 'procedure' ? '' : folded(subject)
  const where = project !== undefined && isOfProject(kind, body) ? `\0${project}` : ''
  const answer = (to: string) => hasher(`slot\0${to}${where}`)
  // What it says comes first: there it is looked for where something says that it is so no longer.
  const claimed = claim === undefined ? [] : [answer(claim)]
  const said = [text, subject].flatMap((words) => tellingTerms(words, hasher))
  return {
    statement: hasher(`fact\0${kind}\0${whose}\0${folded(text)}${where}`),
    subject: slot === undefined ? undefined : answer(slot),
    words: [...new Set([...claimed, ...answeredTerms(slot, hasher), ...said])],
  }
}
