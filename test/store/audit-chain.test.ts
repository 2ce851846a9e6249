import { isDeepStrictEqual } from 'node:util'

import fc from 'fast-check'
import type { Sql, TransactionSql } from 'postgres'
import { beforeAll, describe, expect, it } from 'vitest'

import type { AuditProblem } from '../../src/audit/audit-problems.ts'
import { sealAll, sealPage } from '../../src/audit/seal-log.ts'
import { verifyAudit, type AuditReport } from '../../src/audit/verify-audit.ts'
import { localCaller } from '../../src/model/access.ts'
import { writeAudit } from '../../src/store/audit/audit-log.ts'
import type { Database } from '../../src/store/database.ts'
import { inTransaction } from '../../src/store/transaction.ts'
import { useStore } from '../sessions/store.ts'

const store = useStore()
const caller = localCaller('test')
const other = localCaller('test', 2)
const database = () => store.open.stores.database

/** Rows of two tenants, with numbers between them that nobody has, in many seals. */
async function writeLog(): Promise<void> {
  for (let round = 0; round < 40; round++) {
    await database().run((sql) =>
      inTransaction(sql, async (transaction) => {
        for (let row = 0; row < 1 + (round % 7); row++) {
          await writeAudit(transaction, caller, { action: 'test.read', outcome: 'ok', objectId: `${round}.${row}` })
          if (row % 3 === 0) await writeAudit(transaction, other, { action: 'test.read', outcome: 'ok', count: row })
          if (row % 4 === 0) await transaction`select nextval(pg_get_serial_sequence('audit_log', 'id'))`
        }
      }),
    )
    await sealAll(database())
  }
}

beforeAll(async () => {
  await database().run((sql) => sql`insert into tenants (id, name) values (2, 'other') on conflict do nothing`)
  await writeLog()
})

const verified = (sql?: Sql | TransactionSql): Promise<AuditReport> =>
  verifyAudit(sql === undefined ? database() : within(sql), caller)

function within(sql: Sql | TransactionSql): Pick<Database, 'run' | 'vault'> {
  return { vault: database().vault, run: (work) => Reflect.apply(work, undefined, [sql]) }
}

class Undo extends Error {}

/** What is found after something was done to the tables by who owns them and has taken the triggers away; it is undone then. */
async function afterTampering(tamper: (sql: TransactionSql) => Promise<unknown>): Promise<AuditReport> {
  let report: AuditReport | undefined
  await database()
    .run((sql) =>
      inTransaction(sql, async (transaction) => {
        for (const table of ['audit_log', 'audit_seals'])
          await transaction.unsafe(`alter table ${table} disable trigger user`)
        await tamper(transaction)
        report = await verified(transaction)
        throw new Undo()
      }),
    )
    .catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error
    })
  if (report === undefined) throw new Error('nothing was verified')
  return report
}

const rowsTold = ({ problems }: AuditReport) => problems.flatMap(({ row }) => row ?? []).toSorted((a, b) => a - b)
const sealsTold = ({ problems }: AuditReport) =>
  problems.flatMap(({ row, seal }) => (row === undefined ? (seal ?? []) : [])).toSorted((a, b) => a - b)

/** The background work of the store seals too, and only one does at a time. */
async function sealed(): Promise<AuditReport> {
  for (;;) {
    await sealAll(database())
    const report = await verified()
    if (report.waiting === 0) return report
  }
}

describe('the log', () => {
  it('has nothing wrong, and all of its rows are sealed', async () => {
    const report = await sealed()
    expect(report).toMatchObject({ problem_count: 0, problems: [] })
    expect(report.rows).toBeGreaterThan(100)
    expect(report.seals).toBeGreaterThan(30)
  })

  it('takes no change, also from who owns the tables', async () => {
    for (const table of ['audit_log', 'audit_seals'])
      for (const statement of [`update ${table} set tenant_id = 2`, `delete from ${table}`, `truncate ${table}`])
        await expect(database().run((sql) => sql.unsafe(statement))).rejects.toThrow(
          `rows of ${table} are only ever added`,
        )
  })

  it('is not written to where there is nothing to seal', async () => {
    const state = () => database().run((sql) => sql`select * from audit_sealing`)
    const before = await state()
    expect(await sealPage(database())).toEqual({ rows: 0, hasMore: false, tenantIds: [] })
    expect(await state()).toEqual(before)
  })
})

