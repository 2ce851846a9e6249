import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'

import type { SummarizeInput } from '../../src/insight/summaries/summarize.ts'
import { limits } from '../../src/limits.ts'
import { localCaller } from '../../src/model/access.ts'
import { repeatLast, shownIn } from '../support/faithful-summary.ts'
import { ChatStandIn } from '../support/stand-ins/writers.ts'
import { caller, useStore } from './store.ts'

const chat = await ChatStandIn.start()
afterAll(() => chat.stop())
const store = useStore({
  VERBATIM_SUMMARIZER_URL: chat.url,
  VERBATIM_SUMMARIZER_MODEL: chat.model,
  VERBATIM_LEARNING: 'off',
})
beforeEach(() => {
  chat.says = (asked) => repeatLast(asked, 6)
})

async function summary(sessionId: string, change: Partial<SummarizeInput> = {}) {
  return await store.open.summarize(caller, {
    sessionId,
    style: 'brief',
    maxTokens: 600,
    refresh: false,
    keep: true,
    ...change,
  })
}

/** About a thousand characters each. */
function long(count: number, from = 0) {
  return Array.from({ length: count }, (_, at) => ({
    content: `Ship ${from + at} moors at berth ${from + at}. ${'The tide is slow and the crew waits for it. '.repeat(22)}`,
    sender: 'Ann',
    role: 'user' as const,
  }))
}

async function segments(sessionId: string) {
  return await store.open.stores.database.run(
    (sql) => sql<{ first: string; last: string; body: Buffer; version: number }[]>`
      select first_seq as first, last_seq as last, body, key_version as version from summaries
      where session_id = ${sessionId} and style = 'notes' order by first_seq`,
  )
}

