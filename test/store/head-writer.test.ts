import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, expect, it } from 'vitest'

import { DirectoryArchive } from '../../src/adapters/archives/directory-archive.ts'
import { HeadWriter } from '../../src/audit/head-writer.ts'
import { sealAll } from '../../src/audit/seal-log.ts'
import { headKeys, nameOfHash, signingKeyOf } from '../../src/audit/signed-head.ts'
import { createLog } from '../../src/log.ts'
import { localCaller } from '../../src/model/access.ts'
import { writeAudit } from '../../src/store/audit/audit-log.ts'
import { newestSeals, readSeals } from '../../src/store/audit/audit-seals.ts'
import { useStore } from '../sessions/store.ts'

const store = useStore()
const database = () => store.open.stores.database
const directory = mkdtempSync(join(tmpdir(), 'verbatim-heads-'))
afterAll(() => rmSync(directory, { recursive: true }))
const archive = new DirectoryArchive(join(directory, 'archive'))

async function writeAndSeal(): Promise<void> {
  await database().run((sql) => writeAudit(sql, localCaller('test'), { action: 'test.read', outcome: 'ok' }))
  await sealAll(database())
}

/** What stands in the archive of the newest seal, by the record that the database has now. */
async function headOfNewest() {
  const [first] = await database().run((sql) => readSeals(sql, 1, { after: 0, limit: 1 }))
  const [newest] = await database().run((sql) => newestSeals(sql, [1]))
  return { record: nameOfHash(first?.hash ?? ''), hash: nameOfHash(newest?.hash ?? ''), seal: newest?.number }
}

async function heads() {
  const found = []
  for await (const { record, hash, seal } of headKeys(archive, 1)) found.push({ record, hash, seal })
  return found
}

it('HeadWriter signs heads of a record that was made anew beneath it under the name of that', async () => {
  const signingKey = () => Promise.resolve(signingKeyOf(Buffer.alloc(32, 1)))
  const writer = new HeadWriter({ database: database(), archive, log: createLog('silent'), signingKey, everyMs: 1 })
  await writeAndSeal()
  writer.note([1])
  await expect.poll(heads, { timeout: 10_000 }).toHaveLength(1)
  const before = await headOfNewest()
  await database().run(async (sql) => {
    await sql.unsafe('alter table audit_seals disable trigger user')
    await sql.unsafe('delete from audit_seals')
    await sql.unsafe('alter table audit_seals enable trigger user')
    await sql.unsafe(
      'update audit_sealing set sealed_snapshot = null, target_snapshot = null, cursor_tenant = 0, cursor_id = 0',
    )
  })
  await writeAndSeal()
  writer.note([1])
  await writer.stop()
  const after = await headOfNewest()
  expect(after.record).not.toBe(before.record)
  expect(await heads()).toContainEqual(after)
})
