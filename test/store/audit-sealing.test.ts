import { describe, expect, it } from 'vitest'

import { sealAll } from '../../src/audit/seal-log.ts'
import { verifyAudit, type AuditReport } from '../../src/audit/verify-audit.ts'
import { localCaller } from '../../src/model/access.ts'
import { writeAudit } from '../../src/store/audit/audit-log.ts'
import { inTransaction } from '../../src/store/transaction.ts'
import { useStore } from '../sessions/store.ts'

const store = useStore()
const caller = localCaller('test')
const database = () => store.open.stores.database
const verified = () => verifyAudit(database(), caller)

/** The background work of the store seals too, and only one does at a time. */
async function sealed(): Promise<AuditReport> {
  for (;;) {
    await sealAll(database())
    const report = await verified()
    if (report.waiting === 0) return report
  }
}

const write = (action: string) => database().run((sql) => writeAudit(sql, caller, { action, outcome: 'ok' }))

describe('sealing', () => {
  it('passes over no row that becomes visible after rows with higher numbers were sealed', async () => {
    // The embedded store has one transaction at a time.
    if (database().kind === 'embedded') return
    let end: () => void = () => undefined
    const over = new Promise<void>((resolve) => {
      end = resolve
    })
    let late: Promise<unknown> = Promise.resolve()
    const id = await new Promise<number>((resolve) => {
      late = database().run((sql) =>
        inTransaction(sql, async (transaction) => {
          await writeAudit(transaction, caller, { action: 'test.late', outcome: 'ok' })
          const [row] = await transaction<
            { id: string }[]
          >`select max(id) as id from audit_log where action = 'test.late'`
          resolve(Number(row?.id))
          await over
        }),
      )
    })
    await write('test.after')
    await sealed()
    end()
    await late
    expect(await sealed()).toMatchObject({ problem_count: 0 })
    const [seal] = await database().run(
      (sql) => sql<{ seals: number; later: boolean }[]>`
        select count(*)::int as seals,
          bool_and(number > (select min(number) from audit_seals where tenant_id = 1 and last_id > ${id})) as later
        from audit_seals where tenant_id = 1 and ${id} = any(row_ids)`,
    )
    expect(seal).toEqual({ seals: 1, later: true })
  })

  it('is done once, by however many processes at once', async () => {
    for (let row = 0; row < 20; row++) await write('test.read')
    await Promise.all(Array.from({ length: 8 }, () => sealAll(database())))
    expect(await sealed()).toMatchObject({ problem_count: 0, waiting: 0 })
  })

  it('seals many rows in pages, as of a store of before there were seals', async () => {
    await database().run(
      (sql) => sql`
        insert into audit_log (tenant_id, actor, actor_kind, action, outcome)
        select 1, 'local', 'principal', 'test.read', 'ok' from generate_series(1, 5000)`,
    )
    const report = await sealed()
    expect(report).toMatchObject({ problem_count: 0, waiting: 0 })
    expect(report.rows).toBeGreaterThanOrEqual(5_000)
  })

  it('goes on where transactions are counted anew, as on another server', async () => {
    const before = await verified()
    // As after a dump was brought to a server that has counted less: rows and snapshot are of the future there.
    await database().run((sql) =>
      inTransaction(sql, async (transaction) => {
        await transaction`alter table audit_log disable trigger user`
        await transaction`alter table audit_seals disable trigger user`
        await transaction`delete from audit_seals`
        await transaction`update audit_log set written_in = (written_in::text::bigint + 1000000000)::text::xid8`
        await transaction`update audit_sealing set sealed_snapshot = '4000000000:4000000000:', server = 'another'`
        await transaction`alter table audit_log enable trigger user`
        await transaction`alter table audit_seals enable trigger user`
      }),
    )
    expect(await sealed()).toMatchObject({ problem_count: 0, waiting: 0, rows: before.rows })
    await write('test.read')
    expect(await sealed()).toMatchObject({ problem_count: 0, waiting: 0, rows: before.rows + 1 })
  })
})
