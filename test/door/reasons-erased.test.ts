import { expect, test } from 'vitest'
import { z } from 'zod'

import { openHome } from './support/archived.ts'
import { outputOf, refusalOf } from './support/cli-output.ts'
import type { Home } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'
import type { Tools } from './support/tools.ts'

const restriction = 'the letter of Bob'
const receiptSchema = z.object({ status: z.string(), erased: z.object({ reasons: z.number() }) })
const previewSchema = z.object({ confirm: z.string(), reasons: z.number().optional() })

/** What was said in each session, of Ada and of Bob. */
async function fill(tools: Tools, sessions: readonly string[]): Promise<void> {
  for (const session of sessions)
    await tools.saveAll({
      session_id: session,
      messages: [
        { content: 'The ship is at berth 14.', sender: 'Ada Quill' },
        { content: 'The ship is at berth 15.', sender: 'Bob Marsh' },
      ],
    })
}

const restrictBob = (home: Home) => outputOf(home, ['restrict', '--participant', 'Bob Marsh', '--reason', restriction])
const eraseBob = ['erase', '--participant', 'Bob Marsh'] as const

async function erased(home: Home, args: readonly string[]) {
  const { stdout } = await home.cli([...args, '--yes', '--json'])
  const { status, erased: counts } = receiptSchema.parse(JSON.parse(stdout))
  return { status, reasons: counts.reasons }
}

/** Reasons of actions, the oldest first, as the audit log is written out. */
async function reasonsOf(home: Home, action: string): Promise<(string | undefined)[]> {
  const lines = (await outputOf(home, ['audit', 'export'])).trimEnd().split('\n')
  const entry = z.object({ action: z.string(), reason: z.string().optional() })
  return lines
    .map((line) => entry.parse(JSON.parse(line)))
    .filter((one) => one.action === action)
    .map(({ reason }) => reason)
}

async function change(home: Home, statement: string): Promise<void> {
  await home.inDatabase(statement)
  // What knew its rows before does not any more.
  await home.endDaemon()
}

test('why somebody was restricted stays as long as others keep something of theirs', { timeout: 200_000 }, async () => {
  const home = await openHome({})
  const server = await HttpHome.start(home)
  const token = (name: string) =>
    server.newToken('--name', name, '--principal', name, '--scopes', 'memory:read,memory:write,memory:delete')
  const ada = await server.tools(await token('ada'))
  const eve = await server.tools(await token('eve'))
  await fill(ada, ['harbour', 'quay', 'pier'])
  await outputOf(home, ['access', 'grant', 'quay', 'ada', '--role', 'owner'])
  await restrictBob(home)
  const forget = async (tools: Tools) => {
    const { confirm } = previewSchema.parse((await tools.call('forget', { participant: 'Bob Marsh' })).structured)
    const { structured } = await tools.call('forget', { participant: 'Bob Marsh', confirm })
    return receiptSchema.parse(structured)
  }
  const first = await forget(eve)
  expect(first).toMatchObject({ status: 'erased', erased: { reasons: 0 } })
  expect(await reasonsOf(home, 'participant.restrict')).toEqual([restriction])
  // Nothing is left that she sees, and she is not told whether there is more.
  expect(await eve.refusal('forget', { participant: 'Bob Marsh' })).toMatch(/nothing to erase/)

  expect(await forget(ada)).toMatchObject({ status: 'erased', erased: { reasons: 1 } })
  expect(await reasonsOf(home, 'participant.restrict')).toEqual(['(erased)'])
})

test('what legal holds keep whole is told as that, and keeps its reasons', { timeout: 200_000 }, async () => {
  const home = await openHome({})
  const tools = await home.tools()
  await fill(tools, ['harbour'])
  await restrictBob(home)
  const { confirm } = previewSchema.parse(JSON.parse(await outputOf(home, [...eraseBob, '--json'])))
  await outputOf(home, ['retention', 'hold', 'harbour', '--reason', 'court'])
  expect((await home.cli([...eraseBob, '--confirm', confirm])).code).toBe(2)
  expect(await erased(home, eraseBob)).toEqual({ status: 'on_hold', reasons: 0 })
  expect(await reasonsOf(home, 'participant.restrict')).toEqual([restriction])
})

test('of somebody whose messages went with their session the reasons can be erased', { timeout: 200_000 }, async () => {
  const home = await openHome({})
  await fill(await home.tools(), ['harbour'])
  await restrictBob(home)
  await outputOf(home, ['erase', '--session', 'harbour', '--yes'])
  expect(await reasonsOf(home, 'participant.restrict')).toEqual([restriction])
  expect(await outputOf(home, eraseBob)).toContain('\n  and 1 reason\n')
  expect(await erased(home, eraseBob)).toEqual({ status: 'erased', reasons: 1 })
  expect(await reasonsOf(home, 'participant.restrict')).toEqual(['(erased)'])
  expect(await refusalOf(home, eraseBob)).toMatch(/nothing to erase/)
  // What is said at the end of it would be left for good.
  await outputOf(home, ['unrestrict', '--participant', 'Bob Marsh', '--reason', 'Bob has left'])
  expect(await reasonsOf(home, 'participant.unrestrict')).toEqual(['(erased)'])
})

