import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { isOnServer } from '../support/test-store.ts'
import { untilIndexed } from './support/archived.ts'
import { Home } from './support/home.ts'
import type { Tools } from './support/tools.ts'
import { Watcher } from './support/watcher.ts'

const trigger = 'a trigger or a rule of the database refuses rows of the audit log'
const outOfOrder = `Cannot do this as what is done cannot be written down: ${trigger}`
const remedy = 'Try again when who administers the database has put the audit log right (docs/audit.md)'
const noRow = `No row of this command could be written to the audit log: ${trigger}`

async function inDatabase<T>(home: Home, work: (sql: ReturnType<Home['database']>['sql']) => Promise<T>): Promise<T> {
  const database = home.database()
  try {
    return await work(database.sql)
  } finally {
    await database.close()
  }
}

/** As where an administrator has put something on the table that fails, with a SQLSTATE. */
async function block(home: Home, code = 'P0001'): Promise<void> {
  await inDatabase(home, async (sql) => {
    // In place of one that is there: nothing is taken in between.
    await sql.unsafe(
      `create or replace function test_block() returns trigger language plpgsql as $$ begin raise exception 'blocked' using errcode = '${code}'; end $$`,
    )
    await sql.unsafe(
      'create or replace trigger test_block before insert on audit_log for each row execute function test_block()',
    )
  })
}

async function unblock(home: Home): Promise<void> {
  await inDatabase(home, (sql) => sql.unsafe('drop function if exists test_block() cascade'))
}

async function rowsOf(home: Home, tool: string): Promise<number> {
  return (await inDatabase(home, (sql) => sql`select from audit_log where tool = ${tool}`)).length
}

