import { describe, expect, it } from 'vitest'

import { codex } from '../../../src/transcripts/codex/codex.ts'
import { detectFormat } from '../../../src/transcripts/registry.ts'
import { jsonl, readOne, tally, writeTranscript } from '../../support/transcripts.ts'
import { zstdFrame } from '../../support/zstd-frame.ts'

const id = '019c8a4c-ed82-79a1-aa28-7738fc5ab61a'
const parent = '019c8a4c-0000-79a1-aa28-7738fc5ab61a'
const name = `rollout-2026-02-23T12-40-23-${id}.jsonl`
const at = (second: number, millisecond = 0) =>
  new Date(Date.UTC(2026, 1, 23, 12, 0, second, millisecond)).toISOString()
const row = (type: string, payload: object, timestamp = at(0)) => ({ timestamp, type, payload })
const meta = (rest: object = {}) =>
  row('session_meta', { id, timestamp: at(0), cwd: '/w', cli_version: '1', git: { branch: 'main' }, ...rest })
const said = (role: string, text: string, timestamp = at(0)) =>
  row(
    'response_item',
    { type: 'message', role, content: [{ type: role === 'user' ? 'input_text' : 'output_text', text }] },
    timestamp,
  )
const tokens = (input: number, output: number, timestamp = at(0)) =>
  row(
    'event_msg',
    {
      type: 'token_count',
      info: { total_token_usage: { input_tokens: input, cached_input_tokens: 10, output_tokens: output } },
    },
    timestamp,
  )

describe('codex', () => {
  it('finds the same text once', async () => {
    const path = await writeTranscript(name, [
      meta(),
      row('event_msg', { type: 'user_message', message: 'List files' }),
      said('user', 'List files'),
      row('event_msg', { type: 'agent_message', message: 'Here' }),
      said('assistant', 'Here'),
    ])
    const { entries } = await readOne(path)
    expect(entries.map((entry) => [entry.kind, entry.text])).toEqual([
      ['event', ''],
      ['event', ''],
      ['message', 'List files'],
      ['event', ''],
      ['message', 'Here'],
    ])
  })

  it('reads the events where they are all there is', async () => {
    const path = await writeTranscript(name, [
      meta(),
      row('event_msg', { type: 'user_message', message: 'List files' }),
      row('event_msg', { type: 'agent_message', message: 'Here' }),
    ])
    const { entries } = await readOne(path)
    expect(entries.map((entry) => [entry.kind, entry.role, entry.text]).slice(1)).toEqual([
      ['message', 'user', 'List files'],
      ['message', 'assistant', 'Here'],
    ])
  })

  it('turns running totals into differences, with the cache apart', async () => {
    const path = await writeTranscript(name, [
      meta(),
      tokens(110, 5),
      tokens(110, 5),
      tokens(210, 9),
      row('event_msg', { type: 'token_count', info: null }),
    ])
    const { entries } = await readOne(path)
    expect(entries.map((entry) => entry.usage)).toEqual([
      undefined,
      { input: 100, output: 5, cacheRead: 10, cacheWrite: 0 },
      undefined,
      { input: 100, output: 4, cacheRead: 0, cacheWrite: 0 },
      undefined,
    ])
  })

  it('reads calls with their results', async () => {
    const path = await writeTranscript(name, [
      meta(),
      row('turn_context', { model: 'gpt-x' }),
      row('response_item', { type: 'function_call', name: 'exec', arguments: '{"cmd":"ls"}', call_id: 'c1' }),
      row('response_item', { type: 'function_call_output', call_id: 'c1', output: 'a.txt' }),
      row('response_item', { type: 'web_search_call', action: { query: 'cats' } }),
    ])
    const { entries } = await readOne(path)
    expect(entries.slice(2)).toMatchObject([
      { role: 'assistant', model: 'gpt-x', toolsUsed: ['exec'], toolCallId: 'c1', text: 'exec {"cmd":"ls"}' },
      { role: 'tool', sender: 'exec', toolCallId: 'c1', text: 'a.txt' },
      { role: 'assistant', toolsUsed: ['web_search'], text: 'web_search query: cats' },
    ])
  })

  it('marks what a fork replays as copied, until the first pause', async () => {
    const path = await writeTranscript(name, [
      meta({ forked_from_id: parent }),
      row('session_meta', { id: parent, timestamp: at(0) }, at(0, 5)),
      said('user', 'old', at(0, 6)),
      tokens(110, 5, at(0, 400)),
      said('user', 'new', at(9)),
      tokens(210, 9, at(9, 10)),
    ])
    const { entries, sessions } = await readOne(path)
    expect(entries.map((entry) => entry.copied)).toEqual([undefined, true, true, true, undefined, undefined])
    expect(tally(entries)).toMatchObject({ input: 100, output: 4 })
    expect([...sessions.values()]).toMatchObject([
      { id, parent, metadata: { cwd: '/w', version: '1', gitBranch: 'main' } },
    ])
  })

  it('names the thread that spawned a subagent as its parent', async () => {
    const path = await writeTranscript(name, [
      meta({ source: { subagent: { thread_spawn: { parent_thread_id: parent } } } }),
    ])
    expect((await readOne(path)).sessions.get(id)?.parent).toBe(parent)
  })

  it('reads the first versions, whose rows are bare', async () => {
    const path = await writeTranscript('rollout-old.jsonl', [
      { id, timestamp: at(0), instructions: null, git: {} },
      { record_type: 'state' },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] },
      { type: 'function_call', name: 'shell', arguments: '{}', call_id: 'c' },
    ])
    expect((await detectFormat(path))?.format).toBe(codex)
    const { entries } = await readOne(path)
    expect(entries.map((entry) => [entry.session, entry.kind, entry.role, entry.text])).toEqual([
      [id, 'event', 'custom', ''],
      [id, 'event', 'custom', ''],
      [id, 'message', 'user', 'Hello'],
      [id, 'message', 'assistant', 'shell {}'],
    ])
  })

  it('reads a compressed rollout', async () => {
    const content = jsonl([meta(), said('user', 'Hello')])
    const path = await writeTranscript(`${name}.zst`, zstdFrame(content))
    expect((await detectFormat(path))?.format).toBe(codex)
    expect((await readOne(path)).bytes.toString()).toBe(content)
  })

  it('keeps rows of kinds it does not know', async () => {
    const { entries } = await readOne(
      await writeTranscript(name, [
        meta(),
        row('brand_new', { text: 'x' }),
        row('response_item', { type: 'novel' }),
        7,
      ]),
      codex,
    )
    expect(entries.map((entry) => entry.kind)).toEqual(['event', 'unknown', 'unknown', 'unknown'])
  })
})
