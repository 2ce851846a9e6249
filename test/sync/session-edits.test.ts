import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { SessionRecord, SummaryRecord } from '../../src/store/archive/archived-session.ts'
import { editsMax, mergeEdits, noEdits, noteEdits, saidBy, type SessionEdits } from '../../src/sync/session-edits.ts'

const record: SessionRecord = {
  id: '01900000-0000-7000-8000-000000000001',
  source: 'mcp',
  external_id: null,
  title: null,
  created_at: '2026-01-01T00:00:00.000Z',
  last_active_at: '2026-01-01T00:00:00.000Z',
  closed_at: null,
  participants: [],
  models_used: [],
  message_count: 0,
  payload_bytes: 0,
  input_tokens: 0,
  output_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  tool_invocations: 0,
  context_switches: 0,
  last_seq: 0,
  last_model: null,
  last_message_id: null,
  parent_session_id: null,
  parent_external_id: null,
  tags: [],
  metadata: null,
  retention_policy_id: null,
  legal_hold: false,
  restricted: false,
  said_at: null,
  anonymized_at: null,
  erasures: 0,
  version: 1,
}

function titled(title: string | null, saidAtMs?: number): { record: SessionRecord; summaries: SummaryRecord[] } {
  const saidAt = saidAtMs === undefined ? null : new Date(saidAtMs).toISOString()
  return { record: { ...record, title, said_at: saidAt }, summaries: [] }
}

function summary(id: string, atMs: number): SummaryRecord {
  const about = {
    level: 'session',
    style: 'brief',
    first_seq: 1,
    last_seq: 2,
    body: '{}',
    made_by: 'host',
    model: null,
  }
  return { id, ...about, created_at: new Date(atMs).toISOString() }
}

const at = (now: number, storeId = 'a') => ({ storeId, now })

describe('noteEdits()', () => {
  it('notes nothing of what was never said', () => {
    expect(noteEdits(undefined, titled(null), at(5))).toEqual(noEdits)
  })

  it('takes what it finds first for older than whatever is known to have been set', () => {
    const found = noteEdits(undefined, titled('found'), at(1_000_000))
    const set = noteEdits(noteEdits(undefined, titled(null), at(2, 'b')), titled('set'), at(3, 'b'))
    expect(saidBy(mergeEdits(found, set)).title).toBe('set')
  })

  it('notes a change once, later than all that is known, also where the clock is behind', () => {
    const first = noteEdits(noEdits, titled('one', 1_000), at(2_000))
    expect(first.fields.title?.[0]?.at).toBe(1_000)
    const second = noteEdits(first, titled('two'), at(10, 'b'))
    expect(second.fields.title?.map(({ value }) => JSON.parse(value) as unknown)).toEqual(['two', 'one'])
    expect(noteEdits(second, titled('two'), at(2_000, 'b'))).toEqual(second)
  })

  it('notes that something is not said any more', () => {
    const taken = noteEdits(noteEdits(noEdits, titled('one'), at(1)), titled(null), at(2))
    expect(saidBy(taken).title).toBeNull()
  })

  it('dates what was set by when the session says so, however late it is exchanged', () => {
    const early = noteEdits(undefined, titled('Monday', 1_000), at(9_000, 'a'))
    const late = noteEdits(undefined, titled('Tuesday', 2_000), at(3_000, 'b'))
    expect(saidBy(mergeEdits(early, late)).title).toBe('Tuesday')
  })

  it('lets nothing come back that was said before messages were erased', () => {
    const there = noteEdits(
      noteEdits(noEdits, titled('quotes it', 1_000), at(1_000, 'b')),
      titled('quotes it'),
      at(1_001, 'b'),
    )
    const known = { ...there, summaries: [summary('before', 1_500), summary('after', 3_000)] }
    const erased = noteEdits({ ...noEdits, erased_at: 2_000 }, titled(null), at(2_500))
    const both = mergeEdits(known, erased)
    expect(saidBy(both).title).toBeNull()
    expect(JSON.stringify(both)).not.toContain('quotes it')
    expect(both.summaries.map(({ id }) => id)).toEqual(['after'])
    const anew = noteEdits(both, titled('said since', 4_000), at(5_000))
    expect(saidBy(mergeEdits(anew, known)).title).toBe('said since')
  })

  it('keeps no more than so many', () => {
    let edits: SessionEdits = noEdits
    for (let index = 1; index <= editsMax + 5; index++) edits = noteEdits(edits, titled(`t${index}`), at(index))
    expect(edits.fields.title).toHaveLength(editsMax)
    expect(saidBy(edits).title).toBe(`t${editsMax + 5}`)
  })
})

describe('mergeEdits()', () => {
  const edit = fc.record({
    value: fc.constantFrom('null', '"x"', '"y"'),
    at: fc.integer({ min: 1, max: 6 }),
    by: fc.constantFrom('a', 'b', 'c'),
  })
  // What is set at one moment at one store is one value.
  const settle = (list: { value: string; at: number; by: string }[]) =>
    list.map((one) => ({ ...one, value: JSON.stringify(`${one.at} ${one.by}`) }))
  const some = fc
    .array(edit, { maxLength: 8 })
    .map((list) => mergeEdits({ fields: { title: settle(list) }, summaries: [] }, noEdits))

  it('gives the same, whatever is merged first, and however often', () => {
    fc.assert(
      fc.property(some, some, some, (a, b, c) => {
        expect(mergeEdits(a, b)).toEqual(mergeEdits(b, a))
        expect(mergeEdits(mergeEdits(a, b), c)).toEqual(mergeEdits(a, mergeEdits(b, c)))
        expect(mergeEdits(mergeEdits(a, b), b)).toEqual(mergeEdits(a, b))
      }),
    )
  })
})
