import { describe, expect, it } from 'vitest'

import { InputError } from '../../src/errors.ts'
import { messageSchema, toMessageInput } from '../../src/mcp/tools/message-fields.ts'

function read(fields: Readonly<Record<string, unknown>>) {
  return toMessageInput(messageSchema.parse({ content: 'x', sender: 'Ann', ...fields }))
}

describe('toMessageInput()', () => {
  it.each([
    [
      { input: 1, output: 2, cache_read: 3, cache_write: 4 },
      { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 },
    ],
    [
      { input_tokens: 1, output_tokens: 2, cache_read_input_tokens: 3, cache_creation_input_tokens: 4 },
      { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 },
    ],
    [
      { prompt_tokens: 1, completion_tokens: 2 },
      { input: 1, output: 2 },
    ],
    [{ input: 5, input_tokens: 5, cache_read_input_tokens: null }, { input: 5 }],
  ])('reads the token counts %o', (tokens, usage) => {
    expect(read({ tokens }).usage).toEqual(usage)
  })

  it('refuses an unknown count by its name, and two names that disagree', () => {
    expect(() => read({ tokens: { input: 1, inputt: 2 } })).toThrow('the unknown count "inputt"')
    expect(() => read({ tokens: { __proto__x: 2 } })).toThrow(InputError)
    expect(() => read({ tokens: { input: 1, prompt_tokens: 2 } })).toThrow('"input" is 1 and "prompt_tokens" is 2')
    expect(() => read({ tokens: { input_tokens: -1 } })).toThrow('input_tokens')
  })

  it('refuses metadata that cannot be written as JSON, in plain words', () => {
    const deep: unknown = JSON.parse('{"a":'.repeat(50_000) + '1' + '}'.repeat(50_000))
    expect(() => read({ metadata: { deep } })).toThrow(InputError)
    expect(() => read({ metadata: { deep } })).toThrow('"metadata" nests thousands of levels deep')
    expect(() => read({ metadata: JSON.parse('{"n":1e999}') })).toThrow('"metadata" holds a number beyond')
    expect(read({ metadata: { a: [1, null] } }).metadata).toEqual({ a: [1, null] })
  })
})
