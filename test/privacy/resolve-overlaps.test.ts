import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Detection } from '../../src/privacy/detection.ts'
import { resolveOverlaps } from '../../src/privacy/resolve-overlaps.ts'

const text = 'x'.repeat(60)
const detection: fc.Arbitrary<Detection> = fc.record({
  type: fc.constantFrom('person', 'email', 'phone', 'secret'),
  start: fc.nat(50),
  end: fc.integer({ min: 51, max: 60 }),
  confidence: fc.constantFrom(0.4, 0.6, 0.9),
})

describe('resolveOverlaps()', () => {
  it('covers exactly what was covered, each place once and by one of the surest', () => {
    fc.assert(
      fc.property(fc.array(detection, { maxLength: 8 }), (detections) => {
        const resolved = resolveOverlaps(text, detections)
        for (let at = 0; at < text.length; at++) {
          const there = detections.filter(({ start, end }) => start <= at && at < end)
          const kept = resolved.filter(({ start, end }) => start <= at && at < end)
          expect(kept).toHaveLength(there.length === 0 ? 0 : 1)
          expect(kept[0]?.confidence).toBe(
            there.length === 0 ? undefined : Math.max(...there.map(({ confidence }) => confidence)),
          )
        }
      }),
    )
  })

  it('keeps what of the less sure sticks out, but not where it is only punctuation', () => {
    const detections: Detection[] = [
      { type: 'person', start: 0, end: 12, confidence: 0.5 },
      { type: 'email', start: 5, end: 11, confidence: 0.9 },
    ]
    expect(resolveOverlaps('Anna a@b.cc.', detections).map(({ type, start, end }) => [type, start, end])).toEqual([
      ['person', 0, 5],
      ['email', 5, 11],
    ])
  })
})
