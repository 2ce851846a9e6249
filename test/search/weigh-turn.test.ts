import { describe, expect, it } from 'vitest'

import { traits } from '../../src/indexing/traits.ts'
import { linkTurns, type RankedTurn } from '../../src/search/ranking/conversation.ts'
import { Nearness } from '../../src/search/ranking/fuse.ts'
import { learnedParts, partNames, scaled } from '../../src/search/ranking/learned-parts.ts'
import { rankTurns } from '../../src/search/ranking/rank-turns.ts'
import type { Question } from '../../src/search/ranking/score-turns.ts'
import { weights, type Weights } from '../../src/search/ranking/weights.ts'
import type { UnitEvidence } from '../../src/store/search/read-evidence.ts'

const base: UnitEvidence = {
  sessionId: 'a',
  seq: 1,
  part: 0,
  termCount: 12,
  timestampMs: Date.parse('2025-03-01T00:00:00Z'),
  role: 'assistant',
  kind: 'message',
  traits: 0,
  frequencies: [0, 0, 0],
  eligible: true,
}

/** Terms 0 and 1 are words, 2 is a sender; what is asked for concerns every part of the ranking. */
const question: Question = {
  terms: [
    { weight: 4, group: 0, source: 'asked' },
    { weight: 2, group: 1, source: 'asked' },
  ],
  senders: [2],
  titles: [[0, 1]],
  intent: { asksTime: true, asksNumber: true, speaker: undefined },
  times: [{ year: 2025, month: 3 }],
  spans: [],
  averageLength: 12,
}

/** One session whose turns do everything, and one that only matches: shares of the other do not move with a part of one of its turns. */
const turns: readonly RankedTurn[] = linkTurns([
  { ...base, seq: 1, frequencies: [1, 0, 0], traits: traits.asks, role: 'user' },
  { ...base, seq: 2, frequencies: [1, 1, 1], traits: traits.time | traits.number | traits.standing, role: 'user' },
  { ...base, seq: 3, frequencies: [0, 1, 0], traits: traits.question },
  { ...base, sessionId: 'b', seq: 1, frequencies: [3, 3, 0] },
])

function nearness(used: Weights): Nearness {
  const matches = [2, 1].map((firstSeq) => ({ level: 0, sessionId: 'a', firstSeq, part: 0, similarity: 0.5 }))
  return new Nearness([{ weight: used.meaning, matches }], used)
}

function ranked(used: Weights) {
  const still = { ...used, sessionRepeat: 0 }
  return rankTurns(turns, question, { nearness: nearness(used), weights: still, weighedMax: 10 })
}

/** Shares of sessions, and what standing instructions are lifted by, depend on all turns: held fast, where it is not about them. */
function weightsFor(part: string): Weights {
  const { session, standingShare } = weights
  return {
    ...weights,
    session: part === 'session' ? session : 0,
    standingShare: part === 'standing' ? standingShare : 0,
  }
}

describe('TurnWeigher', () => {
  it('comes to the score that the ranking has given', () => {
    const results = ranked(weights)
    expect(results).toHaveLength(4)
    for (const { score, weighed } of results) expect(Math.exp(weighed?.logScore ?? 0)).toBeCloseTo(score, 12)
  })

  it.each(partNames)('tells how much "%s" moves a turn against the best one', (part) => {
    const [usual, by] = [weightsFor(part), 1.1]
    const [before, after] = [ranked(usual), ranked(scaled(usual, { [part]: by }))]
    const [, chosen, , other] = turns
    const effectOf = (at: RankedTurn | undefined) => before.find(({ turn }) => turn === at)?.weighed?.effects[part] ?? 0
    const logScoreOf = (results: typeof before, at: RankedTurn | undefined) =>
      Math.log(results.find(({ turn }) => turn === at)?.score ?? 0)
    const gapOf = (results: typeof before) => logScoreOf(results, chosen) - logScoreOf(results, other)
    expect(effectOf(chosen)).not.toBe(0)
    const moved = (gapOf(after) - gapOf(before)) / Math.log(by)
    expect(effectOf(chosen) - effectOf(other)).toBeCloseTo(moved, part === 'standing' ? 1 : 3)
  })

  it('is made of the first results alone, and of none where it is not asked for', () => {
    const options = { nearness: nearness(weights), weights }
    const count = (results: readonly { readonly weighed?: unknown }[]) =>
      results.filter(({ weighed }) => weighed !== undefined).length
    expect(count(rankTurns(turns, question, { ...options, weighedMax: 2 }))).toBe(2)
    expect(count(rankTurns(turns, question, options))).toBe(0)
  })
})

describe('scaled()', () => {
  it('gives the usual weights, each the very same number, where no factor is said', () => {
    expect(scaled(weights, {})).toEqual(weights)
  })

  it('scales the weights of a part and no other', () => {
    const { user, userAsked, assistantAsked, ...others } = scaled(weights, { role: 0.5 })
    expect([user, userAsked, assistantAsked]).toEqual([0.15, 1, 0.25])
    const { user: _1, userAsked: _2, assistantAsked: _3, ...usual } = weights
    expect(others).toEqual(usual)
  })

  it('knows no weight in two parts', () => {
    const names = Object.values(learnedParts).flat()
    expect(new Set(names).size).toBe(names.length)
  })
})
