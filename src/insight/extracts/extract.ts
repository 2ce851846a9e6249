import type { SummaryStyle } from '../../model/summary-style.ts'
import { estimateTokens } from '../../model/tokens.ts'
import { type Candidate, candidatesOf, type MessageToSummarize, type SummarySentence } from './candidates.ts'
import { cosine, inverseFrequencies, vectorOf } from './lexrank.ts'
import { score, Tournament } from './rank.ts'
import { sentencesMaxOf } from './style-weights.ts'

export interface ExtractiveSummary {
  readonly sentences: readonly SummarySentence[]
  readonly messagesRead: number
}

export interface ExtractOptions {
  readonly style: SummaryStyle
  /** Budget for the texts of all sentences together, by `estimateTokens`. */
  readonly maxTokens: number
}

/** Carbonell and Goldstein 1998: relevance against likeness to what was already chosen. */
const mmrRelevance = 0.7
/** Sentences this alike say the same, or what became of it: the last of them stands for all, even if the budget has room. */
const duplicateSimilarity = 0.75

/**
 * Chooses the sentences of a conversation that summarise it: LexRank among 300 sentences at a time, then among the winners of all of
 * these, then maximal marginal relevance under the token budget. Memory is bounded and does not grow with the conversation. They
 * are in its order; the same sentences always give the same ones.
 */
export class Extract {
  readonly #options: ExtractOptions
  readonly #tournament: Tournament
  #count = 0

  constructor(options: ExtractOptions) {
    this.#options = options
    this.#tournament = new Tournament(options.style)
  }

  /** Takes the next sentence in the order of the conversation. */
  add(candidate: Omit<Candidate, 'order'>): void {
    this.#tournament.add({ ...candidate, order: this.#count++ })
  }

  sentences(): readonly SummarySentence[] {
    return choose(this.#tournament.left(), this.#options)
      .toSorted((a, b) => a.order - b.order)
      .map(({ text, messageId, seq, sender }) => ({ text, messageId, seq, sender }))
  }
}

/** Summarises a conversation with its own sentences (`Extract`). Empty when nothing was said but function words. */
export async function summarizeExtractive(
  messages: AsyncIterable<MessageToSummarize> | Iterable<MessageToSummarize>,
  options: ExtractOptions,
): Promise<ExtractiveSummary> {
  const extract = new Extract(options)
  let messagesRead = 0
  for await (const message of messages) {
    messagesRead++
    for (const candidate of candidatesOf(message)) extract.add(candidate)
  }
  return { sentences: extract.sentences(), messagesRead }
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
    const { vector } = pick
    const alike = open.filter((entry) => entry.cost <= left && cosine(entry.vector, vector) > duplicateSimilarity)
    const last = alike.reduce((later, entry) => (entry.candidate.order > later.candidate.order ? entry : later), pick)
    chosen.push(last.candidate)
    left -= last.cost
    for (const entry of open) {
      const similarity = Math.max(cosine(entry.vector, vector), cosine(entry.vector, last.vector))
      entry.similarity = entry === pick || entry === last ? 1 : Math.max(entry.similarity, similarity)
    }
  }
  return chosen
}
