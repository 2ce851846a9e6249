import { describe, expect, it } from 'vitest'

import { traits } from '../../src/indexing/traits.ts'
import type { Role } from '../../src/model/messages/message.ts'
import { linkTurns, placeKey, stretchesAround, type RankedTurn } from '../../src/search/ranking/conversation.ts'
import { fuse, Nearness } from '../../src/search/ranking/fuse.ts'
import { rankTurns } from '../../src/search/ranking/rank-turns.ts'
import { contextualScore, turnFactor, type Question } from '../../src/search/ranking/score-turns.ts'
import { weights } from '../../src/search/ranking/weights.ts'
import type { UnitEvidence } from '../../src/store/search/read-evidence.ts'

interface Said {
  readonly seq: number
  readonly frequencies?: readonly number[]
  readonly words?: number
  readonly role?: Role
  readonly kind?: string
  readonly traits?: number
  readonly sessionId?: string
  readonly at?: string
  readonly part?: number
}

function unit(said: Said): UnitEvidence {
  return {
    sessionId: said.sessionId ?? 's',
    seq: said.seq,
    part: said.part ?? 0,
    termCount: said.words ?? 20,
    timestampMs: Date.parse(said.at ?? '2025-01-01T00:00:00Z'),
    role: said.role ?? 'assistant',
    kind: said.kind ?? 'message',
    traits: said.traits ?? 0,
    frequencies: said.frequencies ?? [0],
    eligible: true,
  }
}

const question: Question = {
  terms: [{ weight: 5, group: 0, source: 'asked' }],
  senders: [],
  titles: [],
  intent: { asksTime: false, asksNumber: false, speaker: undefined },
  times: [],
  spans: [],
  averageLength: 20,
}

const turnsOf = (...said: readonly Said[]) => linkTurns(said.map(unit))
const only = (turns: readonly RankedTurn[]): RankedTurn => {
  const [turn] = turns
  if (turn === undefined) throw new Error('There is no turn')
  return turn
}
const nearnessOf = (...seqs: readonly number[]) =>
  new Nearness(
    [
      {
        weight: 1,
        matches: seqs.map((firstSeq) => ({ level: 0, sessionId: 's', firstSeq, part: 0, similarity: 0.5 })),
      },
    ],
    weights,
  )
const ranked = (turns: readonly RankedTurn[], asked: Question = question, nearness = nearnessOf()) =>
  rankTurns(turns, asked, { nearness, weights }).map(({ turn }) => turn.seq)

describe('linkTurns()', () => {
  it('puts the parts of a message together and links turns over entries that are none', () => {
    const turns = turnsOf({ seq: 1 }, { seq: 2, kind: 'event' }, { seq: 3 }, { seq: 3, part: 1 }, { seq: 12 })
    expect(turns.map(({ seq, parts }) => [seq, parts.length])).toEqual([
      [1, 1],
      [2, 1],
      [3, 2],
      [12, 1],
    ])
    expect(turns[2]?.previous?.seq).toBe(1)
    expect(turns[1]?.next).toBeUndefined()
    // Too far apart to speak of the same thing.
    expect(turns[3]?.previous).toBeUndefined()
  })

  it('links nothing across sessions', () => {
    const turns = turnsOf({ seq: 1, sessionId: 'a' }, { seq: 2, sessionId: 'b' })
    expect(turns[1]?.previous).toBeUndefined()
  })
})

describe('stretchesAround()', () => {
  it('merges what touches, and never reads a place twice', () => {
    const places = [
      { sessionId: 'a', seq: 30 },
      { sessionId: 'a', seq: 3 },
      { sessionId: 'a', seq: 9 },
      { sessionId: 'b', seq: 1 },
    ]
    expect(stretchesAround(places)).toEqual([
      { sessionId: 'a', fromSeq: 1, toSeq: 12 },
      { sessionId: 'a', fromSeq: 27, toSeq: 33 },
      { sessionId: 'b', fromSeq: 1, toSeq: 4 },
    ])
  })
})

