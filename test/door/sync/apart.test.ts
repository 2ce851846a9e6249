import { describe, expect, onTestFinished, test } from 'vitest'

import { untilIndexed } from '../support/archived.ts'
import { outputOf } from '../support/cli-output.ts'
import { Home } from '../support/home.ts'
import { HttpHome } from '../support/http-home.ts'
import { expectAlike, usePair } from '../support/synced-pair.ts'
import { stateOf, sync, syncScopes } from '../support/synced.ts'
import type { Tools } from '../support/tools.ts'

const pair = usePair()
const { server, laptop } = pair

function said(session: string, id: string, content: string) {
  return { session_id: session, message_id: id, role: 'user', sender: 'ann', content }
}

const eraseOf = (home: Home, session: string, id: string) =>
  outputOf(home, ['erase', '--session', session, '--message', id, '--yes'])

describe('what was set after an erasure', () => {
  test('is kept by a store that learns of the erasure later', async () => {
    const [here, there] = [await laptop.toolsOfTest(), await pair.http.tools()]
    await here.save(said('orchard', 'o1', 'Ask Kowalska.'))
    await here.save(said('orchard', 'o2', 'Plant the quinces.'))
    await here.update('orchard', { title: 'Kowalska', summary: 'Of Kowalska.' })
    await pair.sync()
    await eraseOf(laptop, 'orchard', 'o1')
    await here.update('orchard', { title: 'Quinces', summary: 'Quinces are planted.' })
    await pair.sync()
    expect(await there.session('orchard')).toMatchObject({ title: 'Quinces', context_summary: 'Quinces are planted.' })
    expect(await here.session('orchard')).toMatchObject({ title: 'Quinces', context_summary: 'Quinces are planted.' })
    expect(JSON.stringify(await there.session('orchard'))).not.toContain('Kowalska')
    await expectAlike(pair)
  })

  test('and before another one of the same is gone at both', async () => {
    const [here, there] = [await laptop.toolsOfTest(), await pair.http.tools()]
    await here.save(said('harbour', 'h1', 'Ask Wisniewska.'))
    await here.save(said('harbour', 'h2', 'Which berth is free?'))
    await pair.sync()
    await eraseOf(laptop, 'harbour', 'h1')
    await here.update('harbour', { title: 'Berths', summary: 'A berth is wanted.' })
    await eraseOf(server, 'harbour', 'h1')
    await pair.sync()
    expect((await there.session('harbour')).context_summary).toBeNull()
    await expectAlike(pair)
    expect((await pair.sync()).sessions).toMatchObject({ equal: 0, unchanged: 2 })
  })
})

test('of a legal hold the other store says who has brought it, and when', async () => {
  const here = await laptop.toolsOfTest()
  await here.save(said('case', 'c1', 'What the case is about.'))
  await pair.sync()
  await outputOf(laptop, ['retention', 'hold', 'case', '--reason', 'case 14'])
  await pair.sync()
  expect(await outputOf(laptop, ['retention', 'holds'])).toMatch(/ local +\d{4}-\d\d-\d\d +case 14/)
  expect(await outputOf(server, ['retention', 'holds'])).toMatch(/ local +\d{4}-\d\d-\d\d +by sync/)
  await outputOf(laptop, ['retention', 'release', 'case', '--reason', 'closed'])
  await pair.sync()
  expect(await outputOf(server, ['retention', 'holds'])).toBe('No session is on legal hold.\n')
  await expectAlike(pair)
})

describe('a release of a legal hold', () => {
  const isHeld = async (tools: Tools, session: string) => (await tools.session(session))['legal_hold'] ?? false

  test.each([
    ['erased', (name: string) => ['erase', '--session', name, '--participant', 'Carl', '--yes']],
    ['anonymised', (name: string) => ['anonymise', '--session', name, '--yes']],
  ])('reaches the other store where messages of it were %s after it', async (name, command) => {
    const session = `held-${name}`
    const [here, there] = [await laptop.toolsOfTest(), await pair.http.tools()]
    await here.save(said(session, 'a', 'Write to ann@example.org.'))
    await here.save({ ...said(session, 'b', 'Carl wrote to carl@example.org.'), sender: 'Carl' })
    await outputOf(laptop, ['retention', 'hold', session, '--reason', 'case 15'])
    await here.update(session, { restricted: true })
    await pair.sync()
    expect([await isHeld(here, session), await isHeld(there, session)]).toEqual([true, true])
    await outputOf(laptop, ['retention', 'release', session, '--reason', 'closed'])
    await here.update(session, { restricted: false })
    await outputOf(laptop, command(session))
    await pair.sync()
    expect([await isHeld(here, session), await isHeld(there, session)]).toEqual([false, false])
    expect(JSON.stringify(await there.session(session))).not.toContain('carl@example.org')
    expect((await there.session(session)).messages).toHaveLength(2)
    await pair.sync()
    await expectAlike(pair)
    expect(await outputOf(server, ['retention', 'holds'])).toBe('No session is on legal hold.\n')
    expect((await pair.sync()).sessions).toMatchObject({ pending: 0, apart: 0 })
  })
})

describe('what one store keeps for a shorter time', () => {
  test('comes whole to a third one, whichever of the two it meets first', async () => {
    const here = await laptop.toolsOfTest()
    for (const number of [1, 2, 3, 4, 5]) await here.save(said('log', `l${number}`, `Entry ${number}.`))
    await here.update('log', { tags: ['short'] })
    await pair.sync()
    await eraseOf(server, 'log', 'l2')
    await pair.sync()
    await outputOf(laptop, ['retention', 'set', '--tag', 'short', '--messages', '2'])
    await outputOf(laptop, ['retention', 'apply', '--yes'])
    const textsOf = async (tools: Tools) => (await tools.session('log')).messages.map(({ content }) => content)
    expect(await textsOf(here)).toEqual(['', '', '', 'Entry 4.', 'Entry 5.'])
    const laptopServer = await HttpHome.start(laptop)
    const laptopToken = await laptopServer.newToken('--name', 'sync', '--scopes', syncScopes)
    const desktop = new Home()
    onTestFinished(() => desktop.dispose())
    await desktop.makeDatabase()
    const third = await desktop.toolsOfTest()
    await sync(desktop, laptopServer, laptopToken)
    expect(await textsOf(third)).toEqual(['', '', '', 'Entry 4.', 'Entry 5.'])
    const report = await sync(desktop, pair.http, pair.token)
    expect(report.sessions.apart).toBe(0)
    expect([report.received.filled, report.sent.filled]).toEqual([2, 0])
    // What was erased at all stores is not among them.
    expect(await textsOf(third)).toEqual(['Entry 1.', '', 'Entry 3.', 'Entry 4.', 'Entry 5.'])
    expect(await stateOf(desktop, third)).toEqual(await stateOf(server, await pair.http.tools()))
    await untilIndexed(desktop, third)
    expect(
      (await third.search({ query: 'Entry 3' })).results[0]?.messages.find(({ hit }) => hit?.rank === 1)?.seq,
    ).toBe(3)
    expect(await outputOf(desktop, ['verify'])).toContain('all intact')
    // It is not given back to the one that keeps less.
    expect((await sync(desktop, laptopServer, laptopToken)).sessions.apart).toBe(1)
    expect(await textsOf(here)).toEqual(['', '', '', 'Entry 4.', 'Entry 5.'])
  })
})
