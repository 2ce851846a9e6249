import { copyFile, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { Cursors, forgetAfterMs } from '../../src/cursors.ts'
import { sessionsSince } from '../../src/reading/stored-sessions.ts'
import { UnreadSessions } from '../../src/unread-sessions.ts'
import { TranscriptFile } from '../support/transcript-file.ts'

const day = 24 * 60 * 60 * 1000
const start = Date.UTC(2026, 6, 1)

async function stateDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'verbatim-openclaw-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

/** A session in files that was last written to at a time. */
async function written(state: string, sessionId: string, given: { readonly atMs: number; readonly fields?: object }) {
  const session = new TranscriptFile(state, sessionId)
  session.turn('Question', 'Answer')
  session.enter(given.fields)
  await utimes(session.path, given.atMs / 1000, given.atMs / 1000)
}

async function unreadIn(state: string) {
  const logged: string[] = []
  const log = { info: () => undefined, warn: (message: string) => logged.push(message), error: () => undefined }
  const directory = join(state, 'verbatim')
  const cursors = new Cursors(join(directory, 'cursors'))
  const unread = new UnreadSessions({ directory, stateDirectory: () => state, cursors, log })
  const find = async (nowMs: number) => (await unread.find(nowMs)).map(({ sessionId }) => sessionId).toSorted()
  return { cursors, find, logged }
}

const session = (sessionId: string) => ({ agentId: 'main', sessionId, sessionKey: `agent:main:${sessionId}` })
const cursor = (sessionId: string) =>
  ({ sessionKey: session(sessionId).sessionKey, reader: 'store', position: '{}' }) as const

describe('UnreadSessions', () => {
  it('finds what came since the plugin did and has no cursor', async () => {
    const state = await stateDirectory()
    const { cursors, find, logged } = await unreadIn(state)
    await written(state, 'before', { atMs: start - day })
    expect(await find(start)).toEqual([])
    await written(state, 'new', { atMs: start + day })
    await written(state, 'read', { atMs: start + day })
    await cursors.write(session('read'), cursor('read'))
    expect(await find(start + 2 * day)).toEqual(['new'])
    // Another process knows when the plugin came.
    expect(await (await unreadIn(state)).find(start + 3 * day)).toEqual(['new'])
    expect(logged).toEqual([])
  })

  it('leaves alone what is silent for so long that its cursor may be forgotten', async () => {
    const state = await stateDirectory()
    const { find } = await unreadIn(state)
    expect(await find(start)).toEqual([])
    await written(state, 'old', { atMs: start + day })
    expect(await find(start + day + forgetAfterMs - 1_000)).toEqual(['old'])
    expect(await find(start + day + forgetAfterMs + 1_000)).toEqual([])
  })

  it('never gives what is incognito, whatever tells it', async () => {
    const state = await stateDirectory()
    const { find } = await unreadIn(state)
    await find(start)
    const key = new TranscriptFile(state, 'by-key', { sessionKey: 'agent:main:dashboard:incognito-7' })
    key.enter()
    await written(state, 'by-mark', { atMs: start + day, fields: { incognito: true } })
    await written(state, 'open', { atMs: start + day })
    expect(await find(start + 2 * day)).toEqual(['open'])
  })

  it('finds those of the other agents where stray files are and the store of one cannot be searched, and says so once', async () => {
    const state = await stateDirectory()
    const { find, logged } = await unreadIn(state)
    await find(start)
    await written(state, 'new', { atMs: start + day })
    await mkdir(join(state, 'agents', 'broken', 'sessions'), { recursive: true })
    await writeFile(join(state, 'agents', 'broken', 'sessions', 'sessions.json'), '[1]')
    for (const stray of ['.DS_Store', 'notes', 'not an agent']) await writeFile(join(state, 'agents', stray), '')
    expect(await find(start + 2 * day)).toEqual(['new'])
    expect(await find(start + 2 * day)).toEqual(['new'])
    expect(logged).toEqual([
      expect.stringMatching(/agent broken could not be searched for sessions that were not read \(ZodError\)/u),
    ])
  })

  it('finds the others where it cannot be read how far one was, and says so once', async () => {
    const state = await stateDirectory()
    const { cursors, find, logged } = await unreadIn(state)
    await find(start)
    for (const sessionId of ['first', 'second', 'third']) await written(state, sessionId, { atMs: start + day })
    await cursors.write(session('first'), cursor('first'))
    // A directory is where the cursor should be.
    await mkdir(join(state, 'verbatim', 'cursors', 'main', 'second.json'), { recursive: true })
    const skipped: string[] = []
    const known = await cursors.sessions(start, (...problem) => skipped.push(problem.join(' ')))
    expect(known).toEqual([session('first')])
    expect(skipped).toEqual(['second EISDIR'])
    expect(await find(start + 2 * day)).toEqual(['third'])
    expect(await find(start + 2 * day)).toEqual(['third'])
    expect(logged).toEqual([expect.stringMatching(/how far session second was captured \(EISDIR\)/u)])
  })
})

const hasSqlite = builtinModules.includes('node:sqlite') || builtinModules.includes('sqlite')
if (!hasSqlite) console.warn('Skipped: the sessions of a database of OpenClaw, as this Node.js has no SQLite')

const sample = '../../../../../shared/data/transcripts/openclaw/generated-2026.9.6-sqlite/openclaw-agent.sqlite'
const main = { agentId: 'main', sessionId: '17da8aa8-e498-4d99-ad13-e896934a97de', sessionKey: 'agent:main:main' }
const second = { agentId: 'main', sessionId: '21130d67-3c9c-444a-b020-3f5c62466e34', sessionKey: 'agent:main:second' }

/** A copy of a database that OpenClaw has written, as that of an agent, after some statements. */
async function databaseIn(state: string, agentId: string, statements = ''): Promise<void> {
  const path = join(state, 'agents', agentId, 'agent', 'openclaw-agent.sqlite')
  await mkdir(dirname(path), { recursive: true })
  await copyFile(new URL(sample, import.meta.url), path)
  if (statements === '') return
  const place = 'node:sqlite'
  const { DatabaseSync } = await import(place)
  const database = new DatabaseSync(path)
  database.exec(statements)
  database.close()
}

async function foundSince(state: string, sinceMs: number) {
  const problems: string[] = []
  const found = await sessionsSince(state, sinceMs, (agentId, reason) => problems.push(`${agentId}: ${reason}`))
  return { found, problems }
}

describe('sessionsSince()', () => {
  it.skipIf(!hasSqlite)(
    'gives the sessions of a database with their keys, by when they were last changed',
    async () => {
      const state = await stateDirectory()
      await databaseIn(state, 'main')
      const { found, problems } = await foundSince(state, 0)
      expect(found).toHaveLength(3)
      expect(found).toContainEqual(main)
      expect(problems).toEqual([])
      expect((await foundSince(state, 1_795_434_757_000)).found).toEqual([second])
      expect((await foundSince(state, 1_795_434_760_000)).found).toEqual([])
    },
  )

  it.skipIf(!hasSqlite)(
    'reads what is known of databases that are unlike those that are known, and tells',
    async () => {
      const state = await stateDirectory()
      await databaseIn(
        state,
        'a-row',
        `create table other as select * from session_windows; drop table session_windows; alter table other rename to session_windows;
      update session_windows set session_key = null where session_id <> '${main.sessionId}'`,
      )
      await databaseIn(
        state,
        'no-column',
        `create table other as select session_id, session_key, updated_at from session_windows; drop table session_windows;
      alter table other rename to session_windows`,
      )
      await databaseIn(state, 'other-tables', 'drop table session_windows')
      const { found, problems } = await foundSince(state, 0)
      expect(found.filter(({ agentId }) => agentId === 'a-row')).toEqual([{ ...main, agentId: 'a-row' }])
      expect(found.filter(({ agentId }) => agentId === 'no-column')).toHaveLength(3)
      expect(found).toHaveLength(4)
      expect(problems).toEqual([
        'a-row: 2 of its rows are unlike those that are known',
        'other-tables: its tables are unlike those that are known',
      ])
    },
  )

  it.skipIf(!hasSqlite)(
    'gives of a database no session that is incognito or that its own entry does not tell of',
    async () => {
      const state = await stateDirectory()
      const mark = `set entry_json = json_set(entry_json, '$.incognito', json('true'))`
      await databaseIn(state, 'marked', `update session_nodes ${mark} where session_key = '${main.sessionKey}'`)
      const next = `set entry_json = replace(entry_json, '${main.sessionId}', 'next')`
      // The key goes on with a session that is not incognito, and one that was before it may have been.
      await databaseIn(
        state,
        'went-on',
        `update session_nodes ${next}, current_session_id = 'next' where session_key = '${main.sessionKey}'`,
      )
      await databaseIn(
        state,
        'no-column',
        `pragma foreign_keys = off; pragma legacy_alter_table = on; create table other as select session_key, entry_json from session_nodes; drop table session_nodes;
        alter table other rename to session_nodes; update session_nodes ${next}`,
      )
      await databaseIn(
        state,
        'no-node',
        `pragma foreign_keys = off; delete from session_nodes where session_key = '${main.sessionKey}'`,
      )
      const { found } = await foundSince(state, 0)
      expect(found.filter(({ sessionKey }) => sessionKey === main.sessionKey)).toEqual([])
      expect(found).toHaveLength(4 * 2)
    },
  )

  it('gives nothing where OpenClaw has stored nothing', async () => {
    expect(await foundSince(await stateDirectory(), 0)).toEqual({ found: [], problems: [] })
  })
})
