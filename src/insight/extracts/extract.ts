import type { SummaryStyle } from '../../model/summary-style.ts'
import { type Candidate, candidatesOf, type MessageToSummarize, type SummarySentence } from './candidates.ts'
import { OpenQuestions } from './cues/open-questions.ts'
import { distinctOf } from './near-duplicates.ts'
import { Picker } from './picker.ts'
import { score, Tournament } from './rank.ts'
import { isDecided, sentencesMaxOf } from './style-weights.ts'

export interface ExtractiveSummary {
  readonly sentences: readonly SummarySentence[]
  readonly messagesRead: number
}

export interface ExtractOptions {
  readonly style: SummaryStyle
  /** Budget for the texts of all sentences together, by `estimateTokens`. */
  readonly maxTokens: number
}

/** Questions that nobody has answered, which a handoff has before all else, and the part of the budget that they may take. */
const openMax = 3
const openShare = 3

/**
 * Chooses the sentences of a conversation that summarise it: LexRank among 300 sentences at a time, then among the winners of all of
 * these, then maximal marginal relevance under the token budget. Memory is bounded and does not grow with the conversation. They
 * are in its order; the same sentences always give the same ones.
 */
export class Extract {
  readonly #options: ExtractOptions
  readonly #tournament: Tournament
  readonly #questions: OpenQuestions | undefined
  #count = 0

  constructor(options: ExtractOptions) {
    this.#options = options
    this.#tournament = new Tournament(options.style)
    this.#questions = options.style === 'handoff' ? new OpenQuestions() : undefined
  }

  /** Takes the next sentence in the order of the conversation. */
  add(candidate: Omit<Candidate, 'order'>): void {
    const placed = { ...candidate, order: this.#count++ }
    this.#tournament.add(placed)
    this.#questions?.see(placed)
  }

  sentences(): readonly SummarySentence[] {
    const found = { candidates: this.#tournament.left(), open: this.#questions?.last(openMax) ?? [] }
    return choose(found, this.#options)
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

interface Found {
  readonly candidates: readonly Candidate[]
  /** Questions that nobody has answered. */
  readonly open: readonly Candidate[]
}

/** Picks first what must not be missing, then what says something else than the others, and last what says nearly the same as another. */
function choose({ candidates, open }: Found, options: ExtractOptions): readonly Candidate[] {
  const { style, maxTokens } = options
  const known = new Set(candidates)
  const scored = score([...candidates, ...open.filter((one) => !known.has(one))], style)
  const ranked = scored.map(({ candidate }) => candidate)
  const picker = new Picker(scored, { tokens: maxTokens, count: sentencesMaxOf(style) })
  // Two decisions may have nearly the same words.
  if (style === 'decisions') {
    picker.pick(ranked)
    return picker.chosen
  }
  const { distinct, alike, isOnlyAlike } = distinctOf(ranked)
  picker.pick(
    distinct.filter(({ cues, role }) => isDecided(cues) && role !== 'tool'),
    { count: 1 },
  )
  picker.pick(open, { count: openMax, tokens: maxTokens / openShare })
  picker.pick(distinct)
  if (style !== 'brief' || isOnlyAlike) picker.pick(alike)
  return picker.chosen
}
