import { describe, expect, it } from 'vitest'

import { getSession } from '../../src/sessions/get-session.ts'
import { renderSession } from '../../src/sessions/render.ts'
import { caller, contentsOf, messagesOf, useStore } from './store.ts'

const store = useStore()

/** Bytes of JSON that a budget allows. */
const bytesOf = (maxTokens: number) => maxTokens * 3.5
const sizeOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value, null, 2))

describe('getSession()', () => {
  it.each([501, 503, 999, 1_001, 8_001])(
    'gives a message of multi-byte text in pieces that are its exact JSON, with %i tokens a page',
    async (maxTokens) => {
      const content = Array.from({ length: 400 }, (_, at) => `zażółć ${at} 港口 🚢 "quoted" \\ \u0001\n`).join('')
      const sessionId = await store.session([{ content }, { content: 'after it' }])
      const pages = await store.pages(sessionId, { maxTokens })
      expect([...contentsOf(pages)]).toEqual([
        [1, JSON.stringify(content)],
        [2, '"after it"'],
      ])
      expect(pages.filter((page) => sizeOf(page) > bytesOf(maxTokens))).toEqual([])
    },
  )

  it('keeps every page to its budget whatever fills it: summary, metadata, numbers, names', async () => {
    const numbers = Array.from({ length: 3_000 }, (_, at) => at)
    const sessionId = await store.session([
      ...Array.from({ length: 6 }, (_, at) => ({ content: `small ${at}`, metadata: { note: 'n'.repeat(30_000) } })),
      { content: numbers },
      { content: { nested: [numbers.slice(0, 50), numbers.slice(0, 50)] } },
      { content: 'tools', toolsUsed: Array.from({ length: 300 }, (_, at) => `tool_number_${at}`) },
      ...Array.from({ length: 80 }, (_, at) => ({ content: `from ${at}`, sender: `a participant with number ${at}` })),
    ])
    await store.open.updateSession(caller, { sessionId, summary: 'A long sentence of it. '.repeat(4_000) })
    for (const maxTokens of [601, 1_000, 8_000, 25_000]) {
      const pages = await store.pages(sessionId, { maxTokens })
      const sizes = pages.map(sizeOf).filter((size) => size > bytesOf(maxTokens))
      expect({ maxTokens, sizes }).toEqual({ maxTokens, sizes: [] })
      expect(contentsOf(pages).get(7)).toBe(JSON.stringify(numbers))
      expect(contentsOf(pages).size).toBe(89)
    }
  })

  it('gives metadata that no page holds in pieces, after those of the content', async () => {
    const metadata = { note: 'żółw '.repeat(4_000), list: Array.from({ length: 500 }, (_, at) => at) }
    const sessionId = await store.session([{ content: 'small', metadata }, { content: 'next' }])
    const messages = messagesOf(await store.pages(sessionId, { maxTokens: 1_001 })).filter(({ seq }) => seq === 1)
    const text = messages.map(({ metadata_part: part }) => part?.text ?? '').join('')
    expect(JSON.parse(text)).toMatchObject({ own: metadata, trust: 'owner', tools_used: [] })
    expect(messages.map(({ content_part: part }) => part?.text).join('')).toBe('"small"')
    expect(messages.every((message) => message.metadata?.['sha256'] !== undefined)).toBe(true)
  })

  it('shows the summary on the first page only, cut to a quarter of it, and says what it does not cover', async () => {
    const sessionId = await store.session(Array.from({ length: 40 }, (_, at) => ({ content: `${at} `.repeat(100) })))
    await store.open.updateSession(caller, { sessionId, summary: 'S'.repeat(100_000) })
    const [first, ...others] = await store.pages(sessionId, { maxTokens: 2_000 })
    expect(first?.context_summary).toMatch(/^S+…$/)
    expect(Buffer.byteLength(first?.context_summary ?? '')).toBeLessThanOrEqual(bytesOf(2_000) / 4)
    expect(first?.messages.length).toBeGreaterThan(1)
    expect(others.length).toBeGreaterThan(1)
    expect(others.filter((page) => page.context_summary !== null)).toEqual([])
    expect(first).not.toHaveProperty('context_summary_to_seq')
    await store.open.saveMessages(caller, { sessionId, messages: [{ content: 'new', sender: 'Ann', role: 'user' }] })
    expect((await store.pages(sessionId, { maxTokens: 2_000 }))[0]?.context_summary_to_seq).toBe(40)
  })

  it('counts the names that a head leaves out', async () => {
    const sessionId = await store.session(Array.from({ length: 60 }, (_, at) => ({ sender: `P${at}`, content: 'x' })))
    const [page] = await store.pages(sessionId, { maxTokens: 25_000 })
    expect(page?.participants).toHaveLength(50)
    expect(page?.participants_more).toBe(10)
  })

  it('carries ids and trust in the compact view and as text, each page within its budget', async () => {
    const sessionId = await store.session([
      { content: 'asked', role: 'user' },
      { content: 'fetched', role: 'tool' },
      ...Array.from({ length: 30 }, (_, at) => ({ content: `line "${at}"\n`.repeat(300) })),
    ])
    for (const maxTokens of [501, 1_001, 8_000]) {
      const pages = await store.pages(sessionId, { maxTokens, view: 'compact' })
      const messages = messagesOf(pages)
      expect(messages.slice(0, 2).map(({ trust }) => trust)).toEqual(['owner', 'tool'])
      expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 32 }, (_, at) => at + 1))
      const texts = pages.map((page) => renderSession(page))
      for (const { id, trust } of messages) expect(texts.join('\n')).toContain(`trust: ${trust}, id ${id}`)
      const over = [...pages.map(sizeOf), ...texts.map((text) => Buffer.byteLength(text))]
      expect(over.filter((size) => size > bytesOf(maxTokens))).toEqual([])
    }
  })

  it('reads compactly with few statements, and none of the events', async () => {
    const sessionId = await store.session(Array.from({ length: 120 }, (_, at) => ({ content: `message ${at}` })))
    const { database, archive } = store.open.stores
    await database.run((sql) => sql`update messages set kind = 'event' where session_id = ${sessionId} and seq % 2 = 0`)
    let statements = 0
    const counting = {
      ...database,
      kind: database.kind,
      close: () => database.close(),
      run: <T>(work: Parameters<typeof database.run<T>>[0]) => {
        statements++
        return database.run(work)
      },
    }
    const page = await getSession({ database: counting, archive }, caller, {
      sessionId,
      limit: 50,
      maxTokens: 25_000,
      view: 'compact',
    })
    expect(page.messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, at) => 2 * at + 1))
    expect(statements).toBeLessThan(6)
    const rest = await store.open.getSession(caller, {
      sessionId,
      limit: 50,
      maxTokens: 25_000,
      view: 'compact',
      cursor: page.next_cursor,
    })
    expect(rest.messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 10 }, (_, at) => 2 * at + 101))
    expect(rest.next_cursor).toBeUndefined()
  })
})
