import { TermFinder } from '../../../indexing/terms/term-finder.ts'
import { parseQuery } from '../../../search/query/query-text.ts'
import { lookUp } from '../../../search/ranking/look-up.ts'
import { weights as usualWeights } from '../../../search/ranking/weights.ts'
import type { SearchDependencies } from '../../../search/search.ts'
import { isAboutTalk } from '../../checks/borne-out.ts'
import { type Candidate, candidatesOf, type MessageToSummarize } from '../../extracts/candidates.ts'

/** A sentence, and how much of the query's words it has, from 0 to 1. */
interface Answer {
  readonly candidate: Omit<Candidate, 'order'>
  readonly share: number
}

/** Characters of a message in which sentences are looked for. */
const charactersRead = 50_000
/** Of the query's words, each weighed by how rare it is, a message has half, or two of them and a third. */
const shareOfMessage = { ofOne: 0.5, ofMore: 0.33 } as const
const shareOfSentence = 0.2
/** A sentence with less than this part of what the best one has says something else. */
const shareOfBest = 0.5
/** What a decision without the words counts, beside a sentence that has them. */
const besideWeight = 0.3

/** What only leads to what follows. */
const leads = /[:：]$|^#{1,6}\s/u

/** Tells which sentences of messages that a search has found say something about its query. */
export class Answering {
  readonly #finder: TermFinder
  readonly #groups: ReadonlyMap<string, number>
  readonly #weights: ReadonlyMap<number, number>
  /** By message. */
  readonly #answers = new Map<string, readonly Answer[]>()

  private constructor(groups: ReadonlyMap<string, number>, weights: ReadonlyMap<number, number>) {
    this.#finder = new TermFinder(new Set(groups.keys()))
    this.#groups = groups
    this.#weights = weights
  }

  /** With the words of a query, each of a weight from 1 to 2: a word that no message has is the rarest. */
  static async about(query: string, dependencies: SearchDependencies, tenantId: number): Promise<Answering> {
    const parsed = parseQuery(query)
    const { hashed, statistics } = await lookUp(
      { ...dependencies, weights: dependencies.weights ?? usualWeights },
      { tenantId, queries: [parsed] },
    )
    const groups = new Map<string, number>()
    const documents = new Map<number, number>()
    // A part of a name weighs less than a word.
    const kinds = new Map<number, number>()
    const telling = parsed.terms.map((term, at) => ({ ...term, hash: hashed.terms[at]?.term ?? 0n }))
    const asked = telling.filter(({ lowValue, source }) => !lowValue && source === 'asked')
    // "What was decided about" something asks for it, not for who says so.
    const talk = new Set(asked.flatMap(({ term, group }) => (isAboutTalk(term) ? [group] : [])))
    const hasTopic = asked.some(({ group }) => !talk.has(group))
    for (const { term, group, weight, hash } of asked) {
      if (hasTopic && talk.has(group)) continue
      groups.set(term, group)
      documents.set(group, Math.max(documents.get(group) ?? 0, statistics.documents.get(hash) ?? 0))
      kinds.set(group, Math.max(kinds.get(group) ?? 0, weight))
    }
    const rarest = Math.log(1 + statistics.units)
    const weightOf = (count: number) => (rarest === 0 ? 2 : 2 - Math.min(1, Math.log(1 + count) / rarest))
    const weights = [...documents].map(([group, count]) => [group, weightOf(count) * (kinds.get(group) ?? 1)] as const)
    return new Answering(groups, new Map(weights))
  }

  /** Takes the sentences of a message into account; the messages may come in any order. */
  read(message: MessageToSummarize): void {
    const text = message.text.slice(0, charactersRead)
    const bySender = this.#finder.find(message.sender).map(({ term }) => term)
    const found = this.#finder.find(text)
    const terms = [...bySender, ...found.map(({ term }) => term)]
    const isMore = new Set(terms.map((term) => this.#groups.get(term))).size > 1
    if (this.#shareOf(terms) < (isMore ? shareOfMessage.ofMore : shareOfMessage.ofOne)) return
    let from = 0
    const answers: Answer[] = []
    for (const candidate of candidatesOf(message, charactersRead)) {
      if (leads.test(candidate.text)) continue
      const start = text.indexOf(candidate.text, from)
      const end = start + candidate.text.length
      from = end
      const inside = found.filter((token) => token.start >= start && token.end <= end)
      answers.push({ candidate, share: this.#shareOf([...bySender, ...inside.map(({ term }) => term)]) })
    }
    this.#answers.set(message.id, answers)
  }

  /** Those of some messages, in their order, that say something about the query, weighed by how much, and decisions beside them. */
  sentencesOf(messageIds: readonly string[]): readonly Omit<Candidate, 'order'>[] {
    let best = 0
    for (const answers of this.#answers.values()) for (const { share } of answers) best = Math.max(best, share)
    const isAnswer = (one: Answer | undefined) =>
      one !== undefined && one.share >= shareOfSentence && one.share >= best * shareOfBest
    return messageIds.flatMap((id) => {
      const answers = this.#answers.get(id) ?? []
      return answers.flatMap((answer, at) => {
        const { candidate, share } = answer
        if (isAnswer(answer)) return [{ ...candidate, relevance: share / best }]
        const isBeside = isAnswer(answers[at - 1]) || isAnswer(answers[at + 1])
        return isBeside && candidate.cues.decision > 0 ? [{ ...candidate, relevance: besideWeight }] : []
      })
    })
  }

  #shareOf(terms: readonly string[]): number {
    let all = 0
    for (const weight of this.#weights.values()) all += weight
    let share = 0
    for (const group of new Set(terms.map((term) => this.#groups.get(term))))
      share += group === undefined ? 0 : (this.#weights.get(group) ?? 0)
    return all === 0 ? 0 : share / all
  }
}