const columns = {
  at: `at + interval '1 millisecond'`,
  actor: `actor || 'x'`,
  actor_kind: `'nobody'`,
  client: `'other'`,
  action: `'test.write'`,
  object_kind: `coalesce(object_kind, '') || 'x'`,
  object_id: `coalesce(object_id, '') || 'x'`,
  outcome: `'denied'`,
  reason: `coalesce(reason, '') || 'x'`,
  count: `coalesce(count, 0) + 1`,
  bytes: `coalesce(bytes, 0) + 1`,
  request_id: `coalesce(request_id, '') || 'x'`,
  auth_method: `coalesce(auth_method, '') || 'x'`,
  token_id: `gen_random_uuid()`,
  origin: `coalesce(origin, '') || 'x'`,
  tool: `coalesce(tool, '') || 'x'`,
  policy_version: `coalesce(policy_version, 0) + 1`,
  trace_id: `coalesce(trace_id, '') || 'x'`,
  objects: `array['x']`,
  written_in: `(written_in::text::bigint + 1)::text::xid8`,
} as const

/** One way to tamper, and what has to be told of it. */
interface Tampering {
  readonly name: string
  readonly tamper: (sql: TransactionSql) => Promise<unknown>
  /** No other rows are told. */
  readonly rows?: readonly number[]
  /** Others are told too, where one seal is the reason of what is wrong with the next. */
  readonly seals?: readonly number[]
}

function isTold({ rows, seals = [] }: Tampering, report: AuditReport): boolean {
  const told = new Set(sealsTold(report))
  const hasRows =
    rows === undefined ||
    isDeepStrictEqual(
      rowsTold(report),
      rows.toSorted((a, b) => a - b),
    )
  return hasRows && seals.every((seal) => told.has(seal))
}

/** Numbers that nobody of the tenant has, up to somewhat above the last. */
function freeNumbers(ids: readonly number[]): number[] {
  const taken = new Set(ids)
  return Array.from({ length: (ids.at(-1) ?? 0) + 50 }, (_, index) => index + 1).filter((id) => !taken.has(id))
}

async function insertRow(sql: Sql | TransactionSql, id: number, writtenIn: string): Promise<void> {
  await sql.unsafe(`delete from audit_log where id = ${id}`)
  await sql.unsafe(`insert into audit_log (id, tenant_id, actor, actor_kind, action, outcome, written_in)
    overriding system value values (${id}, 1, 'local', 'principal', 'test.read', 'ok', ${writtenIn})`)
}

async function idsOfTenant(): Promise<number[]> {
  const rows = await database().run(
    (sql) => sql<{ id: string }[]>`select id from audit_log where tenant_id = 1 order by id`,
  )
  return rows.map(({ id }) => Number(id))
}

class Tamperings {
  readonly ids: readonly number[]
  readonly seals: number

  constructor(ids: readonly number[], seals: number) {
    this.ids = ids
    this.seals = seals
  }