describe('contextualScore()', () => {
  it('lets a reply be found by the question before it, and less by what comes after', () => {
    const [before, reply, after] = turnsOf({ seq: 1, frequencies: [1] }, { seq: 2 }, { seq: 3, frequencies: [1] })
    if (before === undefined || reply === undefined || after === undefined) throw new Error('A turn is missing')
    expect(contextualScore(before, question, weights)).toBeGreaterThan(contextualScore(reply, question, weights))
    const [, afterQuestion] = turnsOf({ seq: 1, frequencies: [1] }, { seq: 2 })
    const [beforeIt] = turnsOf({ seq: 1 }, { seq: 2, frequencies: [1] })
    const score = (turn: RankedTurn | undefined) => (turn === undefined ? 0 : contextualScore(turn, question, weights))
    expect(score(afterQuestion)).toBeGreaterThan(score(beforeIt))
    expect(score(beforeIt)).toBeGreaterThan(0)
  })

  it('hears less of a long neighbour', () => {
    const score = (words: number) => {
      const [, turn] = turnsOf({ seq: 1, frequencies: [1], words }, { seq: 2 })
      return turn === undefined ? 0 : contextualScore(turn, question, weights)
    }
    expect(score(20)).toBeGreaterThan(score(400))
  })

  it('counts the best of a word’s forms and not their sum', () => {
    const forms: Question = { ...question, terms: [5, 4].map((weight) => ({ weight, group: 0, source: 'asked' })) }
    const both = only(turnsOf({ seq: 1, frequencies: [1, 1] }))
    const one = only(turnsOf({ seq: 1, frequencies: [1, 0] }))
    expect(contextualScore(both, forms, weights)).toBe(contextualScore(one, forms, weights))
  })
})

describe('turnFactor()', () => {
  const factor = (said: Partial<Said>, asked: Partial<Question>) =>
    turnFactor(only(turnsOf({ seq: 1, ...said })), { ...question, ...asked }, weights) /
    turnFactor(only(turnsOf({ seq: 1, ...said })), question, weights)

  it('prefers who the query names', () => {
    expect(factor({ frequencies: [0, 1] }, { senders: [1] })).toBeCloseTo(1 + weights.sender)
    expect(factor({ frequencies: [0, 0] }, { senders: [1] })).toBe(1)
  })

  it('prefers a message that names a time where the query asks when, and a number where it asks how many', () => {
    const intent = { asksTime: true, asksNumber: false, speaker: undefined }
    expect(factor({ traits: traits.time }, { intent })).toBeCloseTo(1 + weights.time)
    expect(factor({ traits: traits.number }, { intent: { ...intent, asksTime: false, asksNumber: true } })).toBeCloseTo(
      1 + weights.number,
    )
    expect(factor({}, { intent })).toBe(1)
  })

  it('prefers a message of the time that the query names, then those told soon after', () => {
    const times = [{ year: 2025, month: 1 }]
    const at = (day: string) => factor({ at: `${day}T12:00:00Z` }, { times })
    expect(at('2025-01-31')).toBeGreaterThan(at('2025-02-03'))
    expect(at('2025-02-03')).toBeGreaterThan(at('2025-04-01'))
    expect(at('2025-04-01')).toBe(1)
  })

  it('prefers the words of the one who is asked about', () => {
    const asking = (speaker: 'user' | 'assistant') => ({ intent: { asksTime: false, asksNumber: false, speaker } })
    expect(factor({ role: 'user' }, asking('user'))).toBeGreaterThan(1)
    expect(factor({ role: 'assistant' }, asking('assistant'))).toBeGreaterThan(1)
    expect(factor({ role: 'assistant' }, asking('user'))).toBe(1)
  })

  it('holds back a short message that only asks, and lifts a user’s standing instruction', () => {
    const of = (said: Partial<Said>) => turnFactor(only(turnsOf({ seq: 1, ...said })), question, weights)
    expect(of({ traits: traits.question })).toBeLessThan(of({}))
    expect(of({ traits: traits.asks })).toBeLessThan(of({}))
    expect(of({ traits: traits.standing, role: 'user' })).toBeGreaterThan(of({ role: 'user' }))
    expect(of({ traits: traits.standing, role: 'assistant' })).toBe(of({ role: 'assistant' }))
  })
})

describe('titles', () => {
  it('lift a turn that has all of their words in one part, and of several titles by the share that it has', () => {
    const titles = [[0, 1], [2]]
    const of = (frequencies: readonly number[]) =>
      turnFactor(only(turnsOf({ seq: 1, frequencies })), { ...question, titles }, weights)
    expect(of([1, 1, 1])).toBeGreaterThan(of([1, 1, 0]))
    expect(of([1, 1, 0])).toBe(of([0, 0, 1]))
    expect(of([1, 0, 0])).toBe(of([0, 0, 0]))
  })
})

