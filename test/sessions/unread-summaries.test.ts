import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { changeRestriction } from '../../src/rights/restrict.ts'
import { repeatLast } from '../support/faithful-summary.ts'
import { ChatStandIn } from '../support/stand-ins/writers.ts'
import { caller, messagesOf, useStore } from './store.ts'

const settings: Record<string, string> = { VERBATIM_ROLLING_SUMMARIES: 'off', VERBATIM_LEARNING: 'off' }
let chat: ChatStandIn
beforeAll(async () => {
  chat = await ChatStandIn.start()
  settings['VERBATIM_SUMMARIZER_URL'] = chat.url
  settings['VERBATIM_SUMMARIZER_MODEL'] = chat.model
  chat.says = (asked) => repeatLast(asked, 10)
})
const store = useStore(settings)
afterAll(() => chat.stop())

const talk = Array.from({ length: 60 }, (_, at) => ({
  content: `Ship ${at} waits for salt. ${'The breakwater holds, the wind does not turn. '.repeat(20)}`,
  sender: at === 3 ? 'Bea' : 'Ann',
}))

const summarize = (sessionId: string) =>
  store.open.summarize(caller, { sessionId, style: 'brief', maxTokens: 500, refresh: false, keep: true })

describe('a summary by a model', () => {
  it('says that messages could not be read, and is made again when they can be', async () => {
    const { database } = store.open.stores
    const sessionId = await store.session(talk)
    const messages = messagesOf(await store.pages(sessionId, { maxTokens: 50_000 }))
    const lost = [messages[2]?.id ?? '', messages[57]?.id ?? '']
    const kept = await database.run(
      (sql) => sql<{ id: string; payload: Uint8Array }[]>`
        select id, payload from messages where session_id = ${sessionId} and seq in (3, 58)`,
    )
    for (const id of lost) await store.damage(id)
    const lacking = await summarize(sessionId)
    expect(lacking).toMatchObject({ made_by: 'openai_compatible', coverage: { messages_read: 58 } })
    expect(lacking.degraded).toEqual([expect.stringMatching(/^messages that cannot be read: 2\./u)])
    // It is not paid for again as long as they cannot be read, nor are the notes of them where the session goes on.
    const first = chat.asked.length
    expect(await summarize(sessionId)).toEqual(lacking)
    expect(chat.asked.length).toBe(first)
    const next = { content: 'Ship 60 waits for salt too.', sender: 'Ann', role: 'user' as const }
    await store.open.saveMessages(caller, { sessionId, messages: [next] })
    const longer = await summarize(sessionId)
    expect(longer).toMatchObject({ coverage: { messages_read: 59 }, degraded: lacking.degraded })
    expect(chat.asked.length).toBe(first + 1)
    for (const { id, payload } of kept)
      await database.run((sql) => sql`update messages set payload = ${Buffer.from(payload)} where id = ${id}`)
    const whole = await summarize(sessionId)
    expect(whole.coverage.messages_read).toBe(61)
    expect(whole).not.toHaveProperty('degraded')
    const asked = chat.asked.length
    expect((await summarize(sessionId)).coverage.messages_read).toBe(61)
    expect(chat.asked.length).toBe(asked)
  })

  it('has the words of a participant who was restricted while one was made, after the release', async () => {
    const { database } = store.open.stores
    const sessionId = await store.session(talk)
    const change = (isRestricted: boolean) =>
      changeRestriction(database, caller, { participant: 'Bea', isRestricted, reason: 'asked' })
    await change(true)
    expect((await summarize(sessionId)).coverage.messages_read).toBe(59)
    await change(false)
    expect((await summarize(sessionId)).coverage.messages_read).toBe(60)
  })
})
