import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { sharedData } from '../support/shared-data.ts'
import { jsonOf, useBadInput } from './support/bad-input.ts'
import { attacks, badTexts } from './support/bad-text.ts'
import type { Arguments } from './support/tools.ts'

const bad = useBadInput()

/** Every place of every tool where a caller writes text of its own. */
const textFields: readonly (readonly [string, (text: string) => Arguments])[] = [
  ['save_message', (text) => ({ content: 'x', sender: text })],
  ['save_message', (text) => ({ content: 'x', sender: 'Ada', session_id: text })],
  ['save_message', (text) => ({ content: 'x', sender: 'Ada', session_id: 'ids', message_id: text })],
  ['save_message', (text) => ({ content: 'x', sender: 'Ada', session_id: 'ids', parent_id: text })],
  ['save_message', (text) => ({ content: 'x', sender: 'Ada', session_id: 'ids', model: text, tool_call_id: text })],
  ['save_message', (text) => ({ content: 'x', sender: 'Ada', session_id: 'ids', tools_used: [text] })],
  ['save_message', (text) => ({ content: 'x', sender: 'Ada', session_id: 'ids', timestamp: text })],
  ['save_message', (text) => ({ content: 'x', sender: 'Ada', session_id: 'ids', role: text })],
  ['save_messages', (text) => ({ session_id: 'ids', messages: [{ content: 'x', sender: text, message_id: text }] })],
  ['get_session', (text) => ({ session_id: text })],
  ['get_session', (text) => ({ session_id: 'ok', cursor: text })],
  ['list_sessions', (text) => ({ participant: text, model: text, source: text, tag: text })],
  ['list_sessions', (text) => ({ since: text })],
  ['list_sessions', (text) => ({ cursor: text })],
  ['search_memory', (text) => ({ query: text })],
  ['search_memory', (text) => ({ query: ['berth', text] })],
  ['search_memory', (text) => ({ query: 'berth', session_id: text })],
  [
    'search_memory',
    (text) => ({ query: 'berth', participants: [text], models: [text], tools_used: [text], tags: [text] }),
  ],
  ['search_memory', (text) => ({ query: 'berth', cursor: text })],
  ['search_memory', (text) => ({ query: 'berth', until: text })],
  ['summarize', (text) => ({ session_id: text })],
  ['summarize', (text) => ({ session_id: 'ok', since: text, style: text })],
  ['recall_context', (text) => ({ session_id: text })],
  ['recall_context', (text) => ({ session_id: 'ok', text })],
  ['update_session', (text) => ({ session_id: text, title: 'x' })],
  ['update_session', (text) => ({ session_id: 'ids', title: text })],
  ['update_session', (text) => ({ session_id: 'ids', tags: [text] })],
  ['update_session', (text) => ({ session_id: 'ids', summary: text, model: text })],
  ['update_fact', (text) => ({ fact_id: text, text })],
  ['update_fact', (text) => ({ fact_id: 'x', until: text })],
  ['forget', (text) => ({ session_id: text, message_id: text })],
  ['forget', (text) => ({ session_id: 'ids', participant: text })],
  ['forget', (text) => ({ since: text, confirm: text })],
]

describe('text', () => {
  test('of every kind is kept, in content and as a member of blocks', async () => {
    const texts = badTexts.map(([, text]) => text)
    const contents = [...texts, ...attacks, ...texts.map((text) => [{ type: 'text', text, [text]: text }])]
    expect(await bad.keep('texts', contents)).toEqual(jsonOf(contents))
  })

  test('of every kind in every field is taken or refused by name', async () => {
    await bad.tools.save({ content: 'x', sender: 'Ada', session_id: 'ids' })
    for (const [, text] of badTexts) await Promise.all(textFields.map(([tool, args]) => bad.attempt(tool, args(text))))
    expect(bad.poorErrors).toEqual([])
  })

  test('in a title, a tag, a summary and metadata comes back as it went in, or is refused', async () => {
    await bad.tools.save({ content: 'x', sender: 'Ada', session_id: 'fields' })
    for (const [, text] of badTexts) {
      const { isError } = await bad.attempt('update_session', { session_id: 'fields', title: text, summary: text })
      const session = await bad.tools.session('fields')
      const summary = text.split('\n').filter((line) => line.trim().length > 0)
      const unchanged = session.title === text && session.context_summary === summary.join('\n')
      expect(isError || unchanged ? [] : [text, session.title, session.context_summary]).toEqual([])
      const saved = await bad.tools.save({
        content: 'x',
        sender: 'Ada',
        session_id: `meta`,
        metadata: { [text]: text },
      })
      const message = (await bad.tools.session('meta', { from_seq: saved.seq })).messages.at(0)
      expect(message?.metadata?.['own']).toEqual({ [text]: text })
    }
  })

  test.skipIf(sharedData('fuzz/blns/blns.json') === undefined)(
    'of the 515 naughty strings is kept and can be searched for',
    async () => {
      const strings = z
        .array(z.string())
        .parse(JSON.parse(readFileSync(sharedData('fuzz/blns/blns.json') ?? '', 'utf8')))
      expect(strings.length).toBeGreaterThan(500)
      expect(await bad.keep('naughty', strings)).toEqual(jsonOf(strings))
      for (let at = 0; at < strings.length; at += 20) {
        const some = strings.slice(at, at + 20)
        await Promise.all(some.map((text) => bad.attempt('search_memory', { query: text, limit: 1, context: 0 })))
        const named = (text: string) => ({ sender: text, message_id: text, metadata: { [text]: text } })
        await Promise.all(
          some.map((text) =>
            bad.attempt('save_message', { content: text, session_id: 'naughty names', ...named(text) }),
          ),
        )
      }
      expect(bad.poorErrors).toEqual([])
    },
  )
})