describe.each(['refuse', 'continue'] as const)(
  'while the audit log takes no rows, and the setting is %s,',
  (failure) => {
    const home = new Home()
    let tools: Tools

    beforeAll(async () => {
      await home.makeDatabase()
      home.settings = { ...home.settings, VERBATIM_AUDIT_FAILURE: failure, VERBATIM_LOG_LEVEL: 'error' }
      tools = await home.tools()
      await tools.save({ session_id: 'notes', content: 'The harbour opens at six.', sender: 'Ann' })
    })
    afterAll(() => home.dispose())

    test('what was done before has rows', async () => {
      await untilIndexed(home, tools)
      await tools.search({ query: 'harbour' })
      await expect.poll(() => rowsOf(home, 'search_memory'), { timeout: 40_000 }).toBe(1)
      await block(home)
    })

    test('a message, and several, are not saved, and it is said why', async () => {
      const message = { content: 'Berth 14 is free.', sender: 'Ann' }
      const refused = await tools.refusal('save_message', { session_id: 'notes', ...message })
      expect(refused).toBe(`${outOfOrder}. ${remedy}`)
      const several = { session_id: 'other', messages: [message, { content: 'All is well.', sender: 'Ann' }] }
      expect(await tools.refusal('save_messages', several)).toBe(`${outOfOrder}. ${remedy}`)
      const stored = await inDatabase(home, (sql) => sql`select from messages`)
      const sessions = await inDatabase(home, (sql) => sql`select from sessions`)
      expect([stored.length, sessions.length]).toEqual([1, 1])
    })

    // Where writes are refused at once, they are with what was wrong when it was last tried.
    test.runIf(failure === 'continue')('a trigger may raise a code of its own', async () => {
      await block(home, 'AU001')
      const refused = await tools.refusal('save_message', { session_id: 'notes', content: 'No.', sender: 'Ann' })
      expect(refused).toContain('the database takes no row of the audit log (AU001)')
      await block(home)
    })

    test('a session is not changed', async () => {
      const refused = await tools.refusal('update_session', { session_id: 'notes', title: 'Harbour' })
      expect(refused).toBe(`${outOfOrder}. ${remedy}`)
      expect((await tools.session('notes')).title).toBeUndefined()
    })

    test('what reads is answered', async () => {
      expect((await tools.search({ query: 'harbour' })).results).toHaveLength(1)
      expect((await tools.session('notes')).messages).toHaveLength(1)
    })

    test(`what may write, and has no row of its own, is ${failure === 'refuse' ? 'refused' : 'done'}`, async () => {
      const preview = () => tools.client.callTool({ name: 'forget', arguments: { session_id: 'notes' } })
      const said = async () => JSON.stringify((await preview()).content)
      await expect.poll(said, { timeout: 40_000 }).toContain(failure === 'refuse' ? outOfOrder : 'preview')
    })

    test('a command that writes does nothing, and says why', async () => {
      const { code, stdout, stderr } = await home.cli(['token', 'create', '--name', 'ada'])
      expect([code, stdout, stderr]).toEqual([3, '', `verbatim: ${outOfOrder}\n${remedy}\n`])
      expect(await inDatabase(home, (sql) => sql`select from access_tokens`)).toHaveLength(0)
      const held = await home.cli(['retention', 'hold', 'notes', '--reason', 'case 12'])
      expect([held.code, held.stderr]).toEqual([3, `verbatim: ${outOfOrder}\n${remedy}\n`])
      expect(await inDatabase(home, (sql) => sql`select from sessions where legal_hold`)).toHaveLength(0)
    })

    test('a command that reads answers, and says that it has no row', async () => {
      const { code, stdout, stderr } = await home.cli(['search', 'harbour'])
      expect(stdout).toContain('The harbour opens at six.')
      const warning = failure === 'refuse' ? '' : 'warning: '
      expect([code, stderr]).toEqual([
        failure === 'refuse' ? 3 : 0,
        expect.stringMatching(`^verbatim: ${warning}${noRow}\n`),
      ])
    })

    test('a command that fails says so, and that it has no row', async () => {
      const { code, stderr } = await home.cli(['show', 'nothing'])
      expect(code).toBe(2)
      expect(stderr).toContain(`verbatim: warning: ${noRow}\n`)
      expect(stderr).toContain('verbatim: No session "nothing"\n')
    })

    test('doctor says that it takes none, and what is in the way, beside all else that it sees', async () => {
      const { code, stdout, stderr } = await home.cli(['doctor'])
      expect(stdout).toContain(
        `PROBLEM  audit log: takes no rows, and what has to be written down there is not done: ${trigger}\n         Have who administers the database look at what is not of Verbatim on the table audit_log: the trigger test_block\n`,
      )
      expect(stdout).toMatch(/^ok +store: 1 session, 1 message$/m)
      expect([code, stderr]).toEqual([1, expect.stringMatching(`^verbatim: warning: ${noRow}\n`)])
    })

    test('a command that found problems ends as one that did, and says that it has no row', async () => {
      await inDatabase(home, (sql) => sql.unsafe(`update messages set payload_sha256 = sha256('another')`))
      const { code, stdout, stderr } = await home.cli(['verify'])
      expect(stdout).toMatch(/^PROBLEM .*\n.*: 1 problem$/m)
      const warning = failure === 'refuse' ? '' : 'warning: '
      expect([code, stderr]).toEqual([1, expect.stringMatching(`^verbatim: ${warning}${noRow}\n`)])
    })

    test.each(['SIGTERM', 'SIGINT'] as const)(
      'import --watch that is ended by %s says that it has no row, and ends as a command that reads',
      async (signal) => {
        const watcher = new Watcher(home, '--sources', 'claude-code')
        await watcher.ready()
        expect(await watcher.stop(signal)).toBe(failure === 'refuse' ? 3 : 0)
        const warning = failure === 'refuse' ? '' : 'warning: '
        expect(watcher.stderr).toContain(`verbatim: ${warning}${noRow}\n`)
        expect(watcher.stderr).not.toContain('Trying again')
      },
    )

    test('audit verify says how many rows of commands were lost that the record does not tell yet', async () => {
      const { code, stdout } = await home.cli(['audit', 'verify'])
      expect(stdout).toMatch(
        /^NOTE 8 rows could not be written and are lost, and the record does not say so yet: the next row that it takes adds one with the action audit\.lost$/m,
      )
      expect(stdout).toMatch(/: all as they were sealed$/m)
      expect(code).toBe(failure === 'refuse' ? 3 : 0)
      // The command before has lost its own.
      expect(JSON.parse((await home.cli(['audit', 'verify', '--json'])).stdout)).toMatchObject({
        lost: 9,
        problem_count: 0,
      })
    })

    test('the rows of the reads are there when it takes rows again, and saves are made', async () => {
      await unblock(home)
      await expect.poll(() => rowsOf(home, 'search_memory'), { timeout: 40_000 }).toBe(2)
      expect(await rowsOf(home, 'search')).toBe(0)
      const lost = () =>
        inDatabase(home, (sql) => sql`select outcome, count::int from audit_log where action = 'audit.lost'`)
      await expect
        .poll(async () => [...(await lost())], { timeout: 40_000 })
        .toEqual([{ outcome: 'failed', count: 10 }])
      const verified = await home.cli(['audit', 'verify'])
      expect([verified.code, verified.stdout]).toEqual([0, expect.not.stringContaining(' lost')])
      const save = () =>
        tools.client.callTool({ name: 'save_message', arguments: { content: 'Again.', sender: 'Ann' } })
      await expect.poll(async () => (await save()).isError ?? false, { timeout: 40_000 }).toBe(false)
      expect(home.complaints).toContain(outOfOrder)
      expect(home.complaints).not.toContain('internal error')
    })

    test('doctor finds that it takes rows, and leaves nothing of the one that it tried', async () => {
      const saves = () => inDatabase(home, (sql) => sql`select from audit_log where action = 'message.save'`)
      const before = await saves()
      const { stdout } = await home.cli(['doctor'])
      expect(stdout).toMatch(/^ok +audit log: takes rows$/m)
      expect(await saves()).toHaveLength(before.length)
      expect(await rowsOf(home, 'doctor')).toBe(1)
    })
  },
)

