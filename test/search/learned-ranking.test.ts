import { describe, expect, it } from 'vitest'

import { evidenceOf } from '../../src/insight/ranking/evidence.ts'
import { fitFactors } from '../../src/insight/ranking/fit-factors.ts'
import { learnFactors } from '../../src/insight/ranking/learn-factors.ts'
import { usedHits } from '../../src/search/use/used-hits.ts'
import type { FeedbackRow } from '../../src/store/learning/recall-feedback.ts'

const pairs = [
  { gap: -0.1, effects: [0.2, -0.1], weight: 3 },
  { gap: 0.05, effects: [0.1, 0.3], weight: 2 },
  { gap: -0.3, effects: [-0.05, 0.2], weight: 1.5 },
  { gap: 0.2, effects: [0.4, 0], weight: 4 },
]
const many = pairs.map((pair) => ({ ...pair, weight: 20 * pair.weight }))
const bounds = { logFactorMax: Math.log(2) }

// The numbers were found by scipy 1.17 (L-BFGS-B) from the same loss, written down there anew.
describe('fitFactors()', () => {
  it('finds the lowest point of the loss and the pull', () => {
    const [first, second] = fitFactors(pairs, 2, bounds)
    expect(first).toBeCloseTo(0.28350131, 6)
    expect(second).toBeCloseTo(0.11798736, 6)
  })

  it('stops at its bounds, however much speaks for more', () => {
    expect(fitFactors(many, 2, bounds)).toEqual([Math.log(2), Math.log(2)])
    const free = fitFactors(many, 2, { logFactorMax: 100 })
    expect(free[0]).toBeCloseTo(1.79591175, 5)
    expect(free[1]).toBeCloseTo(1.1480125, 5)
  })

  it('moves nothing without pairs, nor what no pair depends on', () => {
    expect(fitFactors([], 2, bounds)).toEqual([0, 0])
    expect(fitFactors([{ gap: 0, effects: [0.3, 0], weight: 9 }], 2, bounds)[1]).toBe(0)
  })
})

let made = 0
/** A search with results by rank, of which some were used. */
function searched(used: readonly number[], by = 'ada', messages: readonly string[] = ['u', 'v', 'w']): FeedbackRow[] {
  const searchId = String(++made).padStart(8, '0')
  return messages.map((message, index) => ({
    searchId,
    principal: by,
    message: `${message}${used.includes(index + 1) ? searchId : ''}`,
    rank: index + 1,
    use: used.includes(index + 1) ? 'opened' : 'passed',
    logScore: -0.05 * index,
    effects: index === 0 ? { role: 0.3 } : index === 1 ? { session: 0.1 } : {},
    atMs: made,
  }))
}
const weightOf = (evidence: ReturnType<typeof evidenceOf>[number] | undefined) =>
  evidence?.pairs.reduce((sum, { weight }) => sum + weight, 0)