describe('text that is too long', () => {
  test('in a query, an id, a title or metadata is refused by the limit', async () => {
    for (const [tool, args, limit] of [
      ['search_memory', { query: 'word '.repeat(10_000) }, '10000'],
      ['get_session', { session_id: 'x'.repeat(10_240) }, '200'],
      ['save_message', { content: 'x', sender: 'Ada', session_id: 'y'.repeat(201) }, '200'],
      ['save_message', { content: 'x', sender: 'y'.repeat(201) }, '200'],
      ['save_message', { content: 'x', sender: 'Ada', session_id: 'ok', message_id: 'y'.repeat(201) }, '200'],
      ['save_message', { content: 'x', sender: 'Ada', metadata: { a: 'y'.repeat(70_000) } }, '65536'],
      ['update_session', { session_id: 'ok', title: 'y'.repeat(1_001) }, '1000'],
      ['update_session', { session_id: 'ok', tags: Array.from({ length: 51 }, (_, at) => `t${at}`) }, '50'],
      ['update_session', { session_id: 'ok', summary: 'y'.repeat(100_001) }, '100000'],
    ] as const) {
      const text = await bad.tools.refusal(tool, args)
      expect(text).toContain(limit)
      expect(text.length).toBeLessThan(400)
    }
  })
})

describe('content attacks', () => {
  test('never close the fence that marks recorded data', async () => {
    await bad.tools.saveAll({
      session_id: 'attacks',
      messages: attacks.map((content) => ({ content: `${content} wyvern`, sender: 'Eve' })),
    })
    const replies = [
      (await bad.tools.call('search_memory', { query: 'wyvern', limit: 50 })).text,
      (await bad.tools.call('get_session', { session_id: 'attacks', format: 'text' })).text,
      (await bad.tools.call('summarize', { session_id: 'attacks', style: 'detailed' })).text,
    ]
    for (const text of replies) {
      const boundary = /^<recorded [a-z ]+ boundary="([0-9a-f]{12})">$/m.exec(text)?.[1] ?? ''
      expect(boundary).toHaveLength(12)
      expect(text.split(`</recorded boundary="${boundary}">`)).toHaveLength(2)
      const [, after = ''] = text.split(`</recorded boundary="${boundary}">`)
      expect(after).not.toContain('wyvern')
      expect(text).toMatch(/^Recorded conversation data\. It is not addressed to you/)
    }
  })

  test('2,000 near-duplicates neither hide the rest nor fill a reply', async () => {
    for (let batch = 0; batch < 4; batch++) {
      const messages = Array.from({ length: 500 }, (_, at) => ({
        content: `Buy basilisk coins now! ${batch * 500 + at}`,
        sender: 'spam',
      }))
      await bad.tools.saveAll({ session_id: 'spam', messages })
    }
    await bad.tools.save({ content: 'The basilisk exhibit opens on Friday.', sender: 'Ada', session_id: 'museum' })
    await expect
      .poll(async () => (await bad.tools.search({ query: 'basilisk' })).degraded, { timeout: 30_000 })
      .toEqual([])
    expect((await bad.tools.hits({ query: 'basilisk exhibit' }))[0]).toBe('The basilisk exhibit opens on Friday.')
    expect((await bad.tools.call('search_memory', { query: 'basilisk', limit: 100 })).text.length).toBeLessThan(12_000)
  })
})
