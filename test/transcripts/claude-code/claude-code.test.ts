import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { claudeCode } from '../../../src/transcripts/claude-code/claude-code.ts'
import { detectFormat } from '../../../src/transcripts/registry.ts'
import { jsonl, readOne, tally, temporaryDirectory, writeTranscript } from '../../support/transcripts.ts'

const session = '0a1b2c3d-4e5f-4061-8071-2a3b4c5d6e7f'
/** A row placed as `id` or `id<parent`. */
const row = (type: string, place: string, rest: object) => ({
  type,
  uuid: place.split('<')[0],
  parentUuid: place.split('<')[1] ?? null,
  sessionId: session,
  timestamp: '2026-01-01T00:00:00Z',
  cwd: '/w',
  gitBranch: 'main',
  version: '2.1.0',
  ...rest,
})
const prompt = (place: string, content: unknown, rest: object = {}) =>
  row('user', place, { message: { role: 'user', content }, ...rest })
const answer = (place: string, content: unknown, rest: object = {}) =>
  row('assistant', place, {
    requestId: 'r1',
    message: { id: 'm1', role: 'assistant', model: 'claude-x', content, ...rest },
  })

describe('claudeCode', () => {
  it('counts one API message once, by its largest values', async () => {
    const usage = (output: number) => ({
      input_tokens: 10,
      output_tokens: output,
      cache_read_input_tokens: 100,
      cache_creation_input_tokens: 5,
    })
    const path = await writeTranscript(`${session}.jsonl`, [
      prompt('a', 'Hello'),
      answer('b<a', [{ type: 'thinking', thinking: 'Hm' }], { usage: usage(1) }),
      answer('c<b', [{ type: 'text', text: 'Hi' }], { usage: usage(9) }),
      answer('d<c', [{ type: 'tool_use', id: 't1', name: 'Read', input: { path: 'x' } }], { usage: usage(4) }),
    ])
    const { entries, sessions } = await readOne(path)
    expect(entries.map((entry) => entry.usage?.output)).toEqual([undefined, 1, 8, undefined])
    expect(tally(entries)).toMatchObject({ input: 10, output: 9, cacheRead: 100, cacheWrite: 5, calls: 1 })
    expect(entries[3]).toMatchObject({ text: 'Read path: x', toolCallId: 't1', model: 'claude-x' })
    expect(sessions.get(session)?.metadata).toEqual({ cwd: '/w', gitBranch: 'main', version: '2.1.0' })
  })

  it('tells people, tools and the harness apart', async () => {
    const path = await writeTranscript(`${session}.jsonl`, [
      prompt('a', 'Read it'),
      answer('b<a', [{ type: 'tool_use', id: 't1', name: 'Read', input: {} }]),
      prompt('c<b', [{ type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'content of x' }] }]),
      prompt('d<c', '<caveat>', { isMeta: true }),
      prompt('e<d', 'Summary of before', { isCompactSummary: true }),
    ])
    const { entries } = await readOne(path)
    expect(entries.map((entry) => [entry.role, entry.sender, entry.toolCallId])).toEqual([
      ['user', undefined, undefined],
      ['assistant', 'claude-x', 't1'],
      ['tool', 'Read', 't1'],
      ['custom', undefined, undefined],
      ['custom', undefined, undefined],
    ])
  })

  it('gives glued rows as two entries and a truncated one as damaged', async () => {
    const [first, second] = [JSON.stringify(prompt('a', 'one')), JSON.stringify(prompt('b<a', 'two'))]
    const content = `${first}${second}\r\n\n${second.slice(0, 60)}`
    const { entries, bytes } = await readOne(await writeTranscript(`${session}.jsonl`, content), claudeCode)
    expect(bytes.toString()).toBe(content)
    expect(entries.map((entry) => [entry.kind, entry.text])).toEqual([
      ['message', 'one'],
      ['message', 'two'],
      ['damaged', ''],
    ])
  })

  it('counts model changes, compactions and edited prompts, and does not take <synthetic> for a model', async () => {
    const path = await writeTranscript(`${session}.jsonl`, [
      prompt('a', 'one'),
      answer('b<a', 'x'),
      answer('c<b', 'error', { model: '<synthetic>' }),
      answer('d<c', 'y', { model: 'claude-y' }),
      prompt('e<d', 'two'),
      prompt('f<d', 'two, edited'),
      row('system', 'g<f', { subtype: 'compact_boundary', content: 'Compacted' }),
      row('brand-new-kind', 'h<g', {}),
    ])
    const { entries } = await readOne(path)
    expect(tally(entries)).toMatchObject({ 'switch:model': 1, 'switch:branch': 1, 'switch:compaction': 1, unknown: 1 })
    expect(entries[2]?.model).toBeUndefined()
  })

  it('gives rows before the first session id to the session that follows', async () => {
    const path = await writeTranscript('copy.full.jsonl', [
      { type: 'file-history-snapshot', messageId: 'x', snapshot: {} },
      { type: 'summary', summary: 'A title', leafUuid: 'l' },
      prompt('a', 'one'),
    ])
    const { sessions } = await readOne(path)
    expect([...sessions.keys()]).toEqual([session])
    expect(sessions.get(session)?.title).toBe('A title')
  })

  it('marks rows of a session that has its own file as copies', async () => {
    const other = 'ffffffff-4e5f-4061-8071-2a3b4c5d6e7f'
    const directory = await temporaryDirectory()
    const rows = [prompt('a', 'theirs', { sessionId: other }), prompt('b<a', 'ours')]
    await writeFile(join(directory, `${session}.jsonl`), jsonl(rows))
    const before = await readOne(join(directory, `${session}.jsonl`))
    await writeFile(join(directory, `${other}.jsonl`), jsonl(rows.slice(0, 1)))
    const after = await readOne(join(directory, `${session}.jsonl`))
    expect(before.entries.map((entry) => [entry.session, entry.copied])).toEqual([
      [other, undefined],
      [session, undefined],
    ])
    expect(after.entries.map((entry) => entry.copied)).toEqual([true, undefined])
  })

  it('makes a subagent`s file a session of its own, in both places', async () => {
    const directory = await temporaryDirectory()
    const rows = jsonl([prompt('a', 'Search', { isSidechain: true })])
    const nested = join(directory, session, 'subagents', 'agent-77.jsonl')
    await mkdir(dirname(nested), { recursive: true })
    await writeFile(nested, rows)
    await writeFile(join(directory, 'agent-88.jsonl'), rows)
    for (const [path, id] of [
      [nested, `${session}/agent-77`],
      [join(directory, 'agent-88.jsonl'), `${session}/agent-88`],
    ] as const) {
      const { sessions, entries } = await readOne(path)
      expect([...sessions.values()]).toMatchObject([{ id, parent: session }])
      expect(entries[0]).toMatchObject({ session: id, sender: 'agent' })
    }
  })

  it('is detected by a first row longer than the sample', async () => {
    const path = await writeTranscript('x.jsonl', [
      { parentUuid: null, sessionId: session, message: { content: 'x'.repeat(100_000) } },
    ])
    expect((await detectFormat(path))?.format).toBe(claudeCode)
  })

  it('gives a repeated id a number, and keeps both entries', async () => {
    const path = await writeTranscript(`${session}.jsonl`, [prompt('a', 'one'), prompt('a', 'one')])
    expect((await readOne(path)).entries.map((entry) => entry.id)).toEqual(['a', 'a#2'])
  })
})
