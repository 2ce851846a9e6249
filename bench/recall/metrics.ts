import type { Question } from './dataset.ts'

export const recallRanks = [1, 5, 10, 20, 50] as const
export const evidenceBudgetsTokens = [250, 500, 1_000, 2_000, 4_000] as const

/** What a system answered to one question. */
export interface Answer {
  /** Refs of messages, best first. Of repeated ones the first counts. */
  readonly ranked: readonly string[]
  /** Numbers of the sessions of those messages, in the same order and as strings. */
  readonly sessions: readonly string[]
}

/** One question with all that was measured of it: shares of 1. */
export interface Scored {
  readonly conversation: string
  readonly category: string
  readonly values: Readonly<Record<string, number>>
}

function shareOf<T>(found: readonly T[], wanted: ReadonlySet<T>): number {
  return found.filter((value) => wanted.has(value)).length / wanted.size
}

function discountedGain(relevant: readonly boolean[]): number {
  return relevant.reduce((total, isRelevant, at) => total + (isRelevant ? 1 / Math.log2(at + 2) : 0), 0)
}

/** Messages from the top of a ranking whose texts fit together into a number of tokens. The first that does not ends them. */
export function withinTokens(
  ranked: readonly string[],
  budget: { readonly tokens: number; readonly tokensOf: (ref: string) => number },
): readonly string[] {
  let used = 0
  const end = ranked.findIndex((ref) => (used += budget.tokensOf(ref)) > budget.tokens)
  return end < 0 ? ranked : ranked.slice(0, end)
}

/**
 * Measures one answer: `R@k`, the share of the gold messages among the first k; `any@10` and `all@10`; `MRR`; `nDCG@10`;
 * `session hit@1` and `session R@5`, of sessions in the order of their best messages; `evidence@n`, the share of the gold
 * messages that fit into n tokens. At most 50 messages are looked at.
 */
export function scoreAnswer(question: Question, answer: Answer, tokensOf: (ref: string) => number): Scored {
  const ranked = [...new Set(answer.ranked)].slice(0, 50)
  const gold = new Set(question.gold)
  const first = ranked.findIndex((ref) => gold.has(ref))
  const firstTen = ranked.slice(0, 10).map((ref) => gold.has(ref))
  const ideal = Array.from({ length: Math.min(10, gold.size) }, () => true)
  const sessions = [...new Set(answer.sessions)]
  const goldSessions = new Set(question.goldSessions.map(String))
  const recall = Object.fromEntries(recallRanks.map((k) => [`R@${k}`, shareOf(ranked.slice(0, k), gold)]))
  const evidence = Object.fromEntries(
    evidenceBudgetsTokens.map((tokens) => [
      `evidence@${tokens}`,
      shareOf(withinTokens(ranked, { tokens, tokensOf }), gold),
    ]),
  )
  return {
    conversation: question.conversation,
    category: question.category,
    values: {
      ...recall,
      'any@10': firstTen.some(Boolean) ? 1 : 0,
      'all@10': firstTen.filter(Boolean).length === gold.size ? 1 : 0,
      MRR: first < 0 ? 0 : 1 / (first + 1),
      'nDCG@10': discountedGain(firstTen) / discountedGain(ideal),
      'session hit@1': sessions[0] !== undefined && goldSessions.has(sessions[0]) ? 1 : 0,
      'session R@5': shareOf(sessions.slice(0, 5), goldSessions),
      ...evidence,
    },
  }
}

export function valueOf(scored: Scored, metric: string): number {
  const value = scored.values[metric]
  if (value === undefined) throw new Error(`Nothing was measured as "${metric}"`)
  return value
}

/** The mean over questions. Throws where there is none. */
export function meanOf(questions: readonly Scored[], metric: string): number {
  if (questions.length === 0) throw new Error(`Cannot take the mean of ${metric} of no questions`)
  return questions.reduce((total, scored) => total + valueOf(scored, metric), 0) / questions.length
}
