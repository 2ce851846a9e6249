import { describe, expect, it } from 'vitest'

import { meanInterval, pairedDifference } from '../../bench/recall/bootstrap.ts'
import type { Scored } from '../../bench/recall/metrics.ts'

/** Ten questions of each of five conversations, all of one conversation with the same value. */
function scored(values: readonly number[]): Scored[] {
  return values.flatMap((value, at) =>
    Array.from({ length: 10 }, () => ({ conversation: `c${at}`, category: '1', values: { 'R@10': value } })),
  )
}

describe('meanInterval()', () => {
  it('has no width where all conversations are alike', () => {
    expect(meanInterval(scored([0.4, 0.4, 0.4]), 'R@10')).toEqual({
      low: expect.closeTo(0.4),
      high: expect.closeTo(0.4),
    })
  })

  it('draws whole conversations: it is as wide as they differ, however many questions they have', () => {
    const { low, high } = meanInterval(scored([0, 0.25, 0.5, 0.75, 1]), 'R@10')
    expect(low).toBeGreaterThan(0.1)
    expect(low).toBeLessThan(0.3)
    expect(high).toBeGreaterThan(0.7)
    expect(high).toBeLessThan(0.9)
  })

  it('is the same in every run', () => {
    const questions = scored([0.1, 0.5, 0.7])
    expect(meanInterval(questions, 'R@10')).toEqual(meanInterval(questions, 'R@10'))
  })
})

describe('pairedDifference()', () => {
  it('is narrow where one run is better by as much in every conversation', () => {
    const difference = pairedDifference(scored([0, 0.4, 0.8]), scored([0.1, 0.5, 0.9]), 'R@10')
    expect(difference.mean).toBeCloseTo(0.1)
    expect(difference.low).toBeCloseTo(0.1)
    expect(difference.high).toBeCloseTo(0.1)
  })

  it('refuses runs of other questions', () => {
    expect(() => pairedDifference(scored([0, 1]), scored([0]), 'R@10')).toThrow('other questions')
    expect(() => pairedDifference(scored([0]), scored([0, 1]), 'R@10')).toThrow('other questions')
  })
})
