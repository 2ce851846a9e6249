import { randomBytes } from 'node:crypto'

import { describe, expect, it, test } from 'vitest'
import { z } from 'zod'

import { untilIndexed } from '../support/archived.ts'
import { outputOf } from '../support/cli-output.ts'
import { Home } from '../support/home.ts'
import { expectAlike, usePair } from '../support/synced-pair.ts'
import { stateOf } from '../support/synced.ts'

const pair = usePair()
const { server, laptop, homes } = pair

/** The texts of a session in their order. */
async function textsOf(home: Home, session: string): Promise<unknown[]> {
  const tools = await home.toolsOfTest()
  return (await tools.session(session)).messages.map(({ text, content }) => text ?? content)
}

describe('sync', () => {
  it('brings what each store has to the other, word for word, and nothing twice', async () => {
    const [here, there] = [await laptop.toolsOfTest(), await pair.http.tools()]
    await here.save({
      session_id: 'garden',
      message_id: 'g1',
      role: 'user',
      sender: 'ann',
      content: 'Plant the quinces by the wall.',
    })
    await here.save({
      session_id: 'garden',
      role: 'assistant',
      sender: 'claude',
      content: [{ type: 'text', text: 'By the wall, then.' }],
    })
    await here.call('update_session', {
      session_id: 'garden',
      title: 'The orchard',
      tags: ['fruit'],
      summary: 'Quinces.',
    })
    const large = randomBytes(1_200_000).toString('base64')
    await there.save({ session_id: 'harbour', role: 'tool', sender: 'ls', content: large })
    await there.save({ session_id: 'harbour', role: 'user', sender: 'ann', content: 'Which berth is free?' })
    const first = await pair.sync()
    expect(first.sent).toMatchObject({ messages: 2, sessions: 1 })
    expect(first.received).toMatchObject({ messages: 2, sessions: 1 })
    await expectAlike(pair)
    const garden = await there.session('garden')
    expect(garden).toMatchObject({ title: 'The orchard', tags: ['fruit'], context_summary: 'Quinces.' })
    expect(garden.messages.map(({ content }) => content)).toEqual(
      (await here.session('garden')).messages.map(({ content }) => content),
    )
    expect((await here.session('harbour')).messages[0]?.content_part?.total_bytes).toBe(large.length + 2)
    await untilIndexed(server, there)
    expect((await there.search({ query: 'quinces wall' })).results[0]?.session_id).toBe(garden.session_id)
    const again = await pair.sync()
    expect(again.sessions).toMatchObject({ equal: 0, unchanged: 2 })
    // A retry is known at the other store too.
    const retried = await there.save({
      session_id: 'garden',
      message_id: 'g1',
      role: 'user',
      sender: 'ann',
      content: 'Plant the quinces by the wall.',
    })
    expect(retried.duplicate).toBe(true)
  })

  it('takes along what came since, at either store', async () => {
    const [here, there] = [await laptop.toolsOfTest(), await pair.http.tools()]
    await there.save({ session_id: 'garden', role: 'user', sender: 'ann', content: 'And the medlars?' })
    expect((await pair.sync()).received).toMatchObject({ messages: 1, sessions: 0, moved: 0 })
    await here.save({ session_id: 'garden', role: 'assistant', sender: 'claude', content: 'Behind the shed.' })
    expect((await pair.sync()).sent).toMatchObject({ messages: 1, sessions: 0, moved: 0 })
    expect((await textsOf(laptop, 'garden')).slice(-2)).toEqual(['And the medlars?', 'Behind the shed.'])
    await expectAlike(pair)
  })

  it('gives a session that both went on with the same order at both, each line together', async () => {
    const [here, there] = [await laptop.toolsOfTest(), await pair.http.tools()]
    await there.save({
      session_id: 'garden',
      role: 'user',
      sender: 'ann',
      content: 'First line: water them on Monday.',
    })
    await here.save({ session_id: 'garden', role: 'user', sender: 'ann', content: 'Second line: prune the walnut.' })
    await there.save({ session_id: 'garden', role: 'user', sender: 'ann', content: 'First line: and on Thursday.' })
    await here.save({ session_id: 'garden', role: 'user', sender: 'ann', content: 'Second line: before the frost.' })
    const report = await pair.sync()
    expect(report.received).toMatchObject({ messages: 2, moved: 2 })
    expect(report.sent).toMatchObject({ messages: 2, moved: 0 })
    const order = [
      'First line: water them on Monday.',
      'First line: and on Thursday.',
      'Second line: prune the walnut.',
      'Second line: before the frost.',
    ]
    expect((await textsOf(laptop, 'garden')).slice(-4)).toEqual(order)
    expect((await textsOf(server, 'garden')).slice(-4)).toEqual(order)
    await expectAlike(pair)
    // What was found under its former number is found under the one that it has.
    await untilIndexed(laptop, here)
    const found = await here.search({ query: 'prune the walnut' })
    expect(found.results[0]?.messages.find(({ hit }) => hit?.rank === 1)).toMatchObject({ seq: 7 })
    expect((await laptop.cli(['archive', '--now'])).code).toBe(0)
    await here.save({ session_id: 'garden', role: 'user', sender: 'ann', content: 'Both: in spring.' })
    await pair.sync()
    expect((await textsOf(server, 'garden')).at(-1)).toBe('Both: in spring.')
    await expectAlike(pair)
  })

  it('keeps two messages that were saved under one id, and what was said last of a session', async () => {
    const [here, there] = [await laptop.toolsOfTest(), await pair.http.tools()]
    await there.save({
      session_id: 'garden',
      message_id: 'same',
      role: 'user',
      sender: 'ann',
      content: 'Said at the server.',
    })
    await here.save({
      session_id: 'garden',
      message_id: 'same',
      role: 'user',
      sender: 'ann',
      content: 'Said on the laptop.',
    })
    await there.call('update_session', { session_id: 'garden', title: 'Set first' })
    await pair.sync()
    await here.call('update_session', { session_id: 'garden', title: 'Set last' })
    await pair.sync()
    await expectAlike(pair)
    expect((await textsOf(laptop, 'garden')).slice(-2)).toEqual(['Said at the server.', 'Said on the laptop.'])
    expect((await there.session('garden')).title).toBe('Set last')
    // What lost is still to be read, at either.
    for (const home of homes) {
      const before = z
        .object({ title: z.string(), said_before: z.array(z.looseObject({ field: z.string(), value: z.unknown() })) })
        .parse(JSON.parse(await outputOf(home, ['show', 'garden', '--json'])))
      expect(before.title).toBe('Set last')
      expect(before.said_before.filter(({ field }) => field === 'title')).toEqual([
        { field: 'title', value: 'Set first', at: expect.any(String), store: expect.any(String) },
        { field: 'title', value: 'The orchard', at: expect.any(String), store: expect.any(String) },
      ])
    }
  })

  it('keeps two sessions that were begun under one name, and lets both stores go on with the earlier one', async () => {
    const [here, there] = [await laptop.toolsOfTest(), await pair.http.tools()]
    const early = await there.save({ session_id: 'main', role: 'user', sender: 'ann', content: 'Begun at the server.' })
    const late = await here.save({ session_id: 'main', role: 'user', sender: 'ann', content: 'Begun on the laptop.' })
    expect((await pair.sync()).received).toMatchObject({ sessions: 1, namesakes: 1 })
    await expectAlike(pair)
    expect(await textsOf(server, late.session_id)).toEqual(['Begun on the laptop.'])
    // A client that is connected goes on with the one that it began.
    const next = await (
      await laptop.toolsOfTest()
    ).save({ session_id: 'main', role: 'user', sender: 'ann', content: 'Gone on with.' })
    expect(next.session_id).toBe(early.session_id)
    await pair.sync()
    await expectAlike(pair)
  })

  it('erases at the other what was erased at one, and gives nothing back', async () => {
    const [here, there] = [await laptop.toolsOfTest(), await pair.http.tools()]
    const whole = await here.save({
      session_id: 'letter',
      role: 'user',
      sender: 'ann',
      content: 'Kowalska wrote to us.',
    })
    await here.save({
      session_id: 'garden',
      message_id: 'gone',
      role: 'user',
      sender: 'ann',
      content: 'Ask Wisniewska.',
    })
    await pair.sync()
    await outputOf(server, ['erase', '--session', whole.session_id, '--yes'])
    await outputOf(server, ['erase', '--session', 'garden', '--message', 'gone', '--yes'])
    const report = await pair.sync()
    expect(report.received.erasures).toBe(2)
    expect(await here.refusal('get_session', { session_id: whole.session_id })).toContain('was erased')
    expect(JSON.stringify(await here.session('garden'))).not.toContain('Wisniewska')
    const last = await pair.sync()
    expect(last.sent.messages + last.received.messages).toBe(0)
    await expectAlike(pair)
    for (const home of homes) expect(await outputOf(home, ['verify'])).toContain('all intact')
    expect(
      await there.refusal('save_message', { session_id: 'letter', role: 'user', sender: 'ann', content: 'Again.' }),
    ).toContain('erased')
    expect(
      await here.refusal('save_message', { session_id: 'letter', role: 'user', sender: 'ann', content: 'Again.' }),
    ).toContain('erased')
  })

  it('anonymises at the other what was anonymised at one, and has the same text at both', async () => {
    const [here, there] = [await laptop.toolsOfTest(), await pair.http.tools()]
    await here.save({
      session_id: 'claim',
      message_id: 'c1',
      role: 'user',
      sender: 'ann',
      content: 'Write to a@example.org.',
    })
    await pair.sync()
    await outputOf(server, ['anonymise', '--session', 'claim', '--pseudonymise', '--yes'])
    const report = await pair.sync()
    expect(report.received.erasures).toBe(1)
    await pair.sync()
    await expectAlike(pair)
    expect(JSON.stringify(await here.session('claim'))).not.toContain('a@example.org')
    expect(JSON.stringify(await there.session('claim'))).not.toContain('a@example.org')
  })

  it('keeps nothing made of the text that gives way, where both stores have anonymised it', async () => {
    const here = await laptop.toolsOfTest()
    await here.save({
      session_id: 'twice',
      role: 'user',
      sender: 'ann',
      content: 'I live in Porto, at b@example.org.',
    })
    await pair.sync()
    await outputOf(server, ['anonymise', '--session', 'twice', '--pseudonymise', '--yes'])
    await outputOf(laptop, ['anonymise', '--session', 'twice', '--pseudonymise', '--yes'])
    const said = async () => (await here.session('twice')).messages[0]?.content
    const before = await said()
    await here.call('update_session', { session_id: 'twice', summary: `She says: ${String(before)}` })
    await pair.sync()
    await pair.sync()
    await expectAlike(pair)
    expect(await said()).not.toBe(before)
    expect((await here.session('twice')).context_summary).toBeNull()
  })

  it('has what was put together in its archive', async () => {
    expect((await laptop.cli(['archive', '--now'])).code).toBe(0)
    const restored = new Home()
    await restored.makeDatabase()
    restored.settings = laptop.settings
    try {
      expect((await restored.cli(['restore'])).stdout).toContain('all intact')
      const before = await stateOf(laptop, await laptop.toolsOfTest())
      expect(await stateOf(restored, await restored.toolsOfTest())).toEqual(before)
    } finally {
      await restored.dispose()
    }
  })

  it('says with which stores, and notes in the audit log what was read and written', async () => {
    expect(await outputOf(laptop, ['sync'])).toContain(pair.http.url)
    const { session_id: id } = await (await pair.http.tools()).session('garden')
    const accessed = await outputOf(server, ['audit', 'who-accessed', id, '--json'])
    expect(accessed).toContain('sync read')
    expect(accessed).toContain('session.sync')
  })
})

