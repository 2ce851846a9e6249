import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, onTestFinished, test } from 'vitest'

import { newId } from '../../../src/model/ids.ts'
import { HttpPeer } from '../../../src/sync/http-peer.ts'
import { claudeRows } from '../support/claude-rows.ts'
import { outputOf } from '../support/cli-output.ts'
import { Home } from '../support/home.ts'
import { usePair } from '../support/synced-pair.ts'
import { sync } from '../support/synced.ts'

const pair = usePair()
const { server, laptop } = pair

/** Imports a transcript as far as a message; gives what is said of that. */
async function importTo(home: Home, session: string, last: number): Promise<string> {
  const directory = join(home.userHome, '.claude', 'projects', '-work')
  mkdirSync(directory, { recursive: true })
  const path = join(directory, `${session}.jsonl`)
  writeFileSync(path, claudeRows(session, 1, last))
  return await outputOf(home, ['import', path])
}

const say = (session: string, content: string) => ({ session_id: session, role: 'user', sender: 'ann', content })

/** Under which names sessions of a store were begun that are called so. */
async function namesOf(home: Home, ...names: readonly string[]): Promise<unknown[]> {
  const found = await home.inDatabase('select external_id as name from sessions order by external_id')
  return found.map(({ name }) => name as unknown).filter((name) => names.some((one) => String(name).startsWith(one)))
}

const eraseAt = (home: Home, session: string) => outputOf(home, ['erase', '--session', session, '--yes'])

describe.each([
  ['is sent', server, laptop],
  ['is fetched', laptop, server],
])('a session that another store has under another id, and was erased where it %s', (_, erasing, keeping) => {
  const digit = erasing === server ? 'a' : 'b'
  const session = `00000000-0000-4000-8000-00000000000${digit}`
  const diary = `diary-${digit}`
  const toolsOf = (home: Home) => (home === server ? pair.http.tools() : laptop.toolsOfTest())

  test('does not come back, nor what is added to it', async () => {
    for (const home of [erasing, keeping]) {
      await (await toolsOf(home)).save(say(diary, 'A secret of the diary.'))
      await importTo(home, session, 3)
    }
    await eraseAt(erasing, session)
    await eraseAt(erasing, diary)
    const first = await pair.sync()
    expect([first.sent.sessions, first.sent.messages]).toEqual([0, 0])
    expect([first.received.sessions, first.received.messages]).toEqual([0, 0])
    await (await toolsOf(keeping)).save(say(diary, 'A later secret of the diary.'))
    for (let time = 1; time <= 2; time++) {
      const { sent, received, sessions } = await pair.sync()
      expect([sent.messages, received.messages]).toEqual([0, 0])
      expect(sessions.erased).toBeGreaterThanOrEqual(2)
    }
    expect(await namesOf(erasing, session, diary)).toEqual([])
    // What the other store has stays there; it imports nothing more of it.
    expect(await importTo(keeping, session, 5)).toMatch(/erased/)
    expect(await namesOf(keeping, session, diary)).toEqual([session, diary])
    expect(await outputOf(keeping, ['export', session, '--format', 'original'])).toBe(claudeRows(session, 1, 3))
    expect((await (await toolsOf(keeping)).session(diary)).messages).toHaveLength(2)
    // Nothing of it was read for the other one.
    const { session_id: id } = await (await toolsOf(keeping)).session(diary)
    expect(await outputOf(keeping, ['audit', 'who-accessed', id, '--json'])).not.toContain('sync read')
  })
})

test('a transcript is known where it has an id behind its name; a session of the same name that was saved is another one', async () => {
  const session = '00000000-0000-4000-8000-00000000000c'
  const third = new Home()
  onTestFinished(() => third.dispose())
  await third.makeDatabase()
  await (await third.toolsOfTest()).save(say('main', 'Gone.'))
  for (const home of [server, laptop, third]) await importTo(home, session, 2)
  for (const home of [laptop, server])
    await (home === laptop ? await laptop.toolsOfTest() : await pair.http.tools()).save(say('main', 'Kept.'))
  const { sent, received } = await pair.sync()
  expect(sent.namesakes + received.namesakes).toBe(2)
  expect(await namesOf(server, session, 'main')).toEqual([
    session,
    expect.stringContaining(`${session}#`),
    'main',
    expect.stringContaining('main#'),
  ])
  await eraseAt(third, session)
  await eraseAt(third, 'main')
  await sync(third, pair.http, pair.token)
  expect(await namesOf(third, session, 'main')).toEqual([expect.stringContaining('main#')])
})

test('messages are refused too where the other store does not ask before it sends them', async () => {
  const name = '00000000-0000-4000-8000-00000000000d'
  await importTo(server, name, 1)
  const there = new HttpPeer(pair.http.url, pair.token)
  const [row] = await server.inDatabase(`select id from sessions where external_id = '${name}'`)
  const { record } = (await there.ask('session', { session: String(row?.['id']) })).answer
  if (record === undefined) throw new Error('it was imported')
  await eraseAt(server, name)
  const id = newId()
  const asked = { session: id, record: { ...record, id }, is_closed: false, is_last: true, adopts: false }
  expect((await there.ask('write', asked)).answer).toMatchObject({ inserted: 0, refused: 'erased' })
  expect(await namesOf(server, name)).toEqual([])
})
