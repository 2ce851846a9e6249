import { appendFile, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { DeltaReader, type ReadDelta } from '../../src/reading/delta-reader.ts'
import { MessagesReader } from '../../src/reading/messages-reader.ts'
import type { RowReader } from '../../src/reading/row-reader.ts'
import { StoreReader } from '../../src/reading/store-reader.ts'
import { capturedSession, isShared } from '../../src/session.ts'

const session = { agentId: 'main', sessionId: 's1', sessionKey: 'agent:main:main' }

async function stateDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'verbatim-openclaw-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

/** Every row from a position on, and the position after them. */
async function readAll(reader: RowReader, position?: string, about = session) {
  const lines: string[] = []
  let at = position
  for (;;) {
    const page = await reader.read(about, { position: at })
    if (page === undefined) return { lines, position: at }
    lines.push(...page.lines.map((line) => Buffer.from(line).toString('utf8')))
    at = page.position
    if (!page.hasMore) return { lines, position: at, topic: page.topic }
  }
}

async function sessionFile(content: string, name = 's1.jsonl') {
  const state = await stateDirectory()
  const path = join(state, 'agents', 'main', 'sessions', name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  return { path, reader: new StoreReader(() => state) }
}

describe('StoreReader on files', () => {
  it('gives whole lines once, and half a line when the rest is there', async () => {
    const { path, reader } = await sessionFile('{"a":1}\n{"b":')
    const first = await readAll(reader)
    expect(first.lines).toEqual(['{"a":1}'])
    await appendFile(path, '2}\n\n{"c":3}')
    const second = await readAll(reader, first.position)
    expect(second.lines).toEqual(['{"b":2}', '{"c":3}'])
    await appendFile(path, '\n{"d":4}\n')
    expect((await readAll(reader, second.position)).lines).toEqual(['{"d":4}'])
  })

  it('gives a line that is longer than a page', async () => {
    const long = JSON.stringify({ text: 'x'.repeat(9 * 1024 * 1024) })
    const { reader } = await sessionFile(`{"a":1}\n${long}\n{"b":2}\n`)
    expect((await readAll(reader)).lines.map((line) => line.length)).toEqual([7, long.length, 7])
  })

  it('reads on in a file that a reset has given another name', async () => {
    const { path, reader } = await sessionFile('{"a":1}\n')
    const { position } = await readAll(reader)
    await appendFile(path, '{"b":2}\n')
    await rename(path, `${path}.reset.2026-07-01T00-00-00.000Z`)
    expect((await readAll(reader, position)).lines).toEqual(['{"b":2}'])
  })

  it('begins anew with a file that was written anew', async () => {
    const { path, reader } = await sessionFile('{"a":1}\n{"b":2}\n')
    const { position } = await readAll(reader)
    await writeFile(path, '{"a":9}\n{"b":2}\n{"c":3}\n')
    expect((await readAll(reader, position)).lines).toEqual(['{"a":9}', '{"b":2}', '{"c":3}'])
    await writeFile(path, '{"a":1}\n')
    expect((await readAll(reader, position)).lines).toEqual(['{"a":1}'])
  })

  it('finds the file of a thread in the map of sessions', async () => {
    const { path, reader } = await sessionFile('{"a":1}\n', 's1-topic-42.jsonl')
    const entry = { sessionId: 's1', sessionFile: path }
    await writeFile(join(dirname(path), 'sessions.json'), JSON.stringify({ [session.sessionKey]: entry }))
    expect(await readAll(reader)).toMatchObject({ lines: ['{"a":1}'], topic: '42' })
  })

  it('is not open where there is no store', async () => {
    const state = await stateDirectory()
    expect(await new StoreReader(() => state).read(session, {})).toBeUndefined()
  })
})

const hasSqlite = builtinModules.includes('node:sqlite') || builtinModules.includes('sqlite')
if (!hasSqlite) console.warn('Skipped: reading the database of OpenClaw, as this Node.js has no SQLite')

describe.skipIf(!hasSqlite)('StoreReader on a database', () => {
  it('gives the exact bytes of every row, compressed ones included, and then only what is new', async () => {
    const sample = new URL(
      '../../../../../shared/data/transcripts/openclaw/generated-2026.9.6-sqlite/',
      import.meta.url,
    )
    const state = await stateDirectory()
    const path = join(state, 'agents', 'main', 'agent', 'openclaw-agent.sqlite')
    await mkdir(dirname(path), { recursive: true })
    await copyFile(new URL('openclaw-agent.sqlite', sample), path)
    const about = { ...session, sessionId: '17da8aa8-e498-4d99-ad13-e896934a97de' }
    const reader = new StoreReader(() => state)
    const { lines, position } = await readAll(reader, undefined, about)
    const expected = await readFile(new URL(`events-${about.sessionId}.jsonl`, sample), 'utf8')
    expect(lines.map((line) => `${line}\n`).join('')).toBe(expected)
    expect((await readAll(reader, position, about)).lines).toEqual([])
    expect(await reader.read(session, {})).toBeUndefined()
  })
})

describe('DeltaReader', () => {
  const page = (cursor: string, ids: readonly number[], hasMore = false) => ({
    kind: 'page',
    cursor,
    events: ids.map((id) => ({ event: { id }, seq: id })),
    hasMore,
    serializedBytes: 1,
  })

  /** OpenClaw's reader, with its next answers. */
  function reading(...answers: readonly object[]) {
    const asked: (string | undefined)[] = []
    const readDelta: ReadDelta = (params) => {
      asked.push(params.cursor)
      return Promise.resolve(answers[asked.length - 1])
    }
    return { asked, reader: new DeltaReader(() => Promise.resolve(readDelta)) }
  }

  it('goes from page to page with the cursor that it was given', async () => {
    const { asked, reader } = reading(page('c1', [1, 2], true), page('c2', [3]))
    expect(await readAll(reader)).toEqual({ lines: ['{"id":1}', '{"id":2}', '{"id":3}'], position: 'c2' })
    expect(asked).toEqual([undefined, 'c1'])
  })

  it('begins anew where the transcript was written anew', async () => {
    const { asked, reader } = reading(
      { kind: 'reset', cursor: 'fresh', reason: 'generation_mismatch' },
      page('c9', [1]),
    )
    expect((await readAll(reader, 'old')).lines).toEqual(['{"id":1}'])
    expect(asked).toEqual(['old', 'fresh'])
  })

  it('asks for more bytes where one row needs them', async () => {
    const { asked, reader } = reading({ ...page('c0', [], true), requiredBytes: 5_000_000 }, page('c1', [1]))
    expect((await readAll(reader)).lines).toEqual(['{"id":1}'])
    expect(asked).toHaveLength(2)
  })

  it('is not open where the answer has another shape, and says so once', async () => {
    let said = 0
    const strange = () => Promise.resolve({ kind: 'page', rows: [] })
    const reader = new DeltaReader(
      () => Promise.resolve(strange),
      () => said++,
    )
    expect(await reader.read(session, {})).toBeUndefined()
    expect(await reader.read(session, { position: 'c1' })).toBeUndefined()
    expect(said).toBe(1)
  })

  it('is not open where OpenClaw has no such reader or does not know the session', async () => {
    expect(await new DeltaReader(() => Promise.resolve(undefined)).read(session, {})).toBeUndefined()
    expect(await reading({ kind: 'missing' }).reader.read(session, {})).toBeUndefined()
    expect(await new DeltaReader().read(session, {})).toBeUndefined()
  })
})

describe('MessagesReader', () => {
  it('gives each message once, but again where it was not kept', async () => {
    const reader = new MessagesReader()
    const messages = [{ role: 'user', content: 'hi', timestamp: 0 }]
    const first = await reader.read(session, { messages })
    const again = await reader.read(session, { position: first?.position, messages })
    expect(again?.lines).toEqual(first?.lines.slice(1))
    again?.onKept?.()
    const next = [...messages, { role: 'assistant', content: 'ho' }]
    const last = await reader.read(session, { position: first?.position, messages: next })
    expect(last?.lines.map((line) => JSON.parse(Buffer.from(line).toString('utf8')).message)).toEqual(next.slice(1))
  })
})

describe('capturedSession()', () => {
  it.each([
    ['agent:main:dashboard:incognito-1', undefined],
    ['agent:main:subagent:incognito-x', undefined],
    [' AGENT:main:Dashboard:INCOGNITO-1', undefined],
    ['agent:main:internal-session-effects:incognito-1', undefined],
    [undefined, undefined],
    ['agent:work:main', 'work'],
    ['cron:job', 'main'],
  ])('of the key %s belongs to the agent %s', (sessionKey, agentId) => {
    expect(capturedSession({ sessionId: 's1', sessionKey })?.agentId).toBe(agentId)
  })

  it.each([
    ['agent:main:telegram:group:-100', true],
    ['agent:main:Slack:CHANNEL:c1:thread:7', true],
    ['agent:main:matrix:room:!r', true],
    ['group:7', true],
    ['agent:main:main', false],
    ['agent:group:main', false],
    ['agent:main:telegram:direct:7', false],
  ])('others read along in %s: %s', (sessionKey, shared) => {
    expect(isShared(sessionKey)).toBe(shared)
  })

  it('takes no id that would lead out of its directory', () => {
    expect(capturedSession({ agentId: '..', sessionId: 's1', sessionKey: 'k' })).toBeUndefined()
    expect(capturedSession({ agentId: 'main', sessionId: '../s1', sessionKey: 'k' })).toBeUndefined()
  })
})
