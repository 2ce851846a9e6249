import { array, assert, asyncProperty, constantFrom, nat, oneof, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'

import { limits } from '../../../src/limits.ts'
import { byteLines, type ByteLine } from '../../../src/transcripts/bytes/lines.ts'

async function* inChunks(bytes: Uint8Array, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += sizeBytes) yield bytes.subarray(at, at + sizeBytes)
}

async function split(input: string | Uint8Array, options: { chunk?: number; lineBytesMax?: number } = {}) {
  const bytes = Buffer.from(input)
  const lines: ByteLine[] = []
  let after: Uint8Array = Buffer.alloc(0)
  const bound = options.lineBytesMax === undefined ? {} : { lineBytesMax: options.lineBytesMax }
  for await (const event of byteLines(inChunks(bytes, options.chunk ?? 3), bound)) {
    if (event.type === 'line') lines.push(event)
    else after = event.after
  }
  const whole = Buffer.concat([...lines.flatMap((line) => [line.before, line.bytes]), after])
  return {
    lines,
    texts: lines.map((line) => Buffer.from(line.bytes).toString('latin1')),
    after: Buffer.from(after).toString('latin1'),
    whole,
  }
}

describe('byteLines()', () => {
  it('keeps terminators and blank lines outside of the lines', async () => {
    const { texts, after, lines } = await split('a\n\n \t\r\nb\r\nc')
    expect(texts).toEqual(['a', 'b', 'c'])
    expect(lines.map((line) => Buffer.from(line.before).toString())).toEqual(['', '\n\n \t\r\n', '\r\n'])
    expect(after).toBe('')
  })

  it('gives what follows the last line as `after`', async () => {
    expect((await split('a\n\n')).after).toBe('\n\n')
    expect((await split('\n\n')).texts).toEqual([])
    expect((await split('')).after).toBe('')
  })

  it('takes a lone carriage return for content', async () => {
    expect((await split('a\rb\n')).texts).toEqual(['a\rb'])
  })

  it('moves a byte order mark to `before`, at the start only', async () => {
    const mark = Buffer.from([0xef, 0xbb, 0xbf])
    const { lines, whole } = await split(Buffer.concat([mark, Buffer.from('{}\n'), mark, Buffer.from('{}')]), {
      chunk: 1,
    })
    expect(lines.map((line) => line.bytes.length)).toEqual([2, 5])
    expect(whole.length).toBe(11)
  })

  it('keeps invalid UTF-8 byte for byte', async () => {
    const bytes = Buffer.from([0x7b, 0xff, 0xc0, 0x00, 0x7d, 0x0a])
    expect([...((await split(bytes)).lines[0]?.bytes ?? [])]).toEqual([0x7b, 0xff, 0xc0, 0x00, 0x7d])
  })

  it('gives a line above the bound in pieces and goes on after it', async () => {
    const { lines, texts, whole } = await split(`${'x'.repeat(25)}\nshort\n`, { lineBytesMax: 10, chunk: 4 })
    expect(whole.toString()).toBe(`${'x'.repeat(25)}\nshort\n`)
    expect(texts.at(-1)).toBe('short')
    expect(lines.map((line) => line.oversized)).toEqual([true, true, true, false])
  })

  it('gives an endless line in pieces that are far below what one stored entry may hold', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < 150; index += 1) yield chunk
    }
    const sizes: number[] = []
    for await (const event of byteLines(endless())) if (event.type === 'line') sizes.push(event.bytes.length)
    expect(sizes.length).toBeGreaterThan(1)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(limits.importedMessageBytesMax / 3)
    expect(sizes.reduce((total, size) => total + size, 0)).toBe(150 * chunk.length)
  })

  it('gives back any stream, whatever the chunks are', async () => {
    const lineish = oneof(
      uint8Array({ maxLength: 6 }),
      constantFrom(Buffer.from('\n'), Buffer.from('\r\n'), Buffer.from(' '), Buffer.from([0xef, 0xbb, 0xbf])),
    )
    await assert(
      asyncProperty(array(lineish, { maxLength: 40 }), nat(7), nat(20), async (parts, chunk, bound) => {
        const bytes = Buffer.concat(parts)
        const { lines, whole } = await split(bytes, { chunk: chunk + 1, lineBytesMax: bound + 1 })
        expect(whole.equals(bytes)).toBe(true)
        for (const line of lines) expect(line.bytes.includes(0x0a)).toBe(false)
      }),
    )
  })
})