describe('evidenceOf()', () => {
  it('weighs a use by its rank, a search once, and tells nothing of one whose results were all used', () => {
    const rows = [searched([1]), searched([3]), searched([1, 3]), searched([1, 2, 3]), searched([])].flat()
    const [first, third, both, ...none] = evidenceOf(rows, ['role', 'session'])
    expect(none).toEqual([])
    // Ranks 1, 3 and, of the one with two, 2 in the mean: the mean of all is 2.
    expect(weightOf(first)).toBeCloseTo(0.5)
    expect(weightOf(third)).toBeCloseTo(1.5)
    expect(weightOf(both)).toBeCloseTo(1)
    expect(first?.pairs[0]?.effects).toEqual([0.3, -0.1])
    expect(third?.pairs.map(({ gap }) => gap)).toEqual([expect.closeTo(-0.1), expect.closeTo(-0.05)])
  })

  it('counts no message of one caller for more than 5 searches', () => {
    const again = Array.from({ length: 20 }, () =>
      searched([2]).map((row) => ({ ...row, message: row.use === 'opened' ? 'same' : row.message })),
    )
    const evidence = evidenceOf(again.flat(), ['role'])
    expect(evidence.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(5)
  })

  it('counts one caller for no more than all others together, or 50 searches', () => {
    const of = (count: number, by: string) => Array.from({ length: count }, () => searched([2], by))
    const sharesOf = (rows: FeedbackRow[][], by: string) =>
      evidenceOf(rows.flat(), ['role'])
        .filter(({ principal }) => principal === by)
        .reduce((sum, { share }) => sum + share, 0)
    expect(sharesOf([...of(400, 'eve')], 'eve')).toBeCloseTo(400)
    expect(sharesOf([...of(400, 'eve'), ...of(3, 'ada')], 'eve')).toBeCloseTo(50)
    expect(sharesOf([...of(400, 'eve'), ...of(80, 'ada')], 'eve')).toBeCloseTo(80)
    expect(sharesOf([...of(400, 'eve'), ...of(80, 'ada')], 'ada')).toBeCloseTo(80)
  })
})

describe('learnFactors()', () => {
  it('learns nothing below 30 searches, and from 30 on what they say', () => {
    const rows = Array.from({ length: 29 }, () => searched([2]))
    expect(learnFactors(rows.flat())).toEqual({ searches: 29, principals: 1, factors: undefined, gain: undefined })
    const lesson = learnFactors([...rows, searched([2])].flat())
    expect(lesson.searches).toBe(30)
    expect(lesson.factors?.['role']).toBeLessThan(0.8)
    expect(lesson.factors?.['session']).toBeGreaterThan(1)
    // From the second place to the first: of 0.63 to 1.
    expect(lesson.gain).toBeCloseTo(Math.log2(3) - 1)
  })

  it('gives the same for the same, and never goes beyond half and double', () => {
    const rows = Array.from({ length: 1000 }, (_, at) =>
      searched([3], `agent ${at % 3}`).map((row) => ({
        ...row,
        effects: row.rank === 3 ? { date: 0.3 } : { role: 0.3 },
      })),
    ).flat()
    const lesson = learnFactors(rows)
    expect(lesson.factors).toEqual({ date: 2, role: 0.5 })
    expect(learnFactors(rows)).toEqual(lesson)
  })

  it('keeps the usual weights where use follows no part of the ranking', () => {
    const rows = Array.from({ length: 300 }, (_, at) =>
      searched([1 + (at % 3)]).map((row) => ({
        ...row,
        logScore: 0,
        effects: { role: Math.sin(12.9898 * at + 78.233 * row.rank) },
      })),
    ).flat()
    expect(learnFactors(rows)).toMatchObject({ searches: 300, factors: undefined })
  })
})

const id = (number: number) => `01900000-0000-7000-8000-${String(number).padStart(12, '0')}`
const hit = (sessionId: string, seq: number) => ({
  sessionId,
  seq,
  messageId: id(seq),
  rank: seq,
  logScore: 0,
  effects: {},
})
const shown = [
  { id: 'newer', atMs: 2, hits: [hit('a', 20), hit('b', 31)] },
  { id: 'older', atMs: 1, hits: [hit('a', 20), hit('a', 25), hit('c', 44)] },
]

describe('usedHits()', () => {
  const used = (reading: Parameters<typeof usedHits>[1]) =>
    usedHits(shown, reading).map(({ search, used: found }) => [search.id, ...found.map(({ seq }) => seq)])

  it('takes a message that was read for opened, in the latest search that has shown it', () => {
    expect(used({ kind: 'message', sessionId: 'a', seq: 20 })).toEqual([['newer', 20]])
    expect(used({ kind: 'message', sessionId: 'a', seq: 25 })).toEqual([['older', 25]])
    expect(used({ kind: 'message', sessionId: 'z', seq: 20 })).toEqual([])
  })

  it('takes the first result from where a session was read on, if it is near and was reached', () => {
    const from = (fromSeq: number, toSeq: number) => used({ kind: 'session', sessionId: 'a', fromSeq, toSeq })
    expect(from(18, 60)).toEqual([['newer', 20]])
    expect(from(21, 60)).toEqual([['older', 25]])
    expect(from(14, 24)).toEqual([['newer', 20]])
    expect(from(9, 60)).toEqual([])
    expect(from(24, 24)).toEqual([])
  })

  it('takes the only result of a session that was read from its beginning, and none of several', () => {
    const whole = (sessionId: string, toSeq: number) => used({ kind: 'session', sessionId, toSeq })
    expect(whole('b', 40)).toEqual([['newer', 31]])
    expect(whole('b', 30)).toEqual([])
    expect(whole('a', 60)).toEqual([['newer', 20]])
  })

  it('takes messages whose ids stand in a text', () => {
    const text = `As was said (${id(31)}; ${id(25).toUpperCase()}), but not ${id(99)}.`
    expect(used({ kind: 'text', text })).toEqual([
      ['newer', 31],
      ['older', 25],
    ])
  })

  it('tells nothing of a search all of whose results were used at once', () => {
    expect(used({ kind: 'text', text: `${id(20)} ${id(31)}` })).toEqual([])
  })
})
