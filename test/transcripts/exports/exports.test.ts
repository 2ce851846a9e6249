import { describe, expect, it } from 'vitest'

import { chatgpt } from '../../../src/transcripts/exports/chatgpt.ts'
import { claudeAi } from '../../../src/transcripts/exports/claude-ai.ts'
import { detectFormat } from '../../../src/transcripts/registry.ts'
import { readOne, writeTranscript } from '../../support/transcripts.ts'

/** A node placed as `id` or `id<parent`; the first word of `said` is its role. */
const node = (place: string, said: readonly [string, ...unknown[]], rest: object = {}) => ({
  id: place.split('<')[0] ?? '',
  parent: place.split('<')[1] ?? null,
  children: [],
  message: {
    id: `message-${place}`,
    author: { role: said[0] },
    create_time: 1_700_000_000.5,
    content: { content_type: 'text', parts: said.slice(1) },
    recipient: 'all',
    ...rest,
  },
})
const root: { readonly id: string } & Record<string, unknown> = { id: 'root', parent: null, message: null }
const conversation = (id: string, nodes: readonly { id: string }[]) => ({
  title: `Title of ${id}`,
  create_time: 1_700_000_000,
  conversation_id: id,
  mapping: Object.fromEntries(nodes.map((item) => [item.id, item])),
})

describe('chatgpt', () => {
  it('reads a tree with branches, calls and models', async () => {
    const content = JSON.stringify([
      conversation('one', [
        root,
        node('a<root', [
          'user',
          'Question',
          { content_type: 'image_asset_pointer', asset_pointer: 'file-service://x' },
        ]),
        node('b<a', ['assistant', '{"q":1}'], { recipient: 'browser', metadata: { model_slug: 'gpt-x' } }),
        node('c<b', ['tool', 'found'], { author: { role: 'tool', name: 'browser' } }),
        node('d<c', ['assistant', 'Answer'], { metadata: { model_slug: 'gpt-x' } }),
        node('e<a', ['assistant', 'Another'], { metadata: { model_slug: 'gpt-y' } }),
      ]),
      conversation('two', [node('a', ['user', 'Hi'])]),
    ])
    const path = await writeTranscript('conversations.json', content)
    expect((await detectFormat(path))?.format).toBe(chatgpt)
    const { entries, sessions, bytes } = await readOne(path)
    expect(bytes.toString()).toBe(content)
    expect([...sessions.values()]).toMatchObject([
      { id: 'one', title: 'Title of one', createdAt: '2023-11-14T22:13:20.000Z' },
      { id: 'two', title: 'Title of two' },
    ])
    expect(entries.map((entry) => [entry.id, entry.role, entry.text, entry.toolCallId, entry.contextSwitch])).toEqual([
      ['root', 'custom', '', undefined, undefined],
      ['a', 'user', 'Question\n\n[image, file-service://x]', undefined, undefined],
      ['b', 'assistant', 'browser {"q":1}', 'b', undefined],
      ['c', 'tool', 'found', 'b', undefined],
      ['d', 'assistant', 'Answer', undefined, undefined],
      ['e', 'assistant', 'Another', undefined, 'model'],
      ['a', 'user', 'Hi', undefined, undefined],
    ])
    expect(entries[1]?.timestamp).toBe('2023-11-14T22:13:20.500Z')
  })

  it('streams an export of many conversations, holding one at a time', { timeout: 60_000 }, async () => {
    const one = JSON.stringify(conversation('x', [node('a', ['user', 'y'.repeat(100_000)])]))
    const count = 600
    const path = await writeTranscript(
      'conversations.json',
      `[${Array.from({ length: count }, () => one).join(',\n')}]`,
    )
    let entries = 0
    let peakBytes = 0
    const atStart = process.memoryUsage().arrayBuffers
    for await (const document of chatgpt.documents(path)) {
      for await (const event of document.events) {
        if (event.type !== 'entry') continue
        entries += 1
        peakBytes = Math.max(peakBytes, process.memoryUsage().arrayBuffers - atStart)
      }
    }
    expect(entries).toBe(count)
    // The file has 60 MB. The bound leaves room for chunks that the collector has not taken yet.
    expect(peakBytes).toBeLessThan(40_000_000)
  })

  it('reads conversations that stand one after the other, and reports what is none', async () => {
    const chats = ['one', 'two'].map((id) => JSON.stringify(conversation(id, [node('a', ['user', 'Hi'])])))
    const content = `${chats.join('\n')}\nand the rest`
    const { entries, bytes } = await readOne(await writeTranscript('conversations.json', content), chatgpt)
    expect(bytes.toString()).toBe(content)
    expect(entries.map((entry) => [entry.session, entry.kind])).toEqual([
      ['one', 'message'],
      ['two', 'message'],
      [expect.any(String), 'damaged'],
    ])
  })

  it('keeps an export that breaks off inside a conversation', async () => {
    const whole = JSON.stringify(
      [conversation('one', [node('a', ['user', 'Hi'])]), conversation('two', [node('b', ['user', 'Ho'])])],
      null,
      1,
    )
    const cut = whole.slice(0, whole.length - 200)
    const { entries, bytes } = await readOne(await writeTranscript('conversations.json', cut))
    expect(bytes.toString()).toBe(cut)
    expect(entries.map((entry) => [entry.session, entry.kind])).toEqual([
      ['one', 'message'],
      ['two', 'damaged'],
    ])
  })
})

describe('claudeAi', () => {
  it('reads messages with tools, attachments and branches, and old ones that have text only', async () => {
    const content = JSON.stringify([
      {
        uuid: 'c1',
        name: 'Bakery',
        created_at: '2024-10-29T15:59:18.774635+00:00',
        model: 'claude-y',
        chat_messages: [
          {
            uuid: 'a',
            sender: 'human',
            text: 'Old text',
            created_at: '2024-10-29T15:59:18.774635+00:00',
            attachments: [{ file_name: 'a.txt', extracted_content: 'inside' }],
          },
          {
            uuid: 'b',
            sender: 'assistant',
            text: 'x',
            content: [
              { type: 'text', text: 'Hi' },
              { type: 'tool_use', id: 't', name: 'artifacts', input: { id: 1 } },
            ],
            parent_message_uuid: 'a',
          },
          { uuid: 'c', sender: 'assistant', text: 'Again', content: [], parent_message_uuid: 'a' },
        ],
      },
      { uuid: 'c2', name: 'Nothing', chat_messages: [] },
    ])
    const path = await writeTranscript('conversations.json', content)
    expect((await detectFormat(path))?.format).toBe(claudeAi)
    const { entries, sessions } = await readOne(path)
    expect([...sessions.keys()]).toEqual(['c1', 'c2'])
    expect(entries).toMatchObject([
      { role: 'user', text: 'Old text\n\n[file, a.txt]\n\ninside', timestamp: '2024-10-29T15:59:18.774Z' },
      {
        role: 'assistant',
        model: 'claude-y',
        text: 'Hi\n\nartifacts id: 1',
        toolsUsed: ['artifacts'],
        toolCallId: 't',
      },
      { role: 'assistant', text: 'Again', contextSwitch: 'branch' },
    ])
  })
})
