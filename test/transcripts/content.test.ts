import { anything, assert, jsonValue, property } from 'fast-check'
import { describe, expect, it } from 'vitest'

import { contentMeaning } from '../../src/transcripts/content-text.ts'
import { isoTime } from '../../src/transcripts/fields.ts'
import { readableJson, withoutDataUrls } from '../../src/transcripts/media.ts'
import { UsageMaxima, UsageTotals } from '../../src/transcripts/usage.ts'

const picture = 'A'.repeat(400)

describe('contentMeaning()', () => {
  it('reads prose, thinking, calls and results in order', () => {
    const meaning = contentMeaning([
      { type: 'thinking', thinking: 'Plan' },
      { type: 'text', text: 'Hello' },
      { type: 'toolCall', id: 'a', name: 'read', arguments: { path: 'x' } },
      { type: 'tool_result', tool_use_id: 'b', content: [{ type: 'text', text: 'done' }] },
      { functionCall: { name: 'ls', args: {} } },
      { text: 'part' },
      { type: 'brand_new', value: 1 },
    ])
    expect(meaning).toEqual({
      text: 'Plan\n\nHello\n\nread path: x\n\ndone\n\nls\n\npart\n\ntype: brand_new\nvalue: 1',
      toolsUsed: ['read', 'ls'],
      callIds: ['a'],
      resultIds: ['b'],
    })
  })

  it.each([
    [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: picture } }, '[image/png, 300 bytes]'],
    [{ type: 'image', data: picture, mimeType: 'image/jpeg' }, '[image/jpeg, 300 bytes]'],
    [{ type: 'input_image', image_url: `data:image/webp;base64,${picture}` }, '[image/webp, 300 bytes]'],
    [{ type: 'image_url', image_url: { url: 'https://example.org/x.png' } }, '[image_url, https://example.org/x.png]'],
    [{ inlineData: { mimeType: 'audio/wav', data: picture } }, '[audio/wav, 300 bytes]'],
    [{ type: 'input_audio', input_audio: { format: 'wav', data: picture } }, '[wav, 300 bytes]'],
    [{ type: 'document', source: { type: 'text', data: 'plain words' } }, 'plain words'],
  ])('puts a marker in the place of media: %j', (block, text) => {
    expect(contentMeaning([block]).text).toBe(text)
  })

  it('keeps text that only looks like data', () => {
    expect(contentMeaning('X'.repeat(60_000)).text).toHaveLength(60_000)
    expect(readableJson({ format: 'text', data: 'hello' })).toBe('format: text\ndata: hello')
    expect(withoutDataUrls('write data:text/plain;base64,aGk= there')).toBe('write data:text/plain;base64,aGk= there')
  })

  it('replaces data inside of tool input and results', () => {
    expect(
      readableJson({ a: [{ mimeType: 'image/png', data: picture }], b: `x data:image/png;base64,${picture} y` }),
    ).toBe('a:\n[image/png, 300 bytes]\nb: x [image/png, 300 bytes] y')
  })

  it('never throws', () => {
    assert(property(jsonValue(), (value) => typeof contentMeaning(value).text === 'string'))
    assert(
      property(
        jsonValue(),
        (value) =>
          typeof contentMeaning([{ type: 'tool_use', name: value, input: value, id: value }]).text === 'string',
      ),
    )
  })
})

describe('isoTime()', () => {
  it.each([
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000Z'],
    ['2024-10-29T15:59:18.774635+02:00', '2024-10-29T13:59:18.774Z'],
    ['2026-06-13 10:00:00', '2026-06-13T10:00:00.000Z'],
    ['2026-06-13', '2026-06-13T00:00:00.000Z'],
    [1_700_000_000.5, '2023-11-14T22:13:20.500Z'],
    [1_700_000_000_500, '2023-11-14T22:13:20.500Z'],
    ['[trimmed]', undefined],
    ['2026-99-99T00:00:00Z', undefined],
    [-1, undefined],
    [Number.NaN, undefined],
    [1e300, undefined],
    [null, undefined],
  ])('reads %j', (value, expected) => {
    expect(isoTime(value)).toBe(expected)
  })

  it('gives ISO 8601 in UTC or nothing, for anything', () => {
    assert(property(anything(), (value) => /^(?:undefined|\d{4}-.*Z)$/u.test(String(isoTime(value)))))
  })
})

describe('usage', () => {
  const usage = (input: number, output: number) => ({ input, output, cacheRead: 0, cacheWrite: 0 })

  it('UsageMaxima adds up to the maximum of each answer', () => {
    const maxima = new UsageMaxima()
    const steps = [usage(5, 1), usage(5, 9), usage(4, 3)].map((step) => maxima.contribution('a', step))
    expect(steps).toEqual([usage(5, 1), usage(0, 8), undefined])
    expect(maxima.contribution(undefined, usage(1, 1))).toEqual(usage(1, 1))
  })

  it('UsageTotals adds up to the last total, and starts again when it shrinks', () => {
    const totals = new UsageTotals()
    expect([usage(5, 1), usage(8, 1), usage(2, 1)].map((total) => totals.contribution(total))).toEqual([
      usage(5, 1),
      usage(3, 0),
      usage(2, 1),
    ])
  })
})
