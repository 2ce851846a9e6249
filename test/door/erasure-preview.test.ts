import { randomBytes } from 'node:crypto'

import { expect, test } from 'vitest'
import { z } from 'zod'

import { archiveNow, directorySettings, openHome, untilIndexed } from './support/archived.ts'
import { outputOf } from './support/cli-output.ts'
import type { Home } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'
import type { Tools } from './support/tools.ts'

const counts = z.record(z.string(), z.number())
const previewSchema = z.object({ confirm: z.string(), stores: counts })
const receiptSchema = z.object({ status: z.string(), erased: counts })
const email = 'anna.kowalska@posteo.de'

/** What a preview counts under the same name as the receipt, though it is neither made of text nor text. */
const told = ['session_keys', 'archived_keys', 'pseudonyms', 'reasons'] as const

const toldOf = (of: Readonly<Record<string, number>>) => Object.fromEntries(told.map((name) => [name, of[name]]))

/** What a preview counts of a selection, and what the receipt counts when exactly this is done. */
async function foreseenAndDone(tools: Tools, selection: Readonly<Record<string, unknown>>) {
  const { confirm, stores } = previewSchema.parse((await tools.call('forget', selection)).structured)
  const { status, erased } = receiptSchema.parse((await tools.call('forget', { ...selection, confirm })).structured)
  expect(status).toMatch(/^(erased|anonymised)$/)
  return { foreseen: toldOf(stores), done: toldOf(erased) }
}

/** An archived and encrypted session with everything that goes with it: pseudonyms, and reasons of a hold and of a correction. */
async function fill(home: Home, tools: Tools, session: string): Promise<void> {
  await tools.saveAll({
    session_id: session,
    messages: [
      { content: `Write to ${email}, please.`, sender: 'Ada Quill' },
      { content: 'The ship is at berth 15.', sender: 'Bob Marsh' },
    ],
  })
  await tools.call('get_session', { session_id: session, view: 'pseudonymised' })
  await outputOf(home, ['retention', 'hold', session, '--reason', 'court'])
  await outputOf(home, ['retention', 'release', session, '--reason', 'settled'])
  await outputOf(home, ['correct', session, '1', '--content', `Never write to ${email}.`, '--reason', 'Ada said so'])
}

async function filled(...sessions: readonly string[]) {
  const root = { VERBATIM_ENCRYPTION: 'on', VERBATIM_ROOT_KEY: randomBytes(32).toString('hex') }
  const home = await openHome({ ...(await directorySettings()), ...root })
  const tools = await home.tools()
  for (const session of sessions) await fill(home, tools, session)
  await untilIndexed(home, tools)
  await archiveNow(home, tools)
  return { home, tools }
}

test('counts the keys, pseudonyms and reasons that go with a session', { timeout: 200_000 }, async () => {
  const { home, tools } = await filled('whole', 'stays')
  const shown = await outputOf(home, ['erase', '--session', 'whole'])
  for (const line of ['1 session key', '1 archived key', '3 reasons']) expect(shown).toContain(`\n  and ${line}\n`)
  expect(shown).toMatch(/\n {2}and \d+ pseudonyms?\n/)

  const { foreseen, done } = await foreseenAndDone(tools, { session_id: 'whole' })
  expect(foreseen).toEqual({ session_keys: 1, archived_keys: 1, pseudonyms: expect.any(Number), reasons: 3 })
  expect(foreseen['pseudonyms']).toBeGreaterThan(0)
  expect(done).toEqual(foreseen)
})

test('of messages the key stays, and reasons but those of what was corrected', { timeout: 200_000 }, async () => {
  const { tools } = await filled('part', 'other')
  const bob = await foreseenAndDone(tools, { session_id: 'part', participant: 'Bob Marsh' })
  expect(bob.foreseen).toMatchObject({ session_keys: 0, archived_keys: 0, reasons: 0 })
  expect(bob.foreseen['pseudonyms']).toBeGreaterThan(0)
  expect(bob.done).toEqual(bob.foreseen)

  const [first] = (await tools.session('part')).messages
  const corrected = await foreseenAndDone(tools, { message_id: first?.id })
  expect(corrected.foreseen).toEqual({ session_keys: 0, archived_keys: 0, pseudonyms: 0, reasons: 1 })
  expect(corrected.done).toEqual(corrected.foreseen)

  // What is anonymised keeps its key, and no reason that was given for its session.
  const anonymised = await foreseenAndDone(tools, { session_id: 'other', action: 'anonymise' })
  expect(anonymised.foreseen).toMatchObject({ session_keys: 0, archived_keys: 0, reasons: 3 })
  expect(anonymised.done).toEqual(anonymised.foreseen)
})

test('counts a session by what is left of it, as the receipt does', { timeout: 200_000 }, async () => {
  const { home, tools } = await filled('worn', 'next')
  await outputOf(home, ['erase', '--session', 'worn', '--participant', 'Ada Quill', '--yes'])
  const size = z.object({ messages: z.number(), bytes: z.number() })
  const previewed = size.extend({ confirm: z.string(), stores: counts, first_sessions: z.array(z.unknown()) })
  const shown = await outputOf(home, ['erase', '--session', 'worn'])
  const { confirm, ...preview } = previewed.parse((await tools.call('forget', { session_id: 'worn' })).structured)
  const reply = await tools.call('forget', { session_id: 'worn', confirm })
  const { erased } = receiptSchema.parse(reply.structured)
  expect(size.parse(preview)).toEqual(size.parse(erased))
  const { archive_segments: _, ...stores } = preview.stores
  expect(erased).toMatchObject(stores)
  expect(erased['messages']).toBeGreaterThan(0)
  const left = `${erased['messages']} message${erased['messages'] === 1 ? '' : 's'}`
  expect(shown).toContain(`1 session with ${left} (${erased['bytes']} bytes) would be erased`)
  expect(preview.first_sessions).toEqual([{ session_id: expect.any(String), messages: erased['messages'] }])
})

test('tells of reasons to restrict somebody, of whom nothing is left then, no one but who sees all', async () => {
  const { home, tools } = await filled('harbour', 'quay')
  await outputOf(home, ['restrict', '--participant', 'Bob Marsh', '--reason', 'the letter of Bob'])
  const server = await HttpHome.start(home)
  const token = await server.newToken('--name', 'eve', '--principal', 'eve', '--scopes', 'read,delete')
  const eve = await server.tools(token)
  const preview = async (by: Tools, selection: Readonly<Record<string, string>>) =>
    previewSchema.parse((await by.call('forget', selection)).structured).stores['reasons']
  expect(await preview(eve, { participant: 'Bob Marsh' })).toBe(0)
  expect(await preview(tools, { participant: 'Bob Marsh' })).toBe(1)
  // There is more of him.
  expect(await preview(tools, { participant: 'Bob Marsh', session_id: 'quay' })).toBe(0)
  await outputOf(home, ['erase', '--session', 'harbour', '--yes'])
  const { foreseen, done } = await foreseenAndDone(tools, { participant: 'Bob Marsh', session_id: 'quay' })
  expect(foreseen).toMatchObject({ reasons: 1 })
  expect(done).toEqual(foreseen)
})
