import { randomBytes } from 'node:crypto'

import { openVerbatim } from '../src/compose.ts'
import { readConfig } from '../src/config.ts'
import { newMaterial, wrapAlgorithm, wrapKey, type KeyName } from '../src/crypto/wrapped-key.ts'
import { rotateRootKey } from '../src/keys/rotate-root-key.ts'
import { rotateTenantKey } from '../src/keys/rotate-tenant-key.ts'
import { localCaller } from '../src/model/access.ts'
import { newId } from '../src/model/ids.ts'
import { openTenantKeys } from '../src/store/keys/tenant-keys.ts'
import type { Verbatim } from '../src/verbatim.ts'
import { BenchHome } from './bench-home.ts'
import type { Bench } from './bench.ts'
import type { Figure } from './figure.ts'
import { timed } from './measure.ts'

const caller = localCaller('bench')
const keysPerInsert = 1_000
const secondsMax = 60

/** Keys of sessions that hold nothing, wrapped as those of all others are. */
async function addKeys({ stores: { database } }: Verbatim, count: number): Promise<void> {
  const { tenantId } = caller
  const keys = await openTenantKeys((work) => database.run(work), database.vault.settings, tenantId)
  if (keys === undefined) throw new Error('The tenant has no key')
  for (let done = 0; done < count; done += keysPerInsert) {
    const rows = Array.from({ length: Math.min(keysPerInsert, count - done) }, () => {
      const name: KeyName = { tenantId, purpose: 'session', id: newId(), sessionId: newId(), version: 1 }
      return { id: name.id, s: name.sessionId, w: wrapKey(keys.newest.key, name, newMaterial()).toString('base64') }
    })
    await database.run(
      (sql) => sql`
        insert into encryption_keys (tenant_id, id, purpose, session_id, version, algorithm, wrapped, wrapped_by)
        select ${tenantId}, id, 'session', s, 1, ${wrapAlgorithm}, decode(w, 'base64'), ${keys.newest.id}
        from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as key(id uuid, s uuid, w text)`,
    )
  }
}

/** Reads a session again and again, each time in a process's state that holds no key yet, while `work` is done. */
async function whileReading(open: () => Promise<Verbatim>, sessionId: string, work: () => Promise<unknown>) {
  const over = new AbortController()
  let failed = 0
  const times: number[] = []
  const reading = (async () => {
    while (!over.signal.aborted) {
      const fresh = await open()
      try {
        times.push(await timed(() => fresh.getSession(caller, { sessionId, limit: 1, maxTokens: 1_000, view: 'full' })))
      } catch {
        failed++
      } finally {
        await fresh[Symbol.asyncDispose]()
      }
    }
  })()
  const tookMs = await timed(work)
  over.abort()
  await reading
  return { tookMs, reads: times.length, failed, slowestMs: Math.max(0, ...times) }
}

/**
 * How long it takes to change the keys of a store with many sessions while it is read. On a PostgreSQL server where
 * DATABASE_URL names an empty database, else on the embedded store.
 */
export const keysBench: Bench = {
  name: 'keys',
  async run({ quick, say }) {
    const count = quick ? 5_000 : 100_000
    await using home = new BenchHome()
    const databaseUrl = process.env['DATABASE_URL']
    const [first, second] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')]
    const settings = {
      DATABASE_URL: databaseUrl,
      VERBATIM_HOME: home.path,
      VERBATIM_EMBEDDER: 'none',
      VERBATIM_LOG_LEVEL: 'silent',
      VERBATIM_ENCRYPTION: 'on',
      VERBATIM_ROOT_KEY: first,
      VERBATIM_NEXT_ROOT_KEY: second,
    }
    const open = () => openVerbatim(readConfig(settings))
    const verbatim = await open()
    try {
      const messages = [{ content: 'a word about marzipan', sender: 'Ann', role: 'user' as const }]
      const { session_id: sessionId } = await verbatim.saveMessages(caller, { messages })
      await addKeys(verbatim, count)
      say(`${count} keys are there`)
      const begunMs = performance.now()
      let wrappedMs = begunMs
      const tenant = await whileReading(open, sessionId, () =>
        rotateTenantKey(verbatim.stores, caller.tenantId, () => {
          wrappedMs = performance.now()
        }),
      )
      const root = await whileReading(open, sessionId, () => rotateRootKey(verbatim.stores))
      const figures: Figure[] = [
        {
          name: `the keys of ${count} sessions wrapped by another`,
          value: (wrappedMs - begunMs) / 1_000,
          unit: 's',
          bound: { of: 'value', atMost: secondsMax },
        },
        {
          name: 'and their copies in the archive too',
          value: tenant.tookMs / 1_000,
          unit: 's',
        },
        { name: 'the slowest read meanwhile', value: tenant.slowestMs, unit: 'ms', samples: tenant.reads },
        { name: 'another root key', value: root.tookMs / 1_000, unit: 's', bound: { of: 'value', atMost: secondsMax } },
        {
          name: 'reads that failed meanwhile',
          value: tenant.failed + root.failed,
          unit: '',
          samples: tenant.reads + root.reads,
          bound: { of: 'value', atMost: 0 },
        },
      ]
      const where = databaseUrl === undefined ? 'the embedded store' : 'a PostgreSQL server'
      return { bench: 'keys', figures, notes: [`On ${where}. A read opens the store anew each time.`] }
    } finally {
      await verbatim[Symbol.asyncDispose]()
    }
  },
}
