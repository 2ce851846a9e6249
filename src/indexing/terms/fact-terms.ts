import type { FactBody, FactTerms } from '../../store/learning/sealed-facts.ts'
import { answeredTerms } from './asked-terms.ts'
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
