import { describe, expect, it } from 'vitest'

import { meanOf, scoreAnswer, withinTokens } from '../../bench/recall/metrics.ts'
import { makeQuestion } from './questions.ts'

const tenTokens = () => 10

function valuesOf(gold: readonly string[], ranked: readonly string[]) {
  return scoreAnswer(makeQuestion({ gold }), { ranked, sessions: [] }, tenTokens).values
}

describe('scoreAnswer()', () => {
  it('counts the share of the gold messages up to each rank', () => {
    const values = valuesOf(['a', 'b'], ['a', 'x', 'x2', 'x3', 'x4', 'b'])
    expect(values).toMatchObject({ 'R@1': 0.5, 'R@5': 0.5, 'R@10': 1, 'R@20': 1, 'R@50': 1, 'any@10': 1, 'all@10': 1 })
  })

  it('takes the first of repeated messages, so that repeats use up no rank', () => {
    expect(valuesOf(['b'], ['a', 'a', 'a', 'a', 'a', 'b'])['R@5']).toBe(1)
  })

  it('looks at no message after the fiftieth', () => {
    const others = Array.from({ length: 50 }, (_, at) => `x${at}`)
    expect(valuesOf(['a'], [...others, 'a'])).toMatchObject({ 'R@50': 0, MRR: 0 })
    expect(valuesOf(['a'], [...others.slice(1), 'a'])).toMatchObject({ 'R@50': 1, MRR: 1 / 50 })
  })

  it('gives MRR and nDCG@10 of the first and of all gold messages', () => {
    const values = valuesOf(['a', 'b'], ['x', 'a', 'b'])
    expect(values['MRR']).toBe(0.5)
    expect(values['nDCG@10']).toBeCloseTo((1 / Math.log2(3) + 1 / 2) / (1 + 1 / Math.log2(3)), 12)
    expect(valuesOf(['a'], ['a'])['nDCG@10']).toBe(1)
  })

  it('gives nothing to an empty answer', () => {
    expect(Object.values(valuesOf(['a'], [])).every((value) => value === 0)).toBe(true)
  })

  it('cannot reach all@10 where more than ten messages are gold', () => {
    const gold = Array.from({ length: 11 }, (_, at) => `g${at}`)
    const values = valuesOf(gold, gold)
    expect(values['all@10']).toBe(0)
    expect(values['nDCG@10']).toBeCloseTo(1, 12)
  })

  it('ranks sessions by their best message', () => {
    const question = makeQuestion({ goldSessions: [3, 7] })
    const score = (sessions: string[]) => scoreAnswer(question, { ranked: [], sessions }, tenTokens).values
    expect(score(['3', '3', '1', '2', '4', '7'])).toMatchObject({ 'session hit@1': 1, 'session R@5': 1 })
    expect(score(['1', '3', '1', '2', '4', '5', '7'])).toMatchObject({ 'session hit@1': 0, 'session R@5': 0.5 })
  })

  it('counts a session of another conversation as a wrong one', () => {
    const { values } = scoreAnswer(makeQuestion(), { ranked: ['d/a'], sessions: ['d/1'] }, tenTokens)
    expect(values).toMatchObject({ 'R@10': 0, 'session hit@1': 0, 'session R@5': 0 })
  })

  it('covers the evidence that fits into a number of tokens', () => {
    const ranked = [...Array.from({ length: 24 }, (_, at) => `x${at}`), 'a', 'b']
    expect(valuesOf(['a', 'b'], ranked)).toMatchObject({ 'evidence@250': 0.5, 'evidence@500': 1 })
  })
})

describe('withinTokens()', () => {
  it('ends at the first message that does not fit, although a later one would', () => {
    const tokensOf = (ref: string) => (ref === 'long' ? 90 : 20)
    expect(withinTokens(['a', 'long', 'b'], { tokens: 100, tokensOf })).toEqual(['a'])
    expect(withinTokens(['a', 'b', 'long'], { tokens: 40, tokensOf })).toEqual(['a', 'b'])
  })
})

describe('meanOf()', () => {
  it('refuses a metric that was not measured, and no questions', () => {
    const scored = scoreAnswer(makeQuestion(), { ranked: ['a'], sessions: [] }, tenTokens)
    expect(meanOf([scored], 'R@1')).toBe(1)
    expect(() => meanOf([scored], 'R@3')).toThrow('R@3')
    expect(() => meanOf([], 'R@1')).toThrow('no questions')
  })
})
