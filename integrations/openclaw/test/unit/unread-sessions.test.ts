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

  it('says where the store could not be searched, and throws nothing', async () => {
    const state = await stateDirectory()
    const { find, logged } = await unreadIn(state)
    await mkdir(join(state, 'agents', 'main', 'sessions'), { recursive: true })
    await writeFile(join(state, 'agents', 'main', 'sessions', 'sessions.json'), '[1]')
    expect(await find(start)).toEqual([])
    expect(logged).toEqual([
      expect.stringMatching(/could not be searched for sessions that were not read \(ZodError\)/u),
    ])
  })
})

const hasSqlite = builtinModules.includes('node:sqlite') || builtinModules.includes('sqlite')
if (!hasSqlite) console.warn('Skipped: the sessions of a database of OpenClaw, as this Node.js has no SQLite')

describe('sessionsSince()', () => {
  it.skipIf(!hasSqlite)(
    'gives the sessions of a database with their keys, by when they were last changed',
    async () => {
      const state = await stateDirectory()
      const path = join(state, 'agents', 'main', 'agent', 'openclaw-agent.sqlite')
      await mkdir(dirname(path), { recursive: true })
      const sample = '../../../../../shared/data/transcripts/openclaw/generated-2026.9.6-sqlite/openclaw-agent.sqlite'
      await copyFile(new URL(sample, import.meta.url), path)
      const main = { agentId: 'main', sessionId: '17da8aa8-e498-4d99-ad13-e896934a97de', sessionKey: 'agent:main:main' }
      expect(await sessionsSince(state, 0)).toHaveLength(3)
      expect(await sessionsSince(state, 0)).toContainEqual(main)
      expect(await sessionsSince(state, 1_795_434_757_000)).toEqual([
        { agentId: 'main', sessionId: '21130d67-3c9c-444a-b020-3f5c62466e34', sessionKey: 'agent:main:second' },
      ])
      expect(await sessionsSince(state, 1_795_434_760_000)).toEqual([])
    },
  )

  it('gives nothing where OpenClaw has stored nothing', async () => {
    expect(await sessionsSince(await stateDirectory(), 0)).toEqual([])
  })
})
