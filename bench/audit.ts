import { readAudit } from '../src/audit/read-audit.ts'
import { openVerbatim } from '../src/compose.ts'
import { readConfig } from '../src/config.ts'
import { localCaller } from '../src/model/access.ts'
import type { AuditSubject } from '../src/store/audit/audit-read.ts'
import type { Verbatim } from '../src/verbatim.ts'
import { BenchHome } from './bench-home.ts'
import type { Bench } from './bench.ts'
import type { Figure } from './figure.ts'
import { median, timed } from './measure.ts'

const caller = localCaller('bench')
const rowsPerInsert = 20_000
const sessionCount = 5_000
const rounds = 5

/** The id of a session by its number, in SQL and here. */
const sessionIn = (number: string) => `'00000000-0000-7000-8000-' || lpad((${number})::text, 12, '0')`
const sessionId = (number: number) => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`

/** As they are of saves, of searches that showed five messages each, and of pages that were read, a third each. */
async function addRows({ stores: { database } }: Verbatim, from: number, to: number): Promise<void> {
  const shown = Array.from(
    { length: 5 },
    (_, k) => `(${sessionIn(`(n * 31 + ${k} * 977) % ${sessionCount}`)}) || '/' || ${k + 1} || '-' || ${k + 3}`,
  )
  await database.run((sql) =>
    sql.unsafe(`
      insert into audit_log (tenant_id, at, actor, actor_kind, client, action, object_kind, object_id, outcome, count, objects)
      select ${caller.tenantId}, now() - (${to} - n) * interval '1 second', 'person ' || n % 40, 'principal', 'bench',
        case n % 3 when 0 then 'message.save' when 1 then 'call.tool' else 'call.tool' end,
        case n % 3 when 0 then 'session' end, case n % 3 when 0 then ${sessionIn(`n % ${sessionCount}`)} end, 'ok', 1,
        case n % 3 when 0 then null when 1 then array[${shown.join(', ')}]
          else array[(${sessionIn(`n * 7 % ${sessionCount}`)}) || '/1-50'] end
      from generate_series(${from}, ${to - 1}) n`),
  )
}

async function countAccesses({ stores }: Verbatim, subject: AuditSubject): Promise<number> {
  let count = 0
  for await (const entry of readAudit(stores.database, caller, { subject })) count += entry.outcome === 'ok' ? 1 : 0
  return count
}

/**
 * How long it takes to say who did something with a session or was shown something of it, in a long record. On a PostgreSQL server
 * where DATABASE_URL names an empty database, else on the embedded store.
 */
export const auditBench: Bench = {
  name: 'audit',
  async run({ quick, say }) {
    const total = quick ? 50_000 : 1_000_000
    await using home = new BenchHome()
    const databaseUrl = process.env['DATABASE_URL']
    const settings = { DATABASE_URL: databaseUrl, VERBATIM_HOME: home.path, VERBATIM_EMBEDDER: 'none' }
    const verbatim = await openVerbatim(readConfig({ ...settings, VERBATIM_LOG_LEVEL: 'silent' }))
    try {
      for (let from = 0; from < total; from += rowsPerInsert) await addRows(verbatim, from, from + rowsPerInsert)
      await verbatim.stores.database.run((sql) => sql`analyze audit_log`)
      say(`${total} rows are there`)
      const figures: Figure[] = []
      const subjects = [
        ['a session', {}],
        ['one message', { seq: 3 }],
      ] as const
      for (const [name, of] of subjects) {
        const times: number[] = []
        let found = 0
        for (let round = 0; round < rounds; round++) {
          const subject = { sessionId: sessionId(17 + round * 101), ...of }
          times.push(await timed(async () => (found = await countAccesses(verbatim, subject))))
        }
        figures.push({
          name: `who accessed ${name}, of ${total} rows`,
          value: median(times),
          unit: 'ms',
          samples: rounds,
        })
        say(`${name}: ${found} rows in the last round`)
      }
      const where = databaseUrl === undefined ? 'the embedded store' : 'a PostgreSQL server'
      return { bench: 'audit', figures, notes: [`On ${where}. ${sessionCount} sessions; sealing goes on meanwhile.`] }
    } finally {
      await verbatim[Symbol.asyncDispose]()
    }
  },
}
