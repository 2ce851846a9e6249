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
      expect.stringMatching(/\/chats-[0-9a-f]{16}$/u),
      expect.stringMatching(/\/chats-[0-9a-f]{8}$/u),
      expect.stringMatching(/\/chats-two-[0-9a-f]{8}$/u),
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
      ['assistant', 'Left.'],
    ])
  })

  describe('a conversation on a line', () => {
    const read = async (rows: readonly unknown[]) =>
      await readOne(await writeTranscript('rows.jsonl', `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`))
    const roles = async (row: unknown) =>
      (await read([row])).entries.map((entry) => [entry.kind, entry.role, entry.text])

    it('has no message of what is about it', async () => {
      const about = {
        user_agent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/128',
        model: 'Claude 3.5 Sonnet',
        customer: 'Ada King Lovelace',
        exportAt: '16:25:18 GMT+0000 (Coordinated Universal Time)',
        tools: [{ name: 'read', description: 'Reads one of the files.' }],
      }
      expect(await roles({ ...about, messages: [said('a')] })).toEqual([
        ['unknown', 'custom', about.user_agent],
        ['unknown', 'custom', about.model],
        ['unknown', 'custom', about.customer],
        ['message', 'user', 'a'],
      ])
    })

    it.each([
      ['an answer as text', { messages: [said('a')], response: 'Yes.' }, ['assistant', 'Yes.']],
      [
        'an answer of blocks',
        { messages: [said('a')], response: { content: [{ type: 'text', text: 'Yes.' }] } },
        ['assistant', 'Yes.'],
      ],
      [
        'a choice',
        { messages: [said('a')], response: { choices: [{ message: { role: 'assistant', content: 'Yes.' } }] } },
        ['assistant', 'Yes.'],
      ],
      ['a row of a source with a name', { source: 'gpt4-gen', messages: [said('a'), said('b')] }, ['user', 'b']],
      ['a list under the second name', { history: [], conversation: [said('a'), said('b')] }, ['user', 'b']],
    ])('is read: %s', async (_what, row, [role, text]) => {
      expect(await roles(row)).toEqual([
        ['message', 'user', 'a'],
        ['message', role, text],
      ])
    })

    it('has its instructions before it, and its first question once', async () => {
      const system = [{ type: 'text', text: 'Be brief.' }]
      expect(await roles({ prompt: 'a', system, messages: [said('a')] })).toEqual([
        ['message', 'system', 'Be brief.'],
        ['message', 'user', 'a'],
      ])
    })

    it('is of the time, the model and the tokens of its line, and says what else stands there', async () => {
      const row = {
        timestamp: '2025-03-04T05:06:07Z',
        model: 'm',
        usage: { input_tokens: 3, output_tokens: 4 },
        ticket: 'ABC-1',
        ok: true,
      }
      const { entries, sessions } = await read([{ ...row, messages: [said('a'), { role: 'assistant', content: 'b' }] }])
      expect(entries.map(({ timestamp, model, usage }) => [timestamp, model, usage])).toEqual([
        ['2025-03-04T05:06:07.000Z', undefined, undefined],
        ['2025-03-04T05:06:07.000Z', 'm', { input: 3, output: 4, cacheRead: 0, cacheWrite: 0 }],
      ])
      expect([...sessions.values()]).toMatchObject([
        { createdAt: '2025-03-04T05:06:07.000Z', metadata: { ticket: 'ABC-1', ok: true, model: 'm' } },
      ])
    })

    it('is not that of another line or file with the same id or the same words', async () => {
      const rows = [0, 0, 1].map((id) => ({ id, messages: [said('a')] }))
      const { entries, sessions } = await read([...rows, { messages: [said('a')] }, { messages: [said('a')] }])
      expect(new Set(entries.map(({ session }) => session)).size).toBe(5)
      expect([...sessions.keys()].every((name) => /\/rows-/u.test(name))).toBe(true)
      const other = await read([{ id: 0, messages: [said('b')] }])
      const nameOf = (name: string) => name.replace(/^.*\/rows-/u, '')
      expect([...sessions.keys()].map(nameOf)).not.toContain(nameOf([...other.sessions.keys()][0] ?? ''))
    })

    it('is told once where each line repeats what was said by then', async () => {
      const asked = ['a', 'c', 'e'].map(said)
      const answers = ['b', 'd', 'f'].map((content) => ({ role: 'assistant', content }))
      const rows = asked.map((_, at) => ({
        session_id: 's',
        messages: asked
          .slice(0, at + 1)
          .flatMap((question, index) => (index < at ? [question, answers[index]] : [question])),
        response: answers[at]?.content,
      }))
      const { entries } = await read(rows)
      expect(entries.map(({ session, text }) => [session, text])).toEqual(
        ['a', 'b', 'c', 'd', 'e', 'f'].map((text) => ['s', text]),
      )
    })

    it('is none where the line is a message in an envelope', async () => {
      const row = { session_id: 's', message: said('c'), history: [said('a'), said('b')] }
      expect(await roles(row)).toEqual([['message', 'user', 'c']])
    })

    it('is one of two on a line, and of a line that breaks off', async () => {
      const row = JSON.stringify({ messages: [said('a')] })
      const content = `${row}${row}\n{"messages":[{"role"`
      const { entries, bytes } = await readOne(await writeTranscript('rows.jsonl', content))
      expect(bytes.toString()).toBe(content)
      expect(entries.map(({ kind, text }) => [kind, text])).toEqual([
        ['message', 'a'],
        ['message', 'a'],
        ['damaged', ''],
      ])
      expect(entries[0]?.session).not.toBe(entries[1]?.session)
      expect(entries[2]?.session).toBe(entries[1]?.session)
    })
  })

  const sharegpt = ['a', 'b'].map((text) => ({ id: text, conversations: [{ from: 'human', value: text }] }))
  it.each([
    ['an array of conversations', sharegpt],
    [
      'an object with a list of conversations',
      { version: 1, conversations: sharegpt.map(({ conversations }) => ({ messages: conversations })) },
    ],
  ])('gives each of %s a session', async (_what, value) => {
    for (const space of [undefined, 2]) {
      const content = `${JSON.stringify(value, null, space)}\n`
      const { entries, bytes, sessions } = await readOne(await writeTranscript('all.json', content))
      expect(bytes.toString()).toBe(content)
      expect(entries.map(({ kind, role, text }) => [kind, role, text])).toEqual([
        ['message', 'user', 'a'],
        ['message', 'user', 'b'],
      ])
      expect(sessions.size).toBe(2)
    }
  })

  it.each([
    ['an array', (list: readonly unknown[]) => list],
    ['an object', (list: readonly unknown[]) => ({ conversations: list })],
  ])('reads the conversations of %s of which one is empty', async (_what, as) => {
    const content = JSON.stringify(as([{ messages: [] }, { messages: [said('a')] }, { messages: [said('b')] }]))
    const { entries, bytes } = await readOne(await writeTranscript('all.json', content))
    expect(bytes.toString()).toBe(content)
    expect(entries.map(({ kind, text }) => [kind, text])).toEqual([
      ['unknown', ''],
      ['message', 'a'],
      ['message', 'b'],
    ])
    expect(new Set(entries.map(({ session }) => session)).size).toBe(3)
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
