import { assert, jsonValue, nat, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'

import { cutText, jsonStringBytes, prettyBytes } from '../../src/sessions/json-size.ts'

describe('prettyBytes()', () => {
  it('is the length of the two-space JSON of any value, at any depth', () => {
    assert(
      property(jsonValue(), (value) => {
        const read: unknown = JSON.parse(JSON.stringify(value))
        expect(prettyBytes(read)).toBe(Buffer.byteLength(JSON.stringify(read, null, 2)))
        const inside = { a: [read] }
        const frame = Buffer.byteLength(JSON.stringify({ a: [0] }, null, 2)) - 1
        expect(prettyBytes(read, { depth: 2 }) + frame).toBe(Buffer.byteLength(JSON.stringify(inside, null, 2)))
      }),
    )
  })

  it('counts no member that is undefined', () => {
    expect(prettyBytes({ a: undefined, b: 1 })).toBe(JSON.stringify({ b: 1 }, null, 2).length)
    expect(prettyBytes({ a: undefined })).toBe(2)
  })

  it('takes what nests too deeply to be written, and stops early', () => {
    const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000))
    expect(() => JSON.stringify(deep)).toThrow(RangeError)
    expect(prettyBytes(deep, { bytesMax: 10_000 })).toBeGreaterThan(10_000)
    expect(
      prettyBytes(
        Array.from({ length: 1_000_000 }, () => 7),
        { bytesMax: 100 },
      ),
    ).toBeGreaterThan(100)
  })
})

describe('cutText()', () => {
  it('keeps what fits, and never gives more bytes of JSON than it may', () => {
    assert(
      property(string({ unit: 'grapheme', maxLength: 80 }), nat(150), (text, room) => {
        const cut = cutText(text, room + 8)
        expect(jsonStringBytes(cut)).toBeLessThanOrEqual(Math.max(room + 8, 5))
        expect(cut.isWellFormed()).toBe(true)
        expect(cut === text || cut.endsWith('…')).toBe(true)
        expect(cut === text).toBe(jsonStringBytes(text) <= room + 8)
      }),
    )
  })
})