describe('sync is refused', () => {
  const refusal = async (url: string, env: Readonly<Record<string, string>> = {}) =>
    await laptop.cli(['sync', url], { env: { VERBATIM_SYNC_TOKEN: pair.token, ...env } })

  test('where nothing would be encrypted on the way', async () => {
    const { code, stderr } = await refusal('http://memory.example.com')
    expect(code).toBe(2)
    expect(stderr).toContain('nothing would be encrypted on the way')
    expect(stderr).toContain('Use https')
  })

  test('with a token that may not do all of it', async () => {
    const weak = await pair.http.newToken('--name', 'weak', '--scopes', 'read,write')
    const { code, stderr } = await refusal(pair.http.url, { VERBATIM_SYNC_TOKEN: weak })
    expect(code).toBe(3)
    expect(stderr).toContain('lacks memory:delete, memory:export, memory:admin')
    expect(stderr).toContain('verbatim token create')
  })

  test('without a token, and where there is no such server', async () => {
    const none = await laptop.cli(['sync', pair.http.url])
    expect(none.code).toBe(3)
    expect(none.stderr).toContain('An access token is needed')
    const { code, stderr } = await refusal('http://127.0.0.1:9')
    expect(code).toBe(3)
    expect(stderr).toContain('Cannot reach http://127.0.0.1:9')
  })

  test('with itself', async () => {
    const { code, stderr } = await server.cli(['sync', pair.http.url], { env: { VERBATIM_SYNC_TOKEN: pair.token } })
    expect(code).toBe(2)
    expect(stderr).toContain('it is this store itself, or a copy of its files')
  })
})