describe('fuse()', () => {
  it('keeps the distances of words and adds ranks of meaning, neighbours in part', () => {
    const turns = turnsOf({ seq: 1 }, { seq: 2 }, { seq: 3 })
    const fused = fuse(turns, [8, 4, 0], { nearness: nearnessOf(3), weights })
    expect(fused[0]).toBeCloseTo(1)
    expect(fused[1]).toBeCloseTo(0.5 + weights.nextMeaning)
    expect(fused[2]).toBeCloseTo(1)
  })
})

describe('Nearness', () => {
  it('ranks a long message by its nearest part, once', () => {
    const match = (firstSeq: number, part: number) => ({ level: 0, sessionId: 's', firstSeq, part, similarity: 0.1 })
    const nearness = new Nearness([{ weight: 1, matches: [match(1, 2), match(1, 0), match(2, 0)] }], weights)
    const [first, second] = turnsOf({ seq: 1 }, { seq: 2 })
    expect(first && nearness.rankOf(first)).toBe(1)
    expect(second && nearness.rankOf(second)).toBe(2)
  })

  it('takes the better of two models', () => {
    const list = (firstSeq: number) => ({
      weight: 0.5,
      matches: [{ level: 0, sessionId: 's', firstSeq, part: 0, similarity: 0.1 }],
    })
    const turn = only(turnsOf({ seq: 7 }))
    expect(new Nearness([list(7), list(7)], weights).of(turn)).toBe(0.5)
  })
})

describe('rankTurns()', () => {
  it('leaves out what does not match and breaks ties by time, newest first', () => {
    const turns = turnsOf(
      { seq: 1, frequencies: [1], at: '2025-01-01T00:00:00Z', sessionId: 'a' },
      { seq: 50, sessionId: 'a' },
      { seq: 1, frequencies: [1], at: '2025-02-01T00:00:00Z', sessionId: 'b' },
    )
    const places = rankTurns(turns, question, { nearness: nearnessOf(), weights }).map(({ turn }) => placeKey(turn))
    expect(places).toEqual(['b 1', 'a 1'])
  })

  it('puts the answer after the question in front of an unrelated match', () => {
    const turns = turnsOf(
      { seq: 1, frequencies: [1], traits: traits.question, words: 5 },
      { seq: 2, words: 25 },
      { seq: 40, words: 5 },
    )
    expect(ranked(turns)).toContain(2)
    expect(ranked(turns)).not.toContain(40)
  })

  it('orders by meaning alone where only meaning is asked for', () => {
    const turns = turnsOf({ seq: 1, frequencies: [9] }, { seq: 20 }, { seq: 40 })
    const order = rankTurns(
      turns,
      { ...question, terms: [] },
      { nearness: nearnessOf(40, 20), weights, onlyMeaning: true },
    )
    expect(order.map(({ turn }) => turn.seq)).toEqual([40, 20])
  })

  it('spreads equal matches over sessions, and its scores never rise from one to the next', () => {
    const sessions = ['a', 'b'].flatMap((sessionId) =>
      Array.from({ length: 40 }, (_, at) => ({ seq: 1 + at * 10, frequencies: [1], sessionId })),
    )
    const order = rankTurns(turnsOf(...sessions), question, { nearness: nearnessOf(), weights })
    const best = order.slice(0, 10).map(({ turn }) => turn.sessionId)
    expect(best.filter((id) => id === 'a')).toHaveLength(5)
    expect(order).toHaveLength(80)
    for (const [at, { score }] of order.entries()) expect(score).toBeLessThanOrEqual(order[at - 1]?.score ?? Infinity)
  })

  it('lets a session with several matches lift each of them', () => {
    const alone = [{ seq: 1, frequencies: [1], sessionId: 'alone', at: '2025-03-01T00:00:00Z' }]
    const together = [1, 20, 40].map((seq) => ({ seq, frequencies: [1], sessionId: 'together' }))
    const order = rankTurns(turnsOf(...alone, ...together), question, { nearness: nearnessOf(), weights })
    expect(order.at(-1)?.turn.sessionId).toBe('alone')
  })
})
