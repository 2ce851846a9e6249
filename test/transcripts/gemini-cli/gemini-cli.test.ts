import { describe, expect, it } from 'vitest'

import { geminiCli } from '../../../src/transcripts/gemini-cli/gemini-cli.ts'
import { detectFormat } from '../../../src/transcripts/registry.ts'
import { readOne, tally, writeTranscript } from '../../support/transcripts.ts'

describe('geminiCli', () => {
  const header = { sessionId: 's', projectHash: 'p', startTime: '2026-01-01T00:00:00.000Z', summary: 'A title' }
  const question = { id: 'q', type: 'user', timestamp: '2026-01-01T00:00:01.000Z', content: [{ text: 'Hello' }] }
  const answer = (output: number) => ({
    id: 'a',
    type: 'gemini',
    content: 'Hi',
    model: 'gemini-x',
    thoughts: [{ subject: 'Plan', description: 'Greet' }],
    tokens: { input: 100, output, cached: 40, thoughts: 3, tool: 0, total: 103 + output },
    toolCalls: [
      { id: 't', name: 'ls', args: { dir: '.' }, result: [{ functionResponse: { response: { output: 'a.txt' } } }] },
    ],
  })

  it('reads the JSON document', async () => {
    const content = JSON.stringify(
      { ...header, messages: [question, answer(7), { id: 'i', type: 'info', content: 'Note' }] },
      null,
      2,
    )
    const path = await writeTranscript('session.json', content)
    expect((await detectFormat(path))?.format).toBe(geminiCli)
    const { entries, sessions, bytes } = await readOne(path)
    expect(bytes.toString()).toBe(content)
    expect(entries[1]).toMatchObject({
      text: 'Plan\n\nGreet\n\nHi\n\nls dir: .\n\noutput: a.txt',
      usage: { input: 60, output: 10, cacheRead: 40, cacheWrite: 0 },
      toolsUsed: ['ls'],
      toolCallId: 't',
    })
    expect(entries[2]).toMatchObject({ kind: 'event', role: 'system', text: 'Note' })
    expect(sessions.get('s')).toMatchObject({ title: 'A title', createdAt: header.startTime })
  })

  it('reads the JSONL, where an answer that grew comes again', async () => {
    const rows = [
      header,
      question,
      answer(1),
      answer(7),
      { $set: { lastUpdated: '2026-01-01T00:00:09.000Z' } },
      { $rewindTo: 'q' },
    ]
    const path = await writeTranscript('session.jsonl', rows)
    expect((await detectFormat(path))?.format).toBe(geminiCli)
    const { entries } = await readOne(path)
    expect(tally(entries)).toMatchObject({ input: 60, output: 10, cacheRead: 40, 'switch:branch': 1 })
    expect(entries.map((entry) => entry.id)).toEqual([undefined, 'q', 'a', 'a#2', undefined, undefined])
  })

  it('keeps a document that breaks off', async () => {
    const content = JSON.stringify({ ...header, messages: [question, answer(7)] }).slice(0, -60)
    const { entries, bytes } = await readOne(await writeTranscript('session.json', content), geminiCli)
    expect(bytes.toString()).toBe(content)
    expect(entries.map((entry) => [entry.session, entry.kind])).toEqual([
      ['s', 'message'],
      ['s', 'damaged'],
    ])
  })
})
