import { describe, expect, it } from 'vitest'

import { correctMessage } from '../../src/rights/correct.ts'
import { summariesOf } from '../../src/store/summaries/summaries.ts'
import { caller, useStore } from '../sessions/store.ts'

const store = useStore({ VERBATIM_ROLLING_SUMMARIES: 'off', VERBATIM_LEARNING: 'off' })

const talk = Array.from({ length: 350 }, (_, at) => ({
  content: `We decided that ship ${at} unloads at berth ${at * 3}.`,
}))

/** A session with a summary and what stands for each of its segments of a hundred messages. */
async function summarized(): Promise<string> {
  const sessionId = await store.session(talk)
  const correction = { session: sessionId, message: '150', content: 'It unloads nowhere.', reason: 'asked' }
  await correctMessage(store.open.stores, caller, correction)
  await store.open.summarize(caller, { sessionId, style: 'brief', maxTokens: 500, refresh: true, keep: true })
  return sessionId
}

async function idOf(sessionId: string, seq: number): Promise<string> {
  const [row] = await store.open.stores.database.run(
    (sql) => sql<{ id: string }[]>`select id from messages where session_id = ${sessionId} and seq = ${seq}`,
  )
  return row?.id ?? ''
}

describe('the preview of an erasure', () => {
  it.each([
    ['a message', 5, 2],
    ['a correction, in whose segment it is and in whose segment what it corrects is', 351, 3],
  ])('counts the summaries that go with %s, and none that stays', async (_, seq, expected) => {
    const sessionId = await summarized()
    const count = async () => (await summariesOf(store.open.stores.database, { tenantId: 1, sessionId })).length
    const before = await count()
    // The summary of the session, and what stands for four segments.
    expect(before).toBe(5)
    const chosen = { sessionId, messageId: await idOf(sessionId, seq) }
    const preview = await store.open.erasures.forget(caller, chosen)
    if (preview.status !== 'preview') throw new Error('no preview')
    const receipt = await store.open.erasures.forget(caller, { ...chosen, confirm: preview.confirm })
    expect(receipt).toMatchObject({ status: 'erased', erased: { messages: 1, summaries: preview.stores.summaries } })
    expect(before - (await count())).toBe(expected)
    expect(preview.stores.summaries).toBe(expected)
  })

  it('counts what stands for a segment that has lost messages before', async () => {
    const sessionId = await summarized()
    for (const seq of [5, 205]) {
      const chosen = { sessionId, messageId: await idOf(sessionId, seq) }
      const preview = await store.open.erasures.forget(caller, chosen)
      if (preview.status !== 'preview') throw new Error('no preview')
      const receipt = await store.open.erasures.forget(caller, { ...chosen, confirm: preview.confirm })
      // With the summary of the session: of the first segment, then of the first, which was made anew, and of the third.
      expect(receipt).toMatchObject({ status: 'erased', erased: { summaries: preview.stores.summaries } })
      expect(preview.stores.summaries).toBe(seq === 5 ? 2 : 3)
      await store.open.summarize(caller, { sessionId, style: 'brief', maxTokens: 500, refresh: true, keep: true })
    }
  })
})
