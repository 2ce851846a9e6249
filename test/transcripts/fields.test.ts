import { describe, expect, it } from 'vitest'

import { countField } from '../../src/transcripts/fields.ts'

describe('countField()', () => {
  it('gives whole numbers from 0 to 2,147,483,647 and nothing else', () => {
    const read = (value: unknown) => countField({ value }, 'value')
    expect([0, 7, 2_147_483_647].map(read)).toEqual([0, 7, 2_147_483_647])
    expect([1.5, 2_147_483_648, 1e300, -1, Number.NaN, Number.POSITIVE_INFINITY, '7', null].map(read)).toEqual(
      Array.from({ length: 8 }, () => undefined),
    )
  })
})