describe('summarize() of a long session by a model', () => {
  it('takes notes of each segment once, and reads only what is new after that', async () => {
    const sessionId = await store.session(long(60))
    const first = await summary(sessionId)
    expect(first).toMatchObject({ made_by: 'openai_compatible', coverage: { messages_read: 60, to_seq: 60 } })
    expect(first.citations.at(-1)?.seq).toBe(60)
    const noted = await segments(sessionId)
    expect(noted.map(({ first: at }) => Number(at))).toEqual([1, 25])
    // Notes of two segments, and the summary.
    expect(chat.requests).toHaveLength(3)
    // Stored under the key of the session.
    for (const { body, version } of noted) {
      expect(version).toBeGreaterThan(0)
      expect(body.toString('latin1')).not.toContain('moors')
    }
    await store.open.saveMessages(caller, { sessionId, messages: long(1, 60) })
    const second = await summary(sessionId)
    expect(second).toMatchObject({ coverage: { messages_read: 61, to_seq: 61 } })
    expect(chat.requests).toHaveLength(4)
    const shown = shownIn(chat.asked.at(-1) ?? '')
    // Six notes of each segment, and the messages after them.
    expect(shown).toHaveLength(6 + 6 + 61 - Number(noted[1]?.last))
    expect(shown.at(-1)?.text).toContain('Ship 60')
    // Another style is made of the same notes.
    await summary(sessionId, { style: 'handoff' })
    expect(chat.requests).toHaveLength(5)
  })

  it('asks a bounded number of times, whatever the length, and never holds more notes than one summary is made of', async () => {
    const sessionId = await store.session(long(500))
    await store.open.saveMessages(caller, { sessionId, messages: long(500, 500) })
    const asked = chat.requests.length
    const first = await summary(sessionId)
    expect(first.degraded ?? []).toEqual([])
    expect(first).toMatchObject({ made_by: 'openai_compatible', coverage: { messages_read: 1_000 } })
    expect(chat.requests.length - asked).toBeLessThanOrEqual(17)
    for (const text of chat.asked.slice(asked)) expect(text.length).toBeLessThan(40_000)
    expect(await segments(sessionId)).toHaveLength(16)
    await store.open.saveMessages(caller, { sessionId, messages: long(30, 1_000) })
    await summary(sessionId)
    // Notes of the new segment, eight put together, and the summary.
    expect(chat.requests.length - asked).toBeLessThanOrEqual(20)
    const few = await segments(sessionId)
    expect(few.length).toBeLessThanOrEqual(16)
    expect(Number(few[0]?.first)).toBe(1)
    const refreshed = await summary(sessionId, { refresh: true })
    expect(refreshed.coverage.messages_read).toBe(1_030)
  })

  it('keeps the notes that were taken where it fails after them', async () => {
    const sessionId = await store.session(long(60))
    const asked = chat.requests.length
    let calls = 0
    chat.says = (text) => (++calls > 2 ? 'no JSON' : repeatLast(text, 6))
    expect(await summary(sessionId)).toMatchObject({
      made_by: 'extractive',
      degraded: [expect.stringContaining('answer')],
    })
    expect(await segments(sessionId)).toHaveLength(2)
    chat.says = (text) => repeatLast(text, 6)
    expect(await summary(sessionId)).toMatchObject({ made_by: 'openai_compatible' })
    expect(chat.requests.length - asked).toBe(4)
  })

  it.each([
    ['a session, whose notes are kept', {}, '; what it noted by then is kept for the next call'],
    ['a stretch, of which nothing is', { fromSeq: 2 }, ''],
  ])('is not waited for any longer where it is slow: %s', async (_, stretch, kept) => {
    const sessionId = await store.session(long(2))
    chat.plan({ kind: 'slow', ms: 5_000 })
    const soon = new AbortController()
    const hurried = vi.spyOn(AbortSignal, 'timeout').mockImplementationOnce(() => soon.signal)
    setTimeout(() => soon.abort(new DOMException('The time is up', 'TimeoutError')), 200)
    try {
      const reply = await summary(sessionId, stretch)
      expect(reply.made_by).toBe('extractive')
      expect(reply.degraded).toEqual([`openai-compatible did not write it within 45 s${kept}`])
      expect(hurried).toHaveBeenCalledWith(limits.summaryByModelMs)
    } finally {
      hurried.mockRestore()
    }
  })

  it('loses its notes with a message that is erased', async () => {
    const sessionId = await store.session([{ content: 'The lamp of Zanzibar is green.' }, ...long(60)])
    await summary(sessionId)
    expect(await segments(sessionId)).not.toHaveLength(0)
    const page = await store.open.getSession(caller, { sessionId, limit: 1, maxTokens: 4_000, view: 'full' })
    const messageId = page.messages[0]?.id
    if (messageId === undefined) throw new Error('there is a first message')
    const preview = await store.open.erasures.forget(caller, { sessionId, messageId })
    const confirm = 'confirm' in preview ? preview.confirm : undefined
    await store.open.erasures.forget(caller, { sessionId, messageId, confirm })
    expect(await segments(sessionId)).toEqual([])
    await summary(sessionId)
    expect(chat.asked.at(-1)).not.toContain('Zanzibar')
  })

  it('shows the model nothing of who is restricted, and no note that was taken with it', async () => {
    const sessionId = await store.session([{ content: 'The lamp of Mordor is red.', sender: 'Sauron' }, ...long(60)])
    chat.says = (asked) =>
      JSON.stringify({
        sentences: shownIn(asked)
          .slice(0, 6)
          .map(({ text, number }) => ({ text: text.slice(0, 80), messages: number.split(',').map(Number) })),
      })
    expect((await summary(sessionId)).summary).toContain('Mordor')
    const { database } = store.open.stores
    await database.run(
      (sql) =>
        sql`insert into restricted_participants (tenant_id, name, reason, restricted_by) values (1, 'Sauron', 'a test', 'test')`,
    )
    const asked = chat.requests.length
    expect((await summary(sessionId)).summary).not.toContain('Mordor')
    expect(chat.requests.length).toBeGreaterThan(asked)
    for (const text of chat.asked.slice(asked)) expect(text).not.toContain('Mordor')
    await database.run((sql) => sql`delete from restricted_participants`)
  })

  it('is shown without personal data to who may not see it', async () => {
    const sessionId = await store.session([
      { content: 'Write to anna.k@posteo.de about the lamp.', sender: 'Kowalska' },
    ])
    chat.says = JSON.stringify({
      sentences: [{ text: 'Kowalska can be reached at anna.k@posteo.de.', messages: [1] }],
    })
    const reader = { ...localCaller('test'), view: 'redacted' as const }
    const reply = await store.open.summarize(reader, {
      sessionId,
      style: 'brief',
      maxTokens: 600,
      refresh: false,
      keep: true,
    })
    expect(reply.made_by).toBe('openai_compatible')
    expect(JSON.stringify(reply)).not.toMatch(/Kowalska|posteo/u)
    expect(reply.summary).toContain('[email]')
  })
})
