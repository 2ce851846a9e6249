import { appendFile } from 'node:fs/promises'

import { describe, expect, it } from 'vitest'

import { generic } from '../../../src/transcripts/generic/generic.ts'
import { detectFormat } from '../../../src/transcripts/registry.ts'
import { readOne, writeTranscript } from '../../support/transcripts.ts'

describe('generic', () => {
  it('understands rows by the usual names', async () => {
    const path = await writeTranscript('chat.jsonl', [
      { role: 'user', content: 'Hello', timestamp: '2026-06-13T10:00:00.000000', id: 1, name: 'Ada' },
      { sender: 'human', text: 'Hi', ts: 1_700_000_000 },
      { type: 'assistant.message', data: { content: 'Sure', model: 'm' } },
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ id: 'c', function: { name: 'read', arguments: '{"p":1}' } }],
        usage: { prompt_tokens: 3, completion_tokens: 4 },
      },
      { role: 'tool', tool_call_id: 'c', content: 'result' },
      { type: 'tool_call', function: { name: 'git' }, arguments: 'status' },
      {
        seq: 1,
        sender: 'gpt-x',
        role: 'assistant',
        content: [{ type: 'text', text: 'Own format' }],
        metadata: { tools_used: ['a', 'b'] },
      },
      { anything: 'else' },
      'just text',
    ])
    const { entries, sessions } = await readOne(path)
    expect(entries.map((entry) => [entry.kind, entry.role, entry.sender, entry.text])).toEqual([
      ['message', 'user', 'Ada', 'Hello'],
      ['message', 'user', undefined, 'Hi'],
      ['message', 'assistant', 'm', 'Sure'],
      ['message', 'assistant', undefined, 'read {"p":1}'],
      ['message', 'tool', undefined, 'result'],
      ['message', 'assistant', undefined, 'git status'],
      ['message', 'assistant', 'gpt-x', 'Own format'],
      ['unknown', 'custom', undefined, ''],
      ['unknown', 'custom', undefined, 'just text'],
    ])
    expect(entries[0]).toMatchObject({ id: '1', timestamp: '2026-06-13T10:00:00.000Z' })
    expect(entries[1]?.timestamp).toBe('2023-11-14T22:13:20.000Z')
    expect(entries[3]).toMatchObject({ toolsUsed: ['read'], toolCallId: 'c', usage: { input: 3, output: 4 } })
    expect(entries[4]?.toolCallId).toBe('c')
    expect(entries[6]?.toolsUsed).toEqual(['a', 'b'])
    expect([...sessions.keys()]).toEqual([expect.stringMatching(/^verbatim-test-[^/]+\/chat-[0-9a-f]{8}$/u)])
  })

  it('gives an array of messages one entry an element', async () => {
    const content = JSON.stringify([{ role: 'user', content: 'a' }, { role: 'assistant', content: 'b' }, 3], null, 2)
    const { entries, bytes } = await readOne(await writeTranscript('chat.json', content))
    expect(bytes.toString()).toBe(content)
    expect(entries.map((entry) => [entry.kind, entry.text])).toEqual([
      ['message', 'a'],
      ['message', 'b'],
      ['unknown', '3'],
    ])
  })

  it('gives an object with a list of messages one entry a message', async () => {
    const content = `\ufeff${JSON.stringify({ session_id: 's1', title: 'T', messages: [{ role: 'user', content: 'a' }] })}\n`
    const { entries, bytes, sessions } = await readOne(await writeTranscript('chat.json', content))
    expect(bytes.toString()).toBe(content)
    expect(entries.map((entry) => entry.text)).toEqual(['a'])
    expect([...sessions.values()]).toEqual([{ type: 'session', id: 's1', title: 'T' }])
  })

  it('gives each of several lists of messages its own conversation, by the name that it has alone', async () => {
    const chats = ['a', 'b'].map(
      (text) => `${JSON.stringify({ messages: [{ role: 'user', content: text }] }, null, 2)}\n`,
    )
    const path = await writeTranscript('chat.json', chats[0] ?? '')
    const alone = [...(await readOne(path)).sessions.keys()]
    await appendFile(path, chats[1] ?? '')
    const { entries, bytes, sessions } = await readOne(path)
    expect(bytes.toString()).toBe(chats.join(''))
    expect(entries.map((entry) => entry.text)).toEqual(['a', 'b'])
    expect(sessions.size).toBe(2)
    expect([...sessions.keys()].slice(0, 1)).toEqual(alone)
  })

  const said = (text: string) => ({ role: 'user', content: text })
  it.each([
    ['messages one after the other one conversation, however they are laid out', ['a', 'b', 'c'].map(said), 1],
    ['each of several arrays of messages its own conversation', [['a', 'b'].map(said), ['c'].map(said)], 2],
  ])('gives %s', async (_what, documents: readonly unknown[], conversations) => {
    const content = documents.map((document) => `${JSON.stringify(document, null, 2)}\n`).join('')
    const { entries, bytes, sessions } = await readOne(await writeTranscript('chat.json', content))
    expect(bytes.toString()).toBe(content)
    expect(entries.map((entry) => [entry.kind, entry.text])).toEqual([
      ['message', 'a'],
      ['message', 'b'],
      ['message', 'c'],
    ])
    expect(new Set(entries.map((entry) => entry.session)).size).toBe(conversations)
    expect(sessions.size).toBe(conversations)
  })

  it('gives each line that holds a list of messages its own conversation, and other lines theirs', async () => {
    const lines = [
      { messages: [said('a'), { role: 'assistant', content: 'b' }] },
      said('c'),
      {
        id: 'two',
        conversations: [
          { from: 'human', value: 'd' },
          { from: 'gpt', value: 'e' },
        ],
        system: 'Answer in French.',
      },
      { session_id: 'three', model: 'm', messages: [said('f')], response: { role: 'assistant', content: 'g' } },
      { messages: [] },
    ]
    const content = `\ufeff${lines.map((line) => JSON.stringify(line)).join('\r\n\n')}\n\n`
    const { entries, bytes, sessions } = await readOne(await writeTranscript('chats.jsonl', content))
    expect(bytes.toString()).toBe(content)
    expect(entries.map((entry) => [entry.kind, entry.role, entry.text])).toEqual([
      ['message', 'user', 'a'],
      ['message', 'assistant', 'b'],
      ['message', 'user', 'c'],
      ['message', 'user', 'd'],
      ['message', 'assistant', 'e'],
      ['message', 'system', 'Answer in French.'],
      ['message', 'user', 'f'],
      ['message', 'assistant', 'g'],
      ['unknown', 'custom', ''],
    ])
    expect([...sessions.keys()]).toEqual([
      expect.stringMatching(/\/chats-[0-9a-f]{8}$/u),
      expect.stringMatching(/\/chats-[0-9a-f]{8}$/u),
      'two',
      'three',
    ])
    // A row belongs to the rows before it, and to no conversation of another line.
    expect(entries[2]?.session).toBe(entries[8]?.session)
  })

  it('gives what is said beside a list of messages as entries, and what is said about it as none', async () => {
    const content = JSON.stringify({
      title: 'All of our talk',
      system: 'You are a helpful guide.',
      tags: ['not a word of it'],
      model: 'gpt-4o',
      messages: [said('Where is it?')],
      output: 'Left.',
      answer: '',
    })
    const { entries, bytes } = await readOne(await writeTranscript('chat.json', content))
    expect(bytes.toString()).toBe(content)
    expect(entries.map((entry) => [entry.role, entry.text])).toEqual([
      ['system', 'You are a helpful guide.'],
      ['user', 'Where is it?'],
      ['custom', 'Left.'],
    ])
  })

  it('keeps a conversation that breaks off, and what was said before it', async () => {
    const content = '{"system":"You are a guide.","messages":[{"role":"user","content":"a"}],"output":"It is on the'
    const { entries, bytes } = await readOne(await writeTranscript('chat.json', content))
    expect(bytes.toString()).toBe(content)
    expect(entries.map((entry) => [entry.kind, entry.text])).toEqual([
      ['message', 'You are a guide.'],
      ['message', 'a'],
      ['damaged', ''],
    ])
  })

  it.each(['{"a": 1}', '[1, 2]', '{"messages": []}', '{"messages": 3}', ' \n'])(
    'gives any other document as one entry at most: %s',
    async (content) => {
      const { entries, bytes } = await readOne(await writeTranscript('x.json', content), generic)
      expect(bytes.toString()).toBe(content)
      expect(entries.length).toBe(content.trim() === '' ? 0 : 1)
    },
  )

  it('goes on after a line that does not parse', async () => {
    const content = '{"role":"user","content":"a"}\n{"role":\n\n{"role":"user","content":"b"}\n'
    const { entries } = await readOne(await writeTranscript('x.jsonl', content))
    expect(entries.map((entry) => [entry.kind, entry.text, entry.problem])).toEqual([
      ['message', 'a', undefined],
      ['damaged', '', 'Not valid JSON'],
      ['message', 'b', undefined],
    ])
  })

  it('survives JSON that is nested 20,000 deep', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    const content = `{"role":"user","content":${deep}}\n{"role":"assistant","content":[{"type":"tool_use","name":"t","input":${deep}}]}\n`
    const { entries, bytes } = await readOne(await writeTranscript('x.jsonl', content))
    expect(bytes.toString()).toBe(content)
    expect(entries).toHaveLength(2)
  })

  it.each([
    ['notes.md', '# Title\n\n[link](x)'],
    ['list.md', '[link](x) and more'],
    ['dump.sql', 'create table a (b text);'],
    ['image.png', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a])],
    ['empty.jsonl', ''],
    ['code.ts', '{ const x = 1 }'],
  ])('is not detected in %s', async (name, content) => {
    expect(await detectFormat(await writeTranscript(name, content))).toBeUndefined()
  })
})
