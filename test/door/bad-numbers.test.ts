import { describe, expect, test } from 'vitest'

import { useBadInput } from './support/bad-input.ts'

const bad = useBadInput()

describe('numbers and times', () => {
  test.each([0, -1, 1.5, 1e9, 'Infinity', '-5', '1e3', 'ten', '0x10', '', Number.MAX_SAFE_INTEGER])(
    '%s as a bound is refused or taken for what it is',
    async (value) => {
      for (const [tool, args] of [
        ['get_session', { session_id: 'ok', limit: value }],
        ['get_session', { session_id: 'ok', max_tokens: value }],
        ['get_session', { session_id: 'ok', from_seq: value }],
        ['list_sessions', { limit: value }],
        ['search_memory', { query: 'berth', limit: value }],
        ['search_memory', { query: 'berth', context: value }],
        ['summarize', { session_id: 'ok', from_seq: value }],
        ['summarize', { session_id: 'ok', max_tokens: value }],
        ['recall_context', { session_id: 'ok', max_tokens: value }],
        ['save_message', { content: 'x', sender: 'Ada', session_id: 'counts', tokens: { input: value } }],
      ] as const)
        await bad.attempt(tool, args)
      expect(await bad.tools.refusal('search_memory', { query: 'x', limit: -1 })).toContain('limit')
    },
  )

  test('numbers as strings are numbers, and a place beyond the end is empty', async () => {
    expect((await bad.tools.session('ok', { limit: '10', from_seq: '1' })).messages).toHaveLength(1)
    expect((await bad.tools.session('ok', { from_seq: 1e9 })).messages).toEqual([])
  })

  test.each<[unknown, string | undefined]>([
    ['2025-03-01T10:00:00Z', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01T10:00:00', '2025-03-01T10:00:00.000Z'],
    ['2025-03-01T10:00:00.123456+05:45', '2025-03-01T04:15:00.123Z'],
    ['2025-03-01', '2025-03-01T00:00:00.000Z'],
    ['0100-01-01', '0100-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
    [1_740_823_200, '2025-03-01T10:00:00.000Z'],
    [1_740_823_200_123, '2025-03-01T10:00:00.123Z'],
    ['1740823200', '2025-03-01T10:00:00.000Z'],
    ['2036-11-25', '2036-11-25T00:00:00.000Z'],
    ['0000-01-01', undefined],
    ['0099-12-31', undefined],
    ['275760-09-14', undefined],
    ['2025-02-29', undefined],
    ['2025-13-01', undefined],
    ['2025-03-01T25:00:00Z', undefined],
    ['2025-03-01T10:00:00+25:00', undefined],
    ['01.03.2025', undefined],
    ['yesterday', undefined],
    [-1, undefined],
    [1e18, undefined],
    ['', undefined],
  ])('the time %j is %j', async (timestamp, expected) => {
    const { isError, text, structured } = await bad.attempt('save_message', { content: 'x', sender: 'Ada', timestamp })
    const id = String(structured?.['session_id'])
    expect(isError ? undefined : (await bad.tools.session(id)).messages[0]?.timestamp).toBe(expected)
    expect(isError ? text : 'timestamp ISO 8601').toMatch(/timestamp.*ISO 8601/s)
  })

  test('an end before its beginning is refused, or finds nothing', async () => {
    const stretch = { since: '2025-02-01', until: '2025-01-01' }
    expect(await bad.tools.refusal('search_memory', { query: 'berth', ...stretch })).toContain('since')
    expect(await bad.tools.refusal('summarize', { session_id: 'ok', from_seq: 2, to_seq: 1 })).toContain('2 to 1')
    expect((await bad.tools.list(stretch)).sessions).toEqual([])
  })
})
