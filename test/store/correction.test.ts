import { describe, expect, it, vi } from 'vitest'

import { openVerbatim } from '../../src/compose.ts'
import { forget } from '../../src/erasure/forget.ts'
import { correctMessage } from '../../src/rights/correct.ts'
import type { Verbatim } from '../../src/verbatim.ts'
import { caller, useStore } from '../sessions/store.ts'
import { quietConfig } from '../support/quiet-config.ts'

const store = useStore()
const page = { limit: 50, maxTokens: 8_000, view: 'full' } as const
const question = { limit: 20, maxTokens: 8_000, context: 3, format: 'json', mode: 'full_text' } as const

const correct = (session: string, message: string, content: unknown) =>
  correctMessage(store.open.stores, caller, { session, message, content, reason: 'asked' })

/** On a server the index may be behind for a moment. */
async function indexed(): Promise<void> {
  const behind = async () => (await store.open.status(caller)).index.messages_behind
  await vi.waitUntil(async () => (await behind()) === 0, { timeout: 30_000 })
}

async function textsFound(of: Verbatim, query: string): Promise<string[]> {
  await indexed()
  const { results } = await of.search(caller, { ...question, query })
  return results.flatMap(({ messages }) => messages.map(({ text }) => text))
}

/** Its bytes as they are stored. */
async function payloadOf(id: string): Promise<string> {
  const [row] = await store.open.stores.database.run(
    (sql) => sql<{ payload: string }[]>`select encode(payload, 'base64') as payload from messages where id = ${id}`,
  )
  return row?.payload ?? ''
}

describe('a message that is corrected', () => {
  it('stays byte for byte, and what is found, summarized and recalled is the correction, in any process', async () => {
    const original = { text: 'The ketch lies at berth 14.', odd: [1.5, '\ud800'] }
    const sessionId = await store.session([
      { content: 'Where does the ketch lie?', sender: 'Bob' },
      { content: original, sender: 'Ada', timestamp: '2026-03-01T10:00:00Z' },
      { content: 'Thanks for the ketch.', sender: 'Bob' },
    ])
    const summary = { sessionId, style: 'brief', maxTokens: 500, refresh: false, keep: true } as const
    expect((await store.open.summarize(caller, summary)).summary).toMatch(/berth 14/)
    await using replica = await openVerbatim(quietConfig(store.fixture.home, store.databaseUrl))
    for (const of of [store.open, replica]) expect((await textsFound(of, 'ketch')).join()).toMatch(/berth 14/)
    await store.open.updateSession(caller, { sessionId, closed: true })
    const before = await store.open.getSession(caller, { ...page, sessionId })

    const payload = await payloadOf(before.messages[1]?.id ?? '')
    const done = await correct(sessionId, '2', 'The ketch lies at berth 41.')
    expect(done).toMatchObject({ session_id: sessionId, corrected_id: before.messages[1]?.id, seq: 4 })
    for (const of of [replica, store.open]) {
      const texts = await textsFound(of, 'ketch')
      expect(texts.join()).not.toMatch(/berth 14/)
      expect(texts).toContain('The ketch lies at berth 41.')
      expect((await of.search(caller, { ...question, query: '"berth 14"' })).results).toEqual([])
    }
    await indexed()
    const { results } = await store.open.search(caller, { ...question, query: '"berth 41"' })
    expect(results[0]?.messages.find(({ hit }) => hit !== undefined)).toMatchObject({
      sender: 'Ada',
      timestamp: '2026-03-01T10:00:00.000Z',
      corrects: done.corrected_id,
    })
    // The stored summary is not current any more, and neither is one that is made anew.
    for (const refresh of [false, true])
      expect((await store.open.summarize(caller, { ...summary, refresh, keep: false })).summary).not.toMatch(/berth 14/)

    const after = await store.open.getSession(caller, { ...page, sessionId })
    expect(after.closed_at).toBe(before.closed_at)
    expect(after.context_summary).toBeNull()
    expect(after.messages[1]).toEqual({ ...before.messages[1], corrected_by: done.message_id })
    expect(after.messages[3]).toMatchObject({
      id: done.message_id,
      content: 'The ketch lies at berth 41.',
      sender: 'Ada',
      corrects: done.corrected_id,
      metadata: { replaces_id: done.corrected_id, sha256: done.sha256 },
    })
    expect(await payloadOf(done.corrected_id)).toBe(payload)

    // Once: what is corrected again is the correction.
    await expect(correct(sessionId, '2', 'Berth 15.')).rejects.toThrow(/was corrected already by message/)
    const again = await correct(sessionId, done.message_id, 'The ketch has left.')
    expect((await textsFound(store.open, 'ketch')).join()).not.toMatch(/berth/)
    expect(again.corrected_id).toBe(done.message_id)
  })

  it('comes into use again where its correction is erased, and goes with its own erasure', async () => {
    const sessionId = await store.session([{ content: 'A brigantine of oak.', sender: 'Ada' }])
    const done = await correct(sessionId, '1', 'A brigantine of elm.')
    const { database, archive } = store.open.stores
    const erase = async (messageId: string) => {
      const dependencies = { database, archive, index: undefined, visible: database, waitMs: 60_000 }
      const preview = await forget(dependencies, caller, { messageId })
      if (preview.status !== 'preview') throw new Error('no preview')
      await forget(dependencies, caller, { messageId, confirm: preview.confirm })
    }
    await erase(done.message_id)
    expect(await textsFound(store.open, 'brigantine')).toEqual(['A brigantine of oak.'])
    await expect(correct(sessionId, '1', 'A brigantine of ash.')).rejects.toThrow(/was erased/)
    await erase(done.corrected_id)
    expect(await textsFound(store.open, 'brigantine')).toEqual([])
  })

  it('is corrected by one of many who do so at once', async () => {
    const sessionId = await store.session([{ content: 'A yawl.', sender: 'Ada' }])
    const tries = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => correct(sessionId, '1', `A yawl, said ${index}.`)),
    )
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const { messages } = await store.open.getSession(caller, { ...page, sessionId })
    expect(messages).toHaveLength(2)
    expect(await textsFound(store.open, 'yawl')).toEqual([messages[1]?.content])
  })

  it('must be there, be a message, and say something else', async () => {
    const sessionId = await store.session([{ content: 'A sloop.', sender: 'Ada' }])
    await expect(correct(sessionId, '7', 'x')).rejects.toThrow(/No message "7"/)
    await expect(correct(sessionId, '1', 'A sloop.')).rejects.toThrow(/says the same/)
    await expect(correct('nowhere', '1', 'x')).rejects.toThrow(/No session/)
    const reader = {
      tenantId: caller.tenantId,
      principal: 'eve',
      principalId: '01a21c3b-49e6-7000-8000-000000000000',
      client: 'test',
    }
    await giveToSomebody(sessionId)
    await expect(
      correctMessage(store.open.stores, reader, { session: sessionId, message: '1', content: 'x', reason: 'x' }),
    ).rejects.toThrow(/Cannot write session|No session/)
  })
})

/** Gives the session to somebody else. */
async function giveToSomebody(sessionId: string): Promise<void> {
  await store.open.stores.database.run(
    (sql) => sql`
      insert into session_grants (tenant_id, session_id, principal_id, role)
      values (${caller.tenantId}, ${sessionId}, '01a21c3b-49e6-7000-8000-000000000001', 'owner')`,
  )
}
