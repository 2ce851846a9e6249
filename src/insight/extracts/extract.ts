import { detectLanguage } from '../../indexing/language.ts'
import { isStopWord } from '../../indexing/stop-words.ts'
import { type Token, tokenize } from '../../indexing/tokenize.ts'
import type { Role } from '../../model/message.ts'
import type { SummaryStyle } from '../../model/summary-style.ts'
import { estimateTokens } from '../../model/tokens.ts'
import { cosine, inverseFrequencies, lexRank, vectorOf } from './lexrank.ts'
import { splitSentences } from './sentences.ts'
import { cuesOf, type SentenceCues, sentencesMaxOf, styleWeight } from './style-weights.ts'

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

export interface ExtractiveSummary {
  readonly sentences: readonly SummarySentence[]
  readonly messagesRead: number
}

export interface ExtractOptions {
  readonly style: SummaryStyle
  /** Budget for the texts of all sentences together, by `estimateTokens`. */
  readonly maxTokens: number
}

interface Candidate extends SummarySentence {
  readonly order: number
  readonly role: Role
  readonly terms: ReadonlyMap<string, number>
  readonly cues: SentenceCues
}

/** Sentences that are ranked against each other at once; ranking costs the square of it. */
const segmentSentences = 300
/** Winners that a segment sends on. */
const segmentWinners = 60
/** Sentences read from one message: a long log or document must not crowd out the conversation. */
const messageSentencesMax = 200
const messageCharactersMax = 100_000
const sentenceCharacters = { min: 12, max: 600 } as const
/** CJK sentences say as much in a third of the characters. */
const denseCharactersMin = 4
/** Distinct content terms that a sentence needs: below this it is a greeting or a nod. */
const termsMin = 2
/** Carbonell and Goldstein 1998: relevance against likeness to what was already chosen. */
const mmrRelevance = 0.7
/** A sentence this like a chosen one says the same; it is left out even if the budget has room. */
const duplicateSimilarity = 0.75

/**
 * Summarises a conversation with its own sentences: LexRank inside segments of 300 sentences, then among the winners of all
 * segments, then maximal marginal relevance under the token budget. Memory is bounded by the segment and not by the
 * conversation, so the messages may be a stream of any length. Output is in the order of the conversation; the same
 * messages always give the same sentences. Empty when nothing was said but function words.
 */
export async function summarizeExtractive(
  messages: AsyncIterable<MessageToSummarize> | Iterable<MessageToSummarize>,
  options: ExtractOptions,
): Promise<ExtractiveSummary> {
  let segment: Candidate[] = []
  let winners: Candidate[] = []
  let messagesRead = 0
  let order = 0
  for await (const message of messages) {
    messagesRead++
    for (const candidate of candidatesOf(message)) {
      segment.push({ ...candidate, order })
      order++
      if (segment.length < segmentSentences) continue
      winners.push(...best(segment, options.style, segmentWinners))
      segment = []
      if (winners.length >= segmentSentences) winners = best(winners, options.style, segmentSentences / 2)
    }
  }
  // The last segment goes on whole: the newest state of a conversation is in it, and it is no larger than the winners.
  const chosen = choose([...winners, ...segment], options)
  const sentences = chosen
    .toSorted((a, b) => a.order - b.order)
    .map(({ text, messageId, seq, sender }) => ({ text, messageId, seq, sender }))
  return { sentences, messagesRead }
}

function* candidatesOf(message: MessageToSummarize): Generator<Omit<Candidate, 'order'>> {
  const text = message.text.slice(0, messageCharactersMax)
  const language = detectLanguage(text)
  let taken = 0
  for (const span of splitSentences(text)) {
    if (span.kind === 'code' || span.end - span.start > sentenceCharacters.max) continue
    const sentence = text.slice(span.start, span.end)
    if (
      sentence.length <
      (/[\u{3041}-\u{9fff}\u{ac00}-\u{d7a3}\u{e01}-\u{e5b}]/u.test(sentence)
        ? denseCharactersMin
        : sentenceCharacters.min)
    )
      continue
    const terms = contentTerms(tokenize(sentence, { language }), language)
    if (terms.size < termsMin) continue
    yield {
      text: sentence,
      messageId: message.id,
      seq: message.seq,
      sender: message.sender,
      role: message.role,
      terms,
      cues: cuesOf(sentence),
    }
    taken++
    if (taken === messageSentencesMax) return
  }
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

/** LexRank favours short sentences, which resemble many, and a reader of a summary does not want very long ones. */
const tellingTerms = 8
const comfortableCharacters = 240

function sizeWeight(candidate: Candidate): number {
  return Math.min(1, candidate.terms.size / tellingTerms) * Math.min(1, comfortableCharacters / candidate.text.length)
}

interface Scored {
  readonly candidate: Candidate
  readonly score: number
}

/** Ranks by centrality and style, best first; equals in the order of the conversation. Leaves out what the style rules out. */
function score(candidates: readonly Candidate[], style: SummaryStyle): Scored[] {
  const eligible = candidates.filter(
    (candidate) => styleWeight(style, { role: candidate.role, cues: candidate.cues, recency: 1 }) > 0,
  )
  const ranks = lexRank(eligible.map(({ terms }) => terms))
  const newest = eligible.at(-1)?.order ?? 0
  const oldest = eligible[0]?.order ?? 0
  const scored = eligible.map((candidate, index) => {
    const recency = newest === oldest ? 1 : (candidate.order - oldest) / (newest - oldest)
    const weight = styleWeight(style, { role: candidate.role, cues: candidate.cues, recency })
    return { candidate, score: (ranks[index] ?? 0) * weight * sizeWeight(candidate) }
  })
  return scored.toSorted((a, b) => b.score - a.score || a.candidate.order - b.candidate.order)
}

function best(candidates: readonly Candidate[], style: SummaryStyle, count: number): Candidate[] {
  return score(candidates, style)
    .slice(0, count)
    .map(({ candidate }) => candidate)
    .toSorted((a, b) => a.order - b.order)
}

/** Picks one sentence after the other by maximal marginal relevance until the budget or the style's number is reached. */
function choose(candidates: readonly Candidate[], options: ExtractOptions): Candidate[] {
  const scored = score(candidates, options.style)
  const top = scored[0]?.score ?? 1
  const idf = inverseFrequencies(candidates.map(({ terms }) => terms))
  const open = scored.map((entry) => ({
    ...entry,
    vector: vectorOf(entry.candidate.terms, idf),
    cost: estimateTokens(entry.candidate.text) + 1,
    similarity: 0,
  }))
  const chosen: Candidate[] = []
  let left = options.maxTokens
  while (chosen.length < sentencesMaxOf(options.style)) {
    let pick: (typeof open)[number] | undefined
    let pickValue = -Infinity
    for (const entry of open) {
      if (entry.cost > left || entry.similarity > duplicateSimilarity) continue
      const value = mmrRelevance * (entry.score / top) - (1 - mmrRelevance) * entry.similarity
      if (value > pickValue) {
        pick = entry
        pickValue = value
      }
    }
    if (pick === undefined) return chosen
    chosen.push(pick.candidate)
    left -= pick.cost
    for (const entry of open) {
      entry.similarity = entry === pick ? 1 : Math.max(entry.similarity, cosine(entry.vector, pick.vector))
    }
  }
  return chosen
}
