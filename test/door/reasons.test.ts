import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { filesWith } from '../support/files-with.ts'
import { isOnServer } from '../support/test-store.ts'
import { archiveNow, directorySettings, openHome } from './support/archived.ts'
import { canariesInArchive, canariesInTables } from './support/canaries.ts'
import { outputOf } from './support/cli-output.ts'
import type { Home } from './support/home.ts'

/** A word that nothing but reasons has. */
const canary = 'zarquon'
const reasonOf = (action: string) => `${canary} for ${action}`

/** What somebody gives a reason for and the audit log notes, in an order in which one can be done after the other. */
const deeds = [
  ['message.correct', ['correct', 'harbour', '1', '--content', 'The ship is at berth 41.']],
  ['session.hold', ['retention', 'hold', 'harbour']],
  ['session.release', ['retention', 'release', 'harbour']],
  ['session.restrict', ['restrict', 'harbour']],
  ['session.unrestrict', ['unrestrict', 'harbour']],
  ['participant.restrict', ['restrict', '--participant', 'Bob Marsh']],
  ['participant.unrestrict', ['unrestrict', '--participant', 'Bob Marsh']],
] as const
const entrySchema = z.object({ id: z.number(), action: z.string(), reason: z.string().optional() })
const restrictedSchema = z.array(z.object({ reason: z.string() }))
const reportSchema = z.object({
  waiting: z.number(),
  problems: z.array(z.object({ row: z.number(), problem: z.string() })),
})

async function entries(home: Home) {
  const lines = (await outputOf(home, ['audit', 'export'])).trimEnd().split('\n')
  return lines.map((line) => entrySchema.parse(JSON.parse(line)))
}

/** The last reason of each action, as the audit log is written out. */
async function exported(home: Home) {
  const all = await entries(home)
  return deeds.map(([action]) => all.findLast((entry) => entry.action === action)?.reason)
}

/** What is wrong with the log, once all of it is sealed. */
async function problems(home: Home) {
  const verify = async () => reportSchema.parse(JSON.parse((await home.cli(['audit', 'verify', '--json'])).stdout))
  await expect.poll(async () => (await verify()).waiting, { timeout: 100_000, interval: 300 }).toBe(0)
  return (await verify()).problems
}

/** A store in which everything was done that takes a reason; what is in force is of the session "quay", and of Bob. */
async function filled(settings: Readonly<Record<string, string>>): Promise<Home> {
  const home = await openHome(settings)
  const tools = await home.tools()
  for (const session of ['harbour', 'quay', 'pier'])
    await tools.saveAll({
      session_id: session,
      messages: [
        { content: 'The ship is at berth 14.', sender: 'Ada Quill' },
        { content: 'The ship is at berth 15.', sender: 'Bob Marsh' },
      ],
    })
  for (const [action, args] of deeds) await outputOf(home, [...args, '--reason', reasonOf(action)])
  await outputOf(home, ['retention', 'hold', 'quay', '--reason', reasonOf('hold')])
  await outputOf(home, ['restrict', 'quay', '--reason', reasonOf('session')])
  await outputOf(home, ['restrict', '--participant', 'Bob Marsh', '--reason', reasonOf('participant')])
  await outputOf(home, ['erase', '--session', 'pier', '--yes', '--reason', reasonOf('erasure')])
  return home
}

/** Each reason is told wherever it is asked for. */
async function expectShown(home: Home): Promise<void> {
  const restricted = restrictedSchema.parse(JSON.parse(await outputOf(home, ['restrict', '--list', '--json'])))
  expect(restricted.map(({ reason }) => reason)).toEqual([reasonOf('participant'), reasonOf('session')])
  expect(await outputOf(home, ['retention', 'holds'])).toContain(reasonOf('hold'))
  expect(await outputOf(home, ['erase', '--receipts'])).toContain(`local: ${reasonOf('erasure')}\n`)
  const [correction, , release, , unrestriction, , lifted] = await exported(home)
  expect([correction, release, unrestriction, lifted]).toEqual(
    ['message.correct', 'session.release', 'session.unrestrict', 'participant.unrestrict'].map(reasonOf),
  )
}

async function expectNowhere(home: Home): Promise<void> {
  expect(await canariesInTables(home, [canary])).toEqual([])
  expect(await canariesInArchive(home.settings, [canary])).toEqual([])
  await home.endDaemon()
  expect(isOnServer ? [] : filesWith([home.path], canary)).toEqual([])
}

