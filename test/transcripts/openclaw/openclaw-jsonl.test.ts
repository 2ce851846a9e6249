import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { InputError } from '../../../src/errors.ts'
import { openclawJsonl } from '../../../src/transcripts/openclaw/openclaw-jsonl.ts'
import { detectFormat } from '../../../src/transcripts/registry.ts'
import { jsonl, readOne, tally, temporaryDirectory } from '../../support/transcripts.ts'
import { zstdFrame } from '../../support/zstd-frame.ts'

const id = '11111111-2222-4333-8444-555555555555'
const header = { type: 'session', version: 3, id, timestamp: '2026-01-02T00:00:00.000Z', cwd: '/w' }
/** A message placed as `id` or `id<parent`. */
const message = (place: string, body: object, rest: object = {}) => ({
  type: 'message',
  id: place.split('<')[0],
  parentId: place.split('<')[1] ?? null,
  timestamp: '2026-01-02T00:00:05.000Z',
  message: body,
  ...rest,
})

async function place(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(await temporaryDirectory(), '.openclaw', 'agents', 'work', 'sessions', name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  return path
}

describe('openclawJsonl', () => {
  it.each([
    [`${id}.jsonl`, `work/${id}`],
    [`${id}.jsonl.reset.2026-01-03T00-00-00.000Z`, `work/${id}`],
    [`${id}.jsonl.deleted.2026-01-03T00-00-00.000Z`, `work/${id}`],
    [`${id}-topic-42.jsonl`, `work/${id}-topic-42`],
  ])('reads %s as session %s', async (name, session) => {
    const path = await place(name, jsonl([header, message('a', { role: 'user', content: 'hi' })]))
    expect((await detectFormat(path))?.format).toBe(openclawJsonl)
    expect([...(await readOne(path)).sessions.keys()]).toEqual([session])
  })

  it('reads a compressed sibling as the bytes it was made from', async () => {
    const content = jsonl([header, message('a', { role: 'user', content: 'hi' })])
    const path = await place(`${id}.jsonl.deleted.1.zst`, zstdFrame(content))
    expect((await detectFormat(path))?.format).toBe(openclawJsonl)
    const document = await readOne(path)
    expect(document.bytes.toString()).toBe(content)
    expect(document.entries).toHaveLength(2)
  })

  it('refuses a compressed sibling that breaks off, by name', async () => {
    const frame = zstdFrame(jsonl([header]))
    const path = await place(`${id}.jsonl.deleted.1.zst`, frame.subarray(0, frame.length - 5))
    await expect(readOne(path, openclawJsonl)).rejects.toThrow(InputError)
  })

  it('takes nested rows for the real tool calls', async () => {
    const details = {
      toolName: 'vault__search',
      toolCallId: 't1',
      input: { query: 'key' },
      result: { content: [{ type: 'text', text: 'under the mat' }] },
    }
    const rows = [
      header,
      message('a', {
        role: 'assistant',
        model: 'm',
        content: [{ type: 'toolCall', id: 'c', name: 'tool_call', arguments: { id: 'vault__search' } }],
      }),
      message('b<a', { role: 'custom', customType: 'openclaw.nested-tool.v1', content: '', details }),
      message('c<b', {
        role: 'toolResult',
        toolCallId: 'c',
        toolName: 'tool_call',
        content: [{ type: 'text', text: 'wrapped' }],
      }),
    ]
    const { entries } = await readOne(await place(`${id}.jsonl`, jsonl(rows)))
    expect(entries.flatMap((entry) => entry.toolsUsed)).toEqual(['vault__search'])
    expect(entries[2]).toMatchObject({
      role: 'tool',
      sender: 'vault__search',
      toolCallId: 't1',
      text: 'vault__search query: key\n\nunder the mat',
    })
  })

  it('counts model changes, compactions, resets and branches once each', async () => {
    const change = (modelId: string) => ({ type: 'model_change', id: `m-${modelId}`, modelId, provider: 'p' })
    const rows = [
      header,
      change('one'),
      message('a', { role: 'user', content: 'x' }),
      message('b<a', { role: 'assistant', model: 'one', content: 'y' }),
      change('two'),
      { type: 'custom', customType: 'model-snapshot', data: { modelId: 'two' } },
      message('c<b', { role: 'assistant', model: 'two', content: 'z' }),
      message('d<a', { role: 'assistant', model: 'two', content: 'other' }),
      message('e<a', { role: 'custom', content: 'side' }, { appendMode: 'side' }),
      { type: 'compaction', id: 'k', summary: 'short' },
      { type: 'reset', id: 'r', reason: 'new' },
      { type: 'session_info', id: 's', name: 'A title' },
      { type: 'brand-new', id: 'n' },
    ]
    const { entries, sessions } = await readOne(await place(`${id}.jsonl`, jsonl(rows)))
    expect(tally(entries)).toMatchObject({
      'switch:model': 1,
      'switch:branch': 1,
      'switch:compaction': 1,
      'switch:reset': 1,
      unknown: 1,
    })
    expect(sessions.get(`work/${id}`)).toMatchObject({
      title: 'A title',
      createdAt: header.timestamp,
      metadata: { cwd: '/w' },
    })
  })

  it('marks a fork`s older rows as copies only while the parent`s file is there', async () => {
    const parent = await place('parent.jsonl', jsonl([{ ...header, id: 'parent' }]))
    const fork = { ...header, id: 'fork', timestamp: '2026-01-03T00:00:00.000Z', parentSession: parent }
    const rows = [
      fork,
      message('a', { role: 'user', content: 'old' }),
      { ...message('b<a', { role: 'user', content: 'new' }), timestamp: '2026-01-04T00:00:00.000Z' },
    ]
    const beside = join(dirname(parent), 'fork.jsonl')
    await writeFile(beside, jsonl(rows))
    const { entries, sessions } = await readOne(beside)
    expect(entries.map((entry) => entry.copied)).toEqual([undefined, true, undefined])
    expect(sessions.get('work/fork')?.parent).toBe('work/parent')

    const alone = await place('fork.jsonl', jsonl([{ ...fork, parentSession: '/gone/parent.jsonl' }, ...rows.slice(1)]))
    expect((await readOne(alone)).entries.every((entry) => entry.copied === undefined)).toBe(true)

    // The rows of a fork in a database, in a file of their own: the parent is in the database.
    const inDatabase = { ...fork, parentSession: `sqlite:work:parent:${parent}` }
    const apart = await place('fork.jsonl', jsonl([inDatabase, ...rows.slice(1)]))
    const fromDatabase = await readOne(apart)
    expect(fromDatabase.entries.map((entry) => entry.copied)).toEqual([undefined, true, undefined])
    expect(fromDatabase.sessions.get('work/fork')?.parent).toBe('work/parent')
  })

  it('reads sessions.json as heads of its sessions, and leaves incognito ones out of the entries', async () => {
    const content = JSON.stringify(
      {
        'agent:work:main': { sessionId: 'one', displayName: 'Home', inputTokens: 99, participants: [{ name: 'Ada' }] },
        'agent:work:dashboard:incognito-x': { sessionId: 'secret', displayName: 'hidden' },
        odd: 3,
      },
      null,
      2,
    )
    const path = await place('sessions.json', content)
    expect((await detectFormat(path))?.format).toBe(openclawJsonl)
    const { entries, sessions, bytes } = await readOne(path)
    const kept: unknown = JSON.parse(bytes.toString())
    expect(kept).toEqual({ ...JSON.parse(content), 'agent:work:dashboard:incognito-x': null })
    expect(bytes.toString()).not.toContain('secret')
    expect(entries.map((entry) => [entry.session, entry.kind, entry.usage])).toEqual([
      ['work/one', 'event', undefined],
      ['work/sessions.json', 'unknown', undefined],
    ])
    expect(sessions.get('work/one')).toMatchObject({
      title: 'Home',
      participants: ['Ada'],
      metadata: { sessionKey: 'agent:work:main' },
    })
    expect(sessions.has('work/secret')).toBe(false)
  })

  it('keeps a sessions.json that breaks off', async () => {
    const content = '{"agent:work:main": {"sessionId": "one"}, "agent:work:x": {"sessionId": "two", "upd'
    const { entries, bytes } = await readOne(await place('sessions.json', content), openclawJsonl)
    expect(bytes.toString()).toBe(content)
    expect(entries.map((entry) => entry.kind)).toEqual(['event', 'damaged'])
  })

  it('calls a session outside of an agent`s directory main`s', async () => {
    const path = await place(`${id}.jsonl`, jsonl([header]))
    const elsewhere = join(await temporaryDirectory(), `${id}.jsonl`)
    await copyFile(path, elsewhere)
    expect([...(await readOne(elsewhere)).sessions.keys()]).toEqual([`main/${id}`])
  })
})