  #id(at: number): number {
    return this.ids[at % this.ids.length] ?? 0
  }

  edit(at: number, column: string): Tampering {
    const id = this.#id(at)
    const value = Object.entries(columns).find(([name]) => name === column)?.[1] ?? ''
    return {
      name: `edit ${column}`,
      tamper: (sql) => sql.unsafe(`update audit_log set ${column} = ${value} where id = ${id}`),
      rows: [id],
    }
  }

  delete(at: number, count: number): Tampering {
    const ids = [...new Set(Array.from({ length: count }, (_, next) => this.#id(at + next)))]
    return {
      name: 'delete',
      tamper: (sql) => sql.unsafe(`delete from audit_log where id in (${ids.join(', ')})`),
      rows: ids,
    }
  }

  /** A row of a number that nobody has, that says it was there before. */
  insert(at: number): Tampering {
    const free = freeNumbers(this.ids)
    const id = free[at % free.length] ?? 0
    const like = `(select written_in from audit_log where id = ${this.#id(at)})`
    return { name: 'insert', tamper: (sql) => insertRow(sql, id, like), rows: [id] }
  }

  swap(a: number, b: number): Tampering {
    const [first, second] = [this.#id(a), this.#id(a + 1 + (b % (this.ids.length - 1)))]
    return {
      name: 'swap',
      rows: [first, second],
      async tamper(sql) {
        const move = (from: number, to: number) => sql.unsafe(`update audit_log set id = ${to} where id = ${from}`)
        await sql.unsafe('alter table audit_log alter column id drop identity')
        await move(first, -1)
        await move(second, first)
        await move(-1, second)
      },
    }
  }

  /** The newest rows. */
  truncate(count: number): Tampering {
    const ids = this.ids.slice(-1 - (count % 20))
    return {
      name: 'truncate',
      tamper: (sql) => sql.unsafe(`delete from audit_log where tenant_id = 1 and id >= ${ids[0]}`),
      rows: ids,
    }
  }

  editSeal(at: number, change: string): Tampering {
    const seal = 1 + (at % this.seals)
    return {
      name: change,
      tamper: (sql) => sql.unsafe(`update audit_seals set ${change} where tenant_id = 1 and number = ${seal}`),
      seals: [seal],
    }
  }

  deleteSeal(at: number): Tampering {
    const seal = 1 + (at % (this.seals - 1))
    return {
      name: 'delete seal',
      tamper: (sql) => sql.unsafe(`delete from audit_seals where tenant_id = 1 and number = ${seal}`),
      seals: [seal],
    }
  }
}

const sealChanges = [
  `sealed_at = sealed_at - interval '1 day'`,
  `hash = sha256(hash)`,
  `previous_hash = sha256(previous_hash)`,
  `row_hashes = row_hashes || sha256(row_hashes)`,
  `row_ids = row_ids || 999999::bigint`,
  `first_id = first_id - 1`,
  `last_id = last_id + 1`,
  `format = 2`,
  `sealed_in = (sealed_in::text::bigint + 1)::text::xid8`,
]

describe('verifyAudit()', () => {
  it('names each of 1,000 edits, deletions, insertions, swaps and truncations', async () => {
    const { seals } = await sealed()
    const make = new Tamperings(await idsOfTenant(), seals)
    const at = fc.nat(100_000)
    const tampering = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.tuple(at, fc.constantFrom(...Object.keys(columns))).map(([a, name]) => make.edit(a, name)),
      },
      { weight: 3, arbitrary: fc.tuple(at, fc.integer({ min: 1, max: 5 })).map(([a, count]) => make.delete(a, count)) },
      { weight: 3, arbitrary: at.map((a) => make.insert(a)) },
      { weight: 3, arbitrary: fc.tuple(at, at).map(([a, b]) => make.swap(a, b)) },
      { weight: 1, arbitrary: at.map((count) => make.truncate(count)) },
      {
        weight: 2,
        arbitrary: fc.tuple(at, fc.constantFrom(...sealChanges)).map(([a, change]) => make.editSeal(a, change)),
      },
      { weight: 1, arbitrary: at.map((a) => make.deleteSeal(a)) },
    )
    let runs = 0
    await fc.assert(
      fc.asyncProperty(tampering, async (one) => {
        const report = await afterTampering(one.tamper)
        runs++
        expect({ ...one, report: isTold(one, report) ? 'tells' : report }).toEqual({ ...one, report: 'tells' })
      }),
      { numRuns: 1_000, endOnFailure: true },
    )
    expect(runs).toBe(1_000)
    expect(await verified()).toMatchObject({ problem_count: 0 })
  }, 300_000)

  it('says of swapped rows which is where, and of others that they were edited', async () => {
    const report = await afterTampering(async (sql) => {
      const [a, b, c] = await sql<
        { id: number }[]
      >`select id::int from audit_log where tenant_id = 1 order by id limit 3`
      await sql`update audit_log set actor = 'x' where id = ${c?.id ?? 0}`
      await sql.unsafe('alter table audit_log alter column id drop identity')
      await sql`update audit_log set id = -1 where id = ${a?.id ?? 0}`
      await sql`update audit_log set id = ${a?.id ?? 0} where id = ${b?.id ?? 0}`
      await sql`update audit_log set id = ${b?.id ?? 0} where id = -1`
    })
    const told = report.problems.map(({ problem }: AuditProblem) => problem.replace(/\d+/, 'N'))
    expect(told.toSorted()).toEqual([
      'was edited',
      `was put in another's place: it is what row N was`,
      `was put in another's place: it is what row N was`,
    ])
  })

  it('names rows that were put among older ones before they were sealed', async () => {
    const ids = await idsOfTenant()
    const inserted = freeNumbers(ids)
      .filter((id) => id < (ids.at(-1) ?? 0))
      .slice(0, 40)
    await database().run(async (sql) => {
      await sql.unsafe('alter table audit_log disable trigger user')
      for (const id of inserted) await insertRow(sql, id, 'pg_current_xact_id()')
      await sql.unsafe('alter table audit_log enable trigger user')
    })
    const report = await sealed()
    expect(rowsTold(report)).toEqual(inserted)
    expect(new Set(report.problems.map(({ problem }) => problem))).toEqual(
      new Set(['was put among older rows after they had been sealed']),
    )
  })
})