describe('reasons that somebody gives', () => {
  test('are sealed, shown to who may read them, and kept under whichever keys', { timeout: 300_000 }, async () => {
    const home = await filled(await directorySettings())
    await archiveNow(home)
    await expectShown(home)
    expect(await problems(home)).toEqual([])
    await expectNowhere(home)

    await home.tools()
    for (const args of [['rotate-session', 'harbour'], ['rotate-session', 'quay'], ['rotate-tenant']])
      await outputOf(home, ['keys', ...args])
    await expectShown(home)
    await outputOf(home, ['keys', 'decrypt'])
    await expectShown(home)
    expect(await canariesInTables(home, [canary])).toEqual([`reasons: ${canary}`])
    await outputOf(home, ['keys', 'encrypt'])
    await expectShown(home)
    expect(await problems(home)).toEqual([])
    await expectNowhere(home)
  })

  test('cannot be exchanged unseen', { timeout: 200_000 }, async () => {
    const home = await filled({ VERBATIM_ENCRYPTION: 'off' })
    await expectShown(home)
    expect(await problems(home)).toEqual([])
    // The log itself holds no words in a store that is not encrypted either.
    expect(await canariesInTables(home, [canary])).toEqual([`reasons: ${canary}`])
    const word = Buffer.from(reasonOf('message.correct')).toString('hex')
    const other = Buffer.from(reasonOf('Message.correct')).toString('hex')
    await home.inDatabase(`update reasons set body = decode(replace(encode(body, 'hex'), '${word}', '${other}'), 'hex')
       where encode(body, 'hex') like '%${word}'`)
    const row = (await entries(home)).find(({ action }) => action === 'message.correct')
    expect(row?.reason).toBe('(not the one that was given)')
    expect(await problems(home)).toEqual([{ row: row?.id, problem: 'has another reason than was given for it' }])
    expect((await home.cli(['audit', 'verify'])).code).toBe(1)
  })

  test(
    'are refused where what is sealed was altered or put in the place of another',
    { timeout: 200_000 },
    async () => {
      const home = await filled({})
      await home.inDatabase(`update reasons r set body = o.body from reasons o
       where r.about is null and o.about is null and r.session_id = o.session_id and r.id <> o.id`)
      const rows = (await entries(home)).filter(({ reason }) => reason?.startsWith('(cannot be read') === true)
      expect(rows.map(({ action }) => action)).toEqual([
        'session.hold',
        'session.release',
        'session.restrict',
        'session.unrestrict',
        'session.hold',
        'session.restrict',
      ])
      expect((await problems(home)).map(({ row, problem }) => `${row} ${problem}`)).toEqual(
        rows.map(({ id }) => `${id} has a reason that cannot be read: it was altered, or its key is missing`),
      )
    },
  )

  test('go with what they are about, and the log stays proved', { timeout: 200_000 }, async () => {
    const home = await filled({})
    const erase = async (...args: readonly string[]) =>
      z
        .object({ erased: z.object({ reasons: z.number() }) })
        .parse(JSON.parse(await outputOf(home, ['erase', ...args, '--yes', '--json']))).erased.reasons

    // Of a session that is left one message less, why that was corrected goes, and nothing else.
    const [corrected] = (await (await home.tools()).session('harbour')).messages
    expect(await erase('--message', corrected?.id ?? '')).toBe(1)
    const [correction, ...others] = await exported(home)
    expect(correction).toBe('(erased)')
    expect(others.slice(0, 4)).not.toContain('(erased)')
    expect(await erase('--session', 'harbour')).toBe(4)
    // What a legal hold keeps of somebody keeps the reason.
    expect((await home.cli(['erase', '--participant', 'Bob Marsh', '--yes'])).code).toBe(1)
    expect(await outputOf(home, ['restrict', '--list'])).toContain(reasonOf('participant'))
    await outputOf(home, ['retention', 'release', 'quay', '--reason', reasonOf('release')])
    expect(await erase('--participant', 'Bob Marsh')).toBe(3)
    expect(await outputOf(home, ['restrict', '--list'])).toMatch(
      /participant +Bob Marsh +local +\d{4}-\d\d-\d\d +\(erased\)/,
    )
    expect((await exported(home)).filter((reason) => reason === '(erased)')).toHaveLength(4)
    // What is anonymised may be named in them.
    await outputOf(home, ['anonymise', '--session', 'quay', '--yes'])
    expect((await exported(home)).every((reason) => reason === '(erased)')).toBe(true)
    expect(await problems(home)).toEqual([])
  })

  test('that an older version wrote into other rows are sealed by keys encrypt', { timeout: 200_000 }, async () => {
    const home = await filled(await directorySettings())
    await home.inDatabase(`update erasures set reason = '${reasonOf('erasure')}' where scope = 'session'`)
    await home.inDatabase(`update restricted_participants set reason = '${reasonOf('participant')}'`)
    await expectShown(home)
    expect(await canariesInTables(home, [canary])).toHaveLength(2)
    await outputOf(home, ['keys', 'encrypt'])
    await expectShown(home)
    await expectNowhere(home)
  })
})
