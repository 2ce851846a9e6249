import { array, assert, asyncProperty, constantFrom, jsonValue, nat, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'

import { arrayElements, type ArrayPart } from '../../../src/transcripts/json/json-array.ts'

async function split(bytes: Uint8Array, chunk: number, elementBytesMax?: number) {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk)
  }
  const parts: ArrayPart[] = []
  let after: Uint8Array = Buffer.alloc(0)
  for await (const part of arrayElements(chunks(), elementBytesMax === undefined ? {} : { elementBytesMax })) {
    if (part.type === 'end') after = part.after
    else parts.push(part)
  }
  return { parts, whole: Buffer.concat([...parts.flatMap((part) => [part.before, part.bytes]), after]) }
}

describe('arrayElements()', () => {
  it('gives each element exactly, whatever the chunks are', async () => {
    await assert(
      asyncProperty(
        array(jsonValue({ maxDepth: 3 }), { maxLength: 6 }),
        nat(9),
        constantFrom(0, 2),
        async (values, chunk, indent) => {
          const bytes = Buffer.from(JSON.stringify(values, null, indent))
          const { parts, whole } = await split(bytes, chunk + 1)
          expect(whole.equals(bytes)).toBe(true)
          expect(parts.map((part) => JSON.stringify(JSON.parse(Buffer.from(part.bytes).toString())))).toEqual(
            values.map((value) => JSON.stringify(value)),
          )
        },
      ),
    )
  })

  it('gives back any bytes', async () => {
    const scraps = array(constantFrom(...Array.from('[]{}",:\\ \n1a')), { maxLength: 60 }).map((characters) =>
      Buffer.from(characters.join('')),
    )
    await assert(
      asyncProperty(scraps, uint8Array({ maxLength: 20 }), nat(9), async (start, end, chunk) => {
        const bytes = Buffer.concat([start, end])
        expect((await split(bytes, chunk + 1)).whole.equals(bytes)).toBe(true)
        expect((await split(bytes, chunk + 1, 4)).whole.equals(bytes)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('gives the elements of several arrays, and calls what follows them `rest`', async () => {
    const { parts } = await split(Buffer.from('[1]\n[2, [3]] 4 [5]'), 100)
    expect(parts.map((part) => [part.type, Buffer.from(part.bytes).toString()])).toEqual([
      ['element', '1'],
      ['element', '2'],
      ['element', '[3]'],
      ['rest', '4 [5]'],
    ])
  })

  it('gives an element above the bound in pieces, so that memory stays bounded', async () => {
    const bytes = Buffer.from(`[{"a":"${'x'.repeat(10_000)}`)
    const { parts, whole } = await split(bytes, 50, 1_000)
    expect(whole.equals(bytes)).toBe(true)
    expect(Math.max(...parts.map((part) => part.bytes.length))).toBeLessThan(1_200)
    expect(new Set(parts.map((part) => part.type))).toEqual(new Set(['rest']))
  })
})
