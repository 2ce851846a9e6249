import { setTimeout as sleep } from 'node:timers/promises'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { CallLog, type AuditFailure } from '../../src/audit/call-log.ts'
import { ForbiddenError } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import { localCaller } from '../../src/model/access.ts'
import { newId } from '../../src/model/ids.ts'
import { useStore } from '../sessions/store.ts'

const store = useStore()
const database = () => store.open.stores.database
const caller = localCaller('test')
const run = (statement: string) => database().run((sql) => sql.unsafe(statement))

async function rows(tool: string) {
  return [
    ...(await database().run(
      (sql) => sql`select outcome, reason, count::int from audit_log where tool = ${tool} order by id`,
    )),
  ]
}

/** A log that takes no rows of calls, as where an administrator took the right to write it away. */
const block = async () => {
  await run(
    `create function test_block() returns trigger language plpgsql as $$ begin raise exception 'blocked'; end $$`,
  )
  await run(`create trigger test_block before insert on audit_log for each row
    when (new.action like 'call.%') execute function test_block()`)
}
const unblock = () => run('drop function if exists test_block() cascade')

let calls: CallLog | undefined
function open(failure: AuditFailure): CallLog {
  calls = new CallLog({ database: database(), failure })
  return calls
}
const call = (tool: string, writes = false) => ({ action: 'call.tool', tool, writes }) as const
const read = (log: CallLog, tool: string) => log.during(caller, call(tool), async () => 'read')

beforeEach(unblock)
afterEach(async () => {
  await unblock()
  await calls?.close()
})

