import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'

import { openHome } from './support/archived.ts'
import { useHome } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'

const home = useHome()
let server: HttpHome

beforeAll(async () => {
  server = await HttpHome.start(home, { keep: true })
})
afterAll(async () => {
  await server.stop()
})

const reportSchema = z.object({
  rows: z.number(),
  seals: z.number(),
  waiting: z.number(),
  problem_count: z.number(),
  problems: z.array(z.object({ row: z.number().optional(), seal: z.number().optional(), problem: z.string() })),
})

async function verify() {
  const { code, stdout } = await home.cli(['audit', 'verify', '--json'])
  return { code, ...reportSchema.parse(JSON.parse(stdout)) }
}

async function untilSealed() {
  for (;;) {
    const report = await verify()
    if (report.waiting === 0) return report
    await sleep(50)
  }
}

/** What an administrator of the database does: one statement after the other, with the triggers of the record off. */
async function tamper(...statements: readonly string[]): Promise<void> {
  const database = home.database()
  const { sql } = database
  const trigger = (state: string) => sql.unsafe(`alter table audit_log ${state} trigger user`)
  try {
    await trigger('disable')
    for (const statement of statements) await sql.unsafe(statement)
    await trigger('enable')
  } finally {
    await database.close()
  }
}

describe('audit verify', () => {
  test('says how many rows and seals there are, one too', async () => {
    const fresh = await openHome({})
    const database = fresh.database()
    onTestFinished(() => database.close())
    const sealed = async () => (await database.sql`select from audit_seals`).length
    for (const said of [/^0 rows in 0 seals: all/m, /^1 row in 1 seal: all/m, /^2 rows in 2 seals: all/m]) {
      const before = await sealed()
      expect((await fresh.cli(['audit', 'verify'])).stdout).toMatch(said)
      await expect.poll(sealed, { timeout: 40_000 }).toBe(before + 1)
    }
  })

  test('finds what was written sealed within a second, and all as it was', async () => {
    const tools = await server.tools()
    for (let saves = 0; saves < 5; saves++) {
      await tools.save({ content: 'The harbour opens at six.', sender: 'Ann' })
      await sleep(300)
    }
    const report = await untilSealed()
    expect(report).toMatchObject({ code: 0, problem_count: 0 })
    expect(report.rows).toBeGreaterThanOrEqual(5)
    const database = home.database()
    const { sql } = database
    const [seals] = await sql<{ quickest: number }[]>`
      select extract(epoch from min(s.sealed_at - a.at))::float8 as quickest
      from audit_log a join audit_seals s on s.tenant_id = a.tenant_id and a.id = any(s.row_ids)
      where a.action = 'message.save'`
    await database.close()
    expect(seals?.quickest).toBeLessThan(1)
  })

  test('names each row that an administrator of the database edited, deleted or inserted, and ends with code 1', async () => {
    const database = home.database()
    const { sql } = database
    const saves = await sql<{ id: string }[]>`select id from audit_log where action = 'message.save' order by id`
    await database.close()
    const [edited, deleted] = saves.map(({ id }) => Number(id))
    await tamper(
      `update audit_log set actor = 'nobody' where id = ${edited}`,
      `delete from audit_log where id = ${deleted}`,
      `insert into audit_log (id, tenant_id, actor, actor_kind, action, outcome, written_in) overriding system value
        select 1000000, 1, 'eve', 'principal', 'message.save', 'ok', written_in from audit_log where id = ${edited}`,
    )
    const report = await verify()
    expect(report).toMatchObject({ code: 1, problem_count: 3 })
    const told = new Map(report.problems.map(({ row, problem }) => [row, problem]))
    expect(told.get(edited)).toBe('was edited')
    expect(told.get(deleted)).toBe('is gone: it was deleted')
    expect(told.get(1_000_000)).toContain('is in no seal')
    const text = await home.cli(['audit', 'verify'])
    expect(text.stdout).toContain(`PROBLEM row ${edited} was edited`)
    expect(text.stdout).toMatch(/\d+ rows in \d+ seals: 3 problems/)
  })
})