describe('where the audit log takes rows, and not those of one tool,', () => {
  const home = new Home()
  let tools: Tools
  beforeAll(async () => {
    await home.makeDatabase()
    home.settings = { ...home.settings, VERBATIM_LOG_LEVEL: 'error' }
    tools = await home.tools()
    await tools.save({ session_id: 'notes', content: 'The harbour opens at six.', sender: 'Ann' })
  })
  afterAll(() => home.dispose())

  test('those of others are written, each that is lost is named and counted, and saves go on', async () => {
    await block(home)
    await inDatabase(home, async (sql) => {
      await sql.unsafe('drop trigger test_block on audit_log')
      await sql.unsafe(`create trigger test_block before insert on audit_log for each row
        when (new.tool = 'list_sessions') execute function test_block()`)
    })
    // Of one moment: they are written together.
    await Promise.all([tools.call('list_sessions'), ...Array.from({ length: 6 }, () => tools.session('notes'))])
    await tools.search({ query: 'harbour' })
    await expect.poll(() => rowsOf(home, 'search_memory'), { timeout: 40_000 }).toBe(1)
    // Around the row that is refused they are written in parts, of which the last may come after that of the search.
    await expect.poll(() => rowsOf(home, 'get_session'), { timeout: 40_000 }).toBe(6)
    expect(await rowsOf(home, 'list_sessions')).toBe(0)
    const lost = () =>
      inDatabase(home, (sql) => sql`select outcome, count::int from audit_log where action = 'audit.lost'`)
    await expect.poll(async () => [...(await lost())], { timeout: 40_000 }).toEqual([{ outcome: 'failed', count: 1 }])
    expect(home.complaints).toMatch(
      /The audit log takes other rows and not the one of call\.tool list_sessions, call [0-9a-f-]{36} of tenant 1, which is lost/,
    )
    await tools.save({ session_id: 'notes', content: 'Berth 14 is free.', sender: 'Ann' })
  })
})

describe('import --watch', () => {
  const home = new Home()
  beforeAll(() => home.makeDatabase())
  afterAll(() => home.dispose())

  test('fails of what the audit log has refused, where it is ended while it waits to try again', async () => {
    await block(home)
    const path = join(home.userHome, 'notes.jsonl')
    writeFileSync(path, `${JSON.stringify({ role: 'user', content: 'Berth 14 is free.' })}\n`)
    const watcher = new Watcher(home, path)
    await watcher.until(() => watcher.stderr.includes('Trying again'))
    expect(await watcher.stop()).toBe(3)
    expect(watcher.stderr).toMatch(new RegExp(`Trying again in \\d+ s.*\n(.*\n)*verbatim: ${outOfOrder}\n`))
    await unblock(home)
  })
})

describe.runIf(isOnServer)('on a server', () => {
  const home = new Home()
  let tools: Tools
  beforeAll(async () => {
    await home.makeDatabase()
    tools = await home.tools()
    await tools.save({ session_id: 'notes', content: 'The harbour opens at six.', sender: 'Ann' })
  })
  afterAll(() => home.dispose())

  test('a change is not made where the role of requests has lost the right to add rows, and it is said why', async () => {
    await inDatabase(home, (sql) => sql.unsafe('revoke insert on audit_log from verbatim_tenant'))
    const refused = await tools.refusal('update_session', { session_id: 'notes', title: 'Harbour' })
    const doctor = await home.cli(['doctor'])
    await inDatabase(home, (sql) => sql.unsafe('grant insert on audit_log to verbatim_tenant'))
    expect(doctor.stdout).toContain(
      'PROBLEM  audit log: takes no rows of requests, and what has to be written down there is not done: the store has no right to add rows to the audit log\n         As the owner of the table: grant insert on audit_log to verbatim_tenant\n',
    )
    expect(refused).toBe(
      `Cannot do this as what is done cannot be written down: the store has no right to add rows to the audit log. ${remedy}`,
    )
    expect((await tools.session('notes')).title).toBeUndefined()
  })

  test('a disk that is full is named', async () => {
    await block(home, '53100')
    const refused = await tools.refusal('save_message', { session_id: 'notes', content: 'x', sender: 'Ann' })
    await unblock(home)
    expect(refused).toContain('Cannot write as the disk of the database server is full')
    expect((await tools.session('notes')).messages).toHaveLength(1)
  })
})