describe('CallLog', () => {
  it('writes a row of each call within a second, also of those that failed', async () => {
    const log = open('refuse')
    for (let at = 0; at < 20; at++) await read(log, 'one')
    const denied = log.during(caller, call('one'), () => Promise.reject(new ForbiddenError('no')))
    await expect(denied).rejects.toThrow('no')
    await sleep(1_000)
    const written = await rows('one')
    expect(written).toHaveLength(21)
    expect(written.at(-1)).toMatchObject({ outcome: 'denied', reason: 'forbidden' })
  })

  it('writes what waits when it is closed', async () => {
    const log = open('refuse')
    await read(log, 'two')
    await log.close()
    expect(await rows('two')).toHaveLength(1)
  })

  it('ends although the database does not answer, or fails, and says how many rows are lost', async () => {
    for (const run of [() => new Promise<never>(() => undefined), () => Promise.reject(new Error('out of order'))]) {
      let said = ''
      const log = createLog('error', { write: (text: string) => (said += text) })
      const ended = new CallLog({ database: { ...database(), run }, failure: 'continue', log, closeMs: 300 })
      for (let at = 0; at < 3; at++) await read(ended, 'seven')
      // These are being written, and one more waits.
      await sleep(200)
      await read(ended, 'seven')
      const beganMs = performance.now()
      await ended.close()
      expect(performance.now() - beganMs).toBeLessThan(2_000)
      expect(said).toContain('4 rows of the audit log are lost, as they were not written in time: 4 of tenant 1')
    }
  })

  it('refuses what writes while rows cannot be written, answers reads, and writes all rows later', async () => {
    const log = open('refuse')
    await block()
    await read(log, 'three')
    await sleep(600)
    await expect(log.during(caller, call('three', true), async () => 'written')).rejects.toThrow(
      'Cannot do this as what is done cannot be written down',
    )
    expect(await read(log, 'three')).toBe('read')
    expect(await rows('three')).toEqual([])
    await unblock()
    await sleep(2_500)
    expect(await rows('three')).toHaveLength(3)
    expect(await log.during(caller, call('three', true), async () => 'written')).toBe('written')
  })

  it('goes on where the setting says so', async () => {
    const log = open('continue')
    await block()
    await read(log, 'four')
    await sleep(600)
    expect(await log.during(caller, call('four', true), async () => 'written')).toBe('written')
    await unblock()
    await sleep(2_500)
    expect(await rows('four')).toHaveLength(2)
  })

  it('writes one row of a first refusal of a token, and one of those after it with their number', async () => {
    const log = open('refuse')
    const ofToken = (tokenId: string) => ({ ...caller, door: { origin: 'http', auth: 'token', tokenId } as const })
    const [one, other] = [ofToken(newId()), ofToken(newId())]
    const request = { action: 'call.request', tool: 'six' } as const
    for (let at = 0; at < 50; at++) log.deny(one, request, 'token')
    log.deny(other, request, 'token')
    await sleep(600)
    const first = { outcome: 'denied', reason: 'token', count: null }
    expect(await rows('six')).toEqual([first, first])
    for (let at = 0; at < 50; at++) log.deny(one, request, 'token')
    await log.close()
    expect(await rows('six')).toEqual([first, first, { ...first, count: 99 }])
  })

  it('says how many rows of each tenant were lost where they were more than it keeps', async () => {
    const log = open('continue')
    const other = { ...caller, tenantId: 2 }
    await block()
    for (let at = 0; at < 10_005; at++) await read(log, 'five')
    for (let at = 0; at < 3; at++) await log.during(other, call('five'), async () => 'read')
    await unblock()
    const lost = async () => [
      ...(await database().run(
        (sql) => sql`select tenant_id, count::int from audit_log where action = 'audit.lost' order by tenant_id`,
      )),
    ]
    await expect.poll(lost, { timeout: 40_000 }).toEqual([
      { tenant_id: 1, count: 5 },
      { tenant_id: 2, count: 3 },
    ])
    await log.close()
    expect(await rows('five')).toHaveLength(10_000)
  })

  it('loses of many rows those alone that the log does not take, and names them', async () => {
    let said = ''
    const log = createLog('error', { write: (text: string) => (said += text) })
    calls = new CallLog({ database: database(), failure: 'refuse', log })
    await run(
      `create function test_block() returns trigger language plpgsql as $$ begin raise exception 'blocked'; end $$`,
    )
    await run(`create trigger test_block before insert on audit_log for each row
      when (new.tool = 'eleven') execute function test_block()`)
    for (let at = 0; at < 300; at++) await read(calls, at % 10 === 3 ? 'eleven' : 'twelve')
    await calls.settle()
    expect(await rows('twelve')).toHaveLength(270)
    expect(await rows('eleven')).toEqual([])
    const named = said.match(/not the one of call\.tool eleven, call [0-9a-f-]{36} of tenant 1, which is lost/g) ?? []
    const further = [...said.matchAll(/did not take (\d+) further rows, which are lost/g)].map(([, count]) =>
      Number(count),
    )
    expect(named.length).toBeGreaterThanOrEqual(20)
    expect(named.length + further.reduce((sum, count) => sum + count, 0)).toBe(30)
    expect(await calls.during(caller, call('twelve', true), async () => 'written')).toBe('written')
  })

  it('says at its end of which tenants rows are lost', async () => {
    let said = ''
    const log = createLog('error', { write: (text: string) => (said += text) })
    const [newest] = await database().run((sql) => sql<{ last: number }[]>`select max(id)::int as last from audit_log`)
    calls = new CallLog({ database: database(), failure: 'continue', log })
    await block()
    await read(calls, 'eight')
    await read(calls, 'eight')
    await calls.during({ ...caller, tenantId: 2 }, call('eight'), async () => 'read')
    await calls.close()
    expect(said).toContain(
      '3 rows of the audit log are lost, as they were not written in time: 2 of tenant 1, 1 of tenant 2',
    )
    // Whoever writes again says so in the record of each, once.
    await unblock()
    const lost = async () => [
      ...(await database().run(
        (sql) =>
          sql`select tenant_id, count::int from audit_log where action = 'audit.lost' and id > ${newest?.last ?? 0} order by tenant_id`,
      )),
    ]
    for (let times = 0; times < 2; times++) {
      const next = open('refuse')
      await read(next, 'ten')
      await next.close()
      expect(await lost()).toEqual([
        { tenant_id: 1, count: 2 },
        { tenant_id: 2, count: 1 },
      ])
    }
  })

  it('settles what waits, and gives why where it cannot', async () => {
    const log = open('refuse')
    await read(log, 'nine')
    expect(await log.settle()).toBeUndefined()
    expect(await rows('nine')).toHaveLength(1)
    await block()
    await read(log, 'nine')
    expect((await log.settle())?.why).toBe('a trigger or a rule of the database refuses rows of the audit log')
    await unblock()
    expect(await log.settle()).toBeUndefined()
    expect(await rows('nine')).toHaveLength(1)
  })
})
