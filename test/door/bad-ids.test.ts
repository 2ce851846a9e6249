import { describe, expect, test } from 'vitest'

import { useBadInput } from './support/bad-input.ts'

const bad = useBadInput()

describe('identity', () => {
  test.each([
    'nowhere',
    '00000000-0000-7000-8000-000000000000',
    '00000000-0000-7000-8000-00000000000',
    'FFFFFFFF-FFFF-7FFF-BFFF-FFFFFFFFFFFF',
    '../../etc/passwd',
    "x' or '1'='1",
    'null',
    'undefined',
    '%',
    '_',
    '*',
    '{"$ne": null}',
  ])('the unknown session "%s" is refused by every tool, and may be a caller’s own id', async (id) => {
    for (const [tool, args] of [
      ['get_session', {}],
      ['summarize', {}],
      ['recall_context', {}],
      ['update_session', { closed: true }],
      ['search_memory', { query: 'berth' }],
    ] as const)
      expect(await bad.tools.refusal(tool, { session_id: id, ...args })).toContain(`No session "${id}"`)
    expect(await bad.tools.refusal('update_fact', { fact_id: id, pinned: true })).toContain(`no fact "${id}"`)
    const saved = await bad.tools.save({ content: id, sender: 'Ada', session_id: id, message_id: id })
    expect(saved).toMatchObject({ external_id: id, seq: 1 })
    expect((await bad.tools.session(id)).messages).toMatchObject([{ content: id }])
    expect((await bad.tools.session(saved.session_id.toUpperCase())).messages).toMatchObject([{ content: id }])
  })

  test('cursors that were altered, or belong to another list or session, are refused', async () => {
    const messages = Array.from({ length: 5 }, (_, at) => ({ content: `lemur ${at}`, sender: 'Ada' }))
    await bad.tools.saveAll({ session_id: 'pages', messages })
    const session = (await bad.tools.session('pages', { limit: 1 })).next_cursor ?? ''
    const list = (await bad.tools.list({ limit: 1 })).next_cursor ?? ''
    const search = (await bad.tools.search({ query: 'lemur', limit: 1 })).next_cursor ?? ''
    const altered = (cursor: string) =>
      Buffer.from(Buffer.from(cursor, 'base64url').toString().replaceAll(/\d/g, 'x')).toString('base64url')
    const negative = Buffer.from('{"kind":"session","session":"x","seq":-1,"offset":1e99}').toString('base64url')
    for (const [tool, args, own] of [
      ['get_session', { session_id: 'pages' }, session],
      ['list_sessions', {}, list],
      ['search_memory', { query: 'lemur' }, search],
    ] as const) {
      const others = [session, list, search].filter((cursor) => cursor !== own)
      for (const cursor of [...others, altered(own), own.slice(0, -4), `${own}x`, 'x', '[]', negative]) {
        const { isError, text } = await bad.attempt(tool, { ...args, cursor })
        // A character more or less may leave the cursor what it was; nothing else may be taken.
        if (!cursor.startsWith(own) && !isError) throw new Error(`${tool} took the cursor "${cursor}": ${text}`)
      }
    }
    expect(await bad.tools.refusal('get_session', { session_id: 'ok', cursor: session })).toContain('cursor')
  })
})