test(
  'a session whose key is missing is held, released and erased, with the reasons',
  { timeout: 200_000 },
  async () => {
    const home = await openHome({})
    await fill(await home.tools(), ['harbour', 'quay'])
    await outputOf(home, ['retention', 'hold', 'harbour', '--reason', 'court'])
    await change(
      home,
      `delete from encryption_keys where session_id = (select id from sessions where external_id = 'harbour')`,
    )
    await outputOf(home, ['retention', 'hold', 'harbour', '--reason', 'another court'])
    await outputOf(home, ['restrict', 'harbour', '--reason', 'disputed'])
    await outputOf(home, ['retention', 'release', 'harbour', '--reason', 'settled'])
    expect(await reasonsOf(home, 'session.hold')).toEqual([
      '(cannot be read: it was altered, or its key is missing)',
      'another court',
    ])
    expect(await reasonsOf(home, 'session.release')).toEqual(['settled'])
    expect(await erased(home, ['erase', '--session', 'harbour'])).toEqual({ status: 'erased', reasons: 4 })
    expect(await reasonsOf(home, 'session.release')).toEqual(['(erased)'])
    expect(await reasonsOf(home, 'session.restrict')).toEqual(['(erased)'])
  },
)

test('one that was altered stops no change of keys, and keeps its own', { timeout: 300_000 }, async () => {
  const home = await openHome({})
  await fill(await home.tools(), ['harbour'])
  await outputOf(home, ['retention', 'hold', 'harbour', '--reason', 'court'])
  await outputOf(home, ['retention', 'release', 'harbour', '--reason', 'settled'])
  await restrictBob(home)
  const alter = `update reasons set body = set_byte(body, 20, get_byte(body, 20) # 1)`
  await change(home, `${alter} where id = (select min(id::text)::uuid from reasons where session_id is not null)`)
  await change(home, `${alter} where about is not null`)
  const told = async () => [await reasonsOf(home, 'session.hold'), await reasonsOf(home, 'session.release')].flat()
  const shown = await told()
  expect(shown).toHaveLength(2)
  expect(shown).toContain('(cannot be read: it was altered, or its key is missing)')

  const rotate = async () => {
    const { code, stdout } = await home.cli(['keys', 'rotate-session', 'harbour'])
    expect(stdout).toContain(
      'PROBLEM 1 reason cannot be opened and stays as it is, with the old key: verbatim audit verify',
    )
    expect(code).toBe(1)
    return /by version (\d+)/.exec(stdout)?.[1]
  }
  // Each gives it a new key, although an old one is there still.
  expect([await rotate(), await rotate()]).toEqual(['2', '3'])
  expect(await told()).toEqual(shown)
  const { code, stdout } = await home.cli(['keys', 'decrypt'])
  expect(stdout).toMatch(
    /PROBLEM reason \S+ stays as it was: it was altered or its key is missing: "verbatim audit verify"/,
  )
  expect(stdout).toMatch(/decrypted 2 messages of 1 session/)
  expect(code).toBe(1)
  expect((await home.cli(['doctor'])).stdout).not.toContain('being decrypted')
  expect(await told()).toEqual(shown)
  await outputOf(home, ['keys', 'encrypt'])
  expect(await told()).toEqual(shown)
  expect(await erased(home, ['erase', '--session', 'harbour'])).toEqual({ status: 'erased', reasons: 2 })
})

test(
  'those of receipts and restrictions are proved too, in a store that is not encrypted',
  { timeout: 200_000 },
  async () => {
    const home = await openHome({ VERBATIM_ENCRYPTION: 'off' })
    await fill(await home.tools(), ['harbour', 'quay'])
    await restrictBob(home)
    await outputOf(home, ['erase', '--session', 'quay', '--yes', '--reason', 'the letter of Ada'])
    const verify = async () => (await home.cli(['audit', 'verify'])).stdout
    expect(await verify()).not.toContain('PROBLEM')
    await change(home, `update reasons set body = set_byte(body, 40, get_byte(body, 40) # 1)`)
    const told = await verify()
    expect(told).toMatch(/PROBLEM receipt [\da-f-]{36} has another reason than was given for it\n/)
    expect(told).toContain('PROBLEM the restriction of "Bob Marsh" has another reason than was given for it\n')
    expect((await home.cli(['audit', 'verify'])).code).toBe(1)
    // What is erased is gone where nothing is sealed as well.
    expect(await erased(home, eraseBob)).toEqual({ status: 'erased', reasons: 1 })
    expect(await verify()).not.toContain('the restriction of')
  },
)

test('that of a correction goes with the correction', { timeout: 200_000 }, async () => {
  const home = await openHome({})
  const tools = await home.tools()
  await fill(tools, ['harbour'])
  await outputOf(home, ['correct', 'harbour', '1', '--content', 'The ship is at berth 41.', '--reason', 'Ada said so'])
  const correction = (await tools.session('harbour')).messages.at(-1)
  expect(correction?.text ?? correction?.content).toBe('The ship is at berth 41.')
  expect(await reasonsOf(home, 'message.correct')).toEqual(['Ada said so'])
  expect(await erased(home, ['erase', '--message', correction?.id ?? ''])).toEqual({ status: 'erased', reasons: 1 })
  expect(await reasonsOf(home, 'message.correct')).toEqual(['(erased)'])
})

test('those of a session go with its row, whoever deletes it', { timeout: 200_000 }, async () => {
  const home = await openHome({})
  await fill(await home.tools(), ['harbour', 'quay'])
  for (const session of ['harbour', 'quay'])
    await outputOf(home, ['retention', 'hold', session, '--reason', `court of ${session}`])
  // As a version before reasons does it, which knows nothing of them.
  await change(home, `delete from sessions where external_id = 'harbour'`)
  expect(await reasonsOf(home, 'session.hold')).toEqual(['(erased)', 'court of quay'])
})
