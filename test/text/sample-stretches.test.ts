import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { sampleStretches, type Stretch } from '../../src/insight/extracts/sample-stretches.ts'
import { sampleSegments } from '../../src/insight/extracts/segments.ts'

const lengthOf = ({ fromSeq, toSeq }: Stretch) => toSeq - fromSeq + 1

describe('sampleStretches()', () => {
  it('is the whole stretch where that is no longer than may be read', () => {
    expect(sampleStretches({ fromSeq: 5, toSeq: 1_004 }, 1_000)).toEqual([{ fromSeq: 5, toSeq: 1_004 }])
  })

  it('reads pieces of a longer one, in order, none twice, from its first message to its last, as many as may be read', () => {
    fc.assert(
      fc.property(
        fc.record({
          fromSeq: fc.integer({ min: 1, max: 1_000_000 }),
          more: fc.integer({ min: 1, max: 2_000_000 }),
          messagesMax: fc.integer({ min: 1_000, max: 30_000 }),
        }),
        ({ fromSeq, more, messagesMax }) => {
          const toSeq = fromSeq + messagesMax + more - 1
          const pieces = sampleStretches({ fromSeq, toSeq }, messagesMax)
          expect([pieces[0]?.fromSeq, pieces.at(-1)?.toSeq]).toEqual([fromSeq, toSeq])
          for (const [index, piece] of pieces.slice(1).entries())
            expect(piece.fromSeq).toBeGreaterThan(pieces[index]?.toSeq ?? Infinity)
          const read = pieces.reduce((sum, piece) => sum + lengthOf(piece), 0)
          expect(read).toBeLessThanOrEqual(messagesMax)
          expect(read).toBeGreaterThan(messagesMax - 200)
        },
      ),
    )
  })
})

describe('sampleSegments()', () => {
  it('is all of them where they are no more than may be read', () => {
    expect(sampleSegments(7, 7)).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(sampleSegments(0, 7)).toEqual([])
  })

  it('is as many as may be read, in order, the first and the newest among them, and evenly spread but for twice as dense', () => {
    fc.assert(
      fc.property(fc.integer({ min: 201, max: 10_000 }), (count) => {
        const sample = sampleSegments(count, 200)
        expect(sample).toEqual([...new Set(sample)].toSorted((a, b) => a - b))
        expect(sample.length).toBeLessThanOrEqual(200)
        expect(sample.length).toBeGreaterThan(190)
        expect(sample[0]).toBe(0)
        expect(sample.slice(-20)).toEqual(Array.from({ length: 20 }, (_, at) => count - 20 + at))
        const gaps = sample.slice(1, -20).map((index, at) => index - (sample[at] ?? 0))
        expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * Math.min(...gaps))
      }),
    )
  })

  it('has none, with one more segment, that was not among them before', () => {
    let before = new Set(sampleSegments(1, 50))
    for (let count = 2; count <= 2_000; count++) {
      const sample = sampleSegments(count, 50)
      expect(sample.filter((index) => !before.has(index))).toEqual([count - 1])
      before = new Set(sample)
    }
  })
})
