import { detectLanguage } from '../../indexing/terms/language.ts'
import { isStopWord } from '../../indexing/terms/stop-words.ts'
import { type Token, tokenize } from '../../indexing/terms/tokenize.ts'
import type { Role } from '../../model/messages/message.ts'
import type { SummaryStyle } from '../../model/summary-style.ts'
import { listedDecisions } from './cues/listed-decisions.ts'
import { splitSentences } from './sentences.ts'
import { cuesOf, type SentenceCues } from './style-weights.ts'

export interface MessageToSummarize {
  readonly id: string
  readonly seq: number
  readonly sender: string
  readonly role: Role
  readonly text: string
}

export interface SummarySentence {
  /** Word for word a stretch of its message's text. */
  readonly text: string
  readonly messageId: string
  readonly seq: number
  readonly sender: string
}

/** A sentence with what it takes to rank it among others without its message. */
export interface RankedSentence extends SummarySentence {
  readonly role: Role
  /** ISO 639-1, of its message; null where nothing says which. */
  readonly language: string | null
}

/** A sentence that stands for what was said around it, in summaries of some styles. */
export interface CondensedSentence extends RankedSentence {
  readonly styles: readonly SummaryStyle[]
}

/** A sentence that may be chosen. */
export interface Candidate extends RankedSentence {
  /** Its place in the conversation, among all that may be chosen. */
  readonly order: number
  readonly terms: ReadonlyMap<string, number>
  readonly cues: SentenceCues
  /** How much it is about what is asked, up to 1; absent where nothing is. */
  readonly relevance?: number
}

/** Sentences read from one message: a long log or document must not crowd out the conversation. */
const messageSentencesMax = 200
const messageCharactersMax = 100_000
const sentenceCharacters = { min: 12, max: 600 } as const
/** CJK sentences say as much in a third of the characters. */
const denseCharactersMin = 4
/** Distinct content terms that a sentence needs: below this it is a greeting or a nod. */
const termsMin = 2

/** What a program prints is taken for a sentence where it has the words of one in a row and ends as one, in one line. */
const told =
  /^["'“(]?\p{Lu}[\p{L}’'-]*,?(?=(?:[^\n]* )?(?:\p{Ll}[\p{Ll}’'-]*,? ){3})[^\n]*[\p{L}\p{N}`'"”’)\]][.!?]["”’)]?$|^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}][^\n]{3,}[。！？]$/u

/** What a tool's program tells the model that called it: it is no part of an answer. */
const addressed =
  /\byou(?:r|rs|rself)?\b|^(?:ensure|please|make sure|do not|don['’]t|note that|remember|use|to \p{Ll}+ .*, set)\b/iu

/** The sentences of a message that may be chosen, of as many characters as are read: one that is cut off there is none. */
export function* candidatesOf(
  message: MessageToSummarize,
  charactersRead = messageCharactersMax,
): Generator<Omit<Candidate, 'order'>> {
  const text = message.text.slice(0, Math.min(charactersRead, messageCharactersMax))
  const isCut = text.length < message.text.length
  const language = detectLanguage(text)
  const { id: messageId, seq, sender, role } = message
  const spans = splitSentences(text)
  const lastEnd = spans.at(-1)?.end
  const charactersMax = sentenceCharacters.max
  const decided = new Map(listedDecisions(text, { spans, charactersMax }).map((listed) => [listed.start, listed.end]))
  let taken = 0
  let read = 0
  for (const { kind, start, end: ownEnd } of spans) {
    const listedEnd = decided.get(start)
    const end = listedEnd ?? ownEnd
    if (kind === 'code' || start < read || end - start > charactersMax || (isCut && end === lastEnd)) continue
    if (listedEnd !== undefined) read = listedEnd
    const sentence = text.slice(start, end)
    if (role === 'tool' && (!told.test(sentence) || addressed.test(sentence))) continue
    if (
      sentence.length <
      (/[\u{3041}-\u{9fff}\u{ac00}-\u{d7a3}\u{e01}-\u{e5b}]/u.test(sentence)
        ? denseCharactersMin
        : sentenceCharacters.min)
    )
      continue
    const candidate = candidateOf({ text: sentence, messageId, seq, sender, role, language })
    if (candidate.terms.size < termsMin) continue
    yield listedEnd === undefined ? candidate : asDecided(candidate)
    taken++
    if (taken === messageSentencesMax) return
  }
}

/** A sentence that was chosen before among those of its message, in some styles. */
export function chosenBefore(sentence: CondensedSentence): Omit<Candidate, 'order'> {
  const candidate = candidateOf(sentence)
  // It does not say so itself: the heading that it stands under did.
  return candidate.cues.decision === 0 && sentence.styles.includes('decisions') ? asDecided(candidate) : candidate
}

function asDecided(candidate: Omit<Candidate, 'order'>): Omit<Candidate, 'order'> {
  return { ...candidate, cues: { ...candidate.cues, decision: 1 } }
}

function candidateOf(sentence: RankedSentence): Omit<Candidate, 'order'> {
  const { text, messageId, seq, sender, role, language } = sentence
  const terms = contentTerms(tokenize(text, { language }), language)
  return { text, messageId, seq, sender, role, language, terms, cues: cuesOf(text, role) }
}

/** The stems (or words) of a sentence without function words, each with its count. */
function contentTerms(tokens: readonly Token[], language: string | null): Map<string, number> {
  const languages = [language ?? 'en', 'en']
  const terms = new Map<string, number>()
  for (const [index, token] of tokens.entries()) {
    if ((token.kind !== 'word' && token.kind !== 'gram') || isStopWord(token.term, languages)) continue
    const next = tokens[index + 1]
    const term = next !== undefined && next.kind === 'stem' && next.start === token.start ? next.term : token.term
    terms.set(term, (terms.get(term) ?? 0) + 1)
  }
  return terms
}
