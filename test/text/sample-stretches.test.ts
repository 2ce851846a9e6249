import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { sampleStretches, type Stretch } from '../../src/insight/extracts/sample-stretches.ts'

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
