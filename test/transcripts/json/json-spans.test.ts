import { array, assert, constantFrom, jsonValue, nat, property, uint8Array, type JsonValue } from 'fast-check'
import { describe, expect, it } from 'vitest'

import { jsonContainer, jsonValueEnd } from '../../../src/transcripts/json/json-spans.ts'
import { gluedObjects } from '../../../src/transcripts/json/json-value.ts'

/** Writes JSON with white space taken from a list, wherever JSON allows it. */
function spaced(value: JsonValue, spaces: readonly string[]): string {
  let at = 0
  const space = (): string => spaces[at++ % Math.max(1, spaces.length)] ?? ''
  const write = (inner: unknown): string => {
    if (Array.isArray(inner)) return `[${space()}${inner.map((item) => write(item) + space()).join(`,${space()}`)}]`
    if (typeof inner === 'object' && inner !== null) {
      const members = Object.entries(inner).map(
        ([key, item]) => `${JSON.stringify(key)}${space()}:${space()}${write(item)}${space()}`,
      )
      return `{${space()}${members.join(`,${space()}`)}}`
    }
    return JSON.stringify(inner)
  }
  return `${space()}${write(value)}${space()}`
}

/** What `jsonContainer` should find, or undefined for a value without children. */
function childrenOfValue(value: JsonValue): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value.map((item) => [undefined, item])
  return typeof value === 'object' && value !== null ? Object.entries(value) : undefined
}

const spaces = array(constantFrom('', ' ', '\n', '\t', '\r\n  '), { minLength: 1, maxLength: 8 })

describe('jsonContainer()', () => {
  it('gives the exact spans of an object`s members', () => {
    const bytes = Buffer.from(' { "a" : [1, 2] , "b\\u0021":"x}\\"]", "c": -1.5e3 } ')
    const container = jsonContainer(bytes)
    expect(container?.children.map((child) => [child.key, bytes.subarray(child.start, child.end).toString()])).toEqual([
      ['a', '[1, 2]'],
      ['b!', '"x}\\"]"'],
      ['c', '-1.5e3'],
    ])
    expect(container?.complete).toBe(true)
  })

  it('finds the children of any JSON with any white space', () => {
    assert(
      property(jsonValue({ maxDepth: 4 }), spaces, (value, white) => {
        const bytes = Buffer.from(spaced(value, white))
        const container = jsonContainer(bytes)
        const parsed = container?.children.map((child) => [
          child.key,
          JSON.parse(bytes.subarray(child.start, child.end).toString()),
        ])
        const expected = childrenOfValue(value)
        expect(JSON.stringify(parsed)).toBe(JSON.stringify(expected))
        expect(container?.complete).toBe(expected === undefined ? undefined : true)
      }),
    )
  })

  it('follows 10,000 levels', () => {
    const deep = Buffer.from(`${'[{"a":'.repeat(5_000)}1${'}]'.repeat(5_000)}`)
    expect(jsonValueEnd(deep, 0)).toBe(deep.length)
    expect(jsonContainer(deep)?.children).toHaveLength(1)
  })

  it('keeps what stands before a break', () => {
    const bytes = Buffer.from('{"a": 1, "b": {"c": 2')
    const container = jsonContainer(bytes)
    expect(container?.complete).toBe(false)
    expect(container?.children).toEqual([
      { key: 'a', start: 6, end: 7, complete: true },
      { key: 'b', start: 14, end: bytes.length, complete: false },
    ])
  })

  it('stays inside the buffer and keeps children apart, whatever the bytes are', () => {
    const bytes = array(constantFrom(...Array.from('{}[]",:\\ \na1')), { maxLength: 60 }).map((characters) =>
      Buffer.from(characters.join('')),
    )
    assert(
      property(bytes, (input) => {
        const container = jsonContainer(input)
        let last = 0
        for (const child of container?.children ?? []) {
          expect(child.start).toBeGreaterThanOrEqual(last)
          expect(child.end).toBeGreaterThan(child.start)
          last = child.end
        }
        expect(last).toBeLessThanOrEqual(input.length)
      }),
      { numRuns: 500 },
    )
    assert(
      property(
        uint8Array({ maxLength: 100 }),
        nat(),
        (input, at) => (jsonValueEnd(input, at % 100) ?? 0) <= input.length,
      ),
    )
  })
})

describe('gluedObjects()', () => {
  it('parts two objects on one line', () => {
    const parts = gluedObjects(Buffer.from('{"a":1} {"b":"}{"}'))
    expect(parts?.map((part) => part.value)).toEqual([{ a: 1 }, { b: '}{' }])
  })

  it('keeps a broken rest as a part of its own', () => {
    const bytes = Buffer.from('{"a":1}{"b":')
    const parts = gluedObjects(bytes)
    expect(parts?.map((part) => [part.start, part.end, part.value])).toEqual([
      [0, 7, { a: 1 }],
      [7, 12, undefined],
    ])
  })

  it('finds none where the line does not begin with a sound object', () => {
    expect(gluedObjects(Buffer.from('{"a":tru}{"b":1}'))).toBeUndefined()
    expect(gluedObjects(Buffer.from('1{"b":1}'))).toBeUndefined()
  })
})
