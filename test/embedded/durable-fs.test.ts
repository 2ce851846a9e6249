import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, expect, test } from 'vitest'

import { DurableFS, openEngine } from '../../src/store/embedded/durable-fs.ts'
import { distPath } from '../support/built.ts'

const scratch = mkdtempSync(join(tmpdir(), 'verbatim-durable-'))
const image = distPath('store/embedded/image.gz')

afterAll(() => {
  rmSync(scratch, { recursive: true, force: true })
})

test('openEngine() syncs at least once for each commit', async () => {
  let syncs = 0
  const fs = (dataDir: string): DurableFS => {
    const durable = new DurableFS(dataDir)
    durable.onSync = () => {
      syncs += 1
    }
    return durable
  }
  const engine = await openEngine(join(scratch, 'db'), { image, fs })
  await engine.exec('create table counted (n int)')
  const before = syncs
  for (let n = 0; n < 20; n += 1) await engine.query('insert into counted values ($1)', [n])
  expect(syncs - before).toBeGreaterThanOrEqual(20)
  const quiet = syncs
  await engine.query('select * from counted')
  expect(syncs).toBe(quiet)
  await engine.close()
})

test('openEngine() leaves no half-made store when creation fails', async () => {
  const dataDir = join(scratch, 'broken')
  await expect(openEngine(dataDir, { image: join(scratch, 'absent.gz') })).rejects.toThrow('absent.gz')
  expect(existsSync(dataDir)).toBe(false)
  const engine = await openEngine(dataDir, { image })
  await engine.close()
  expect(existsSync(`${dataDir}.new`)).toBe(false)
})

test('openEngine() without an image makes a store that folds case beyond ASCII', { timeout: 60_000 }, async () => {
  const engine = await openEngine(join(scratch, 'initdb'))
  const { rows } = await engine.query<{ folded: string; synced: string; vector: string }>(
    `select lower('ÄÖÜ') as folded, current_setting('fsync') as synced, default_version as vector
     from pg_available_extensions where name = 'vector'`,
  )
  expect(rows).toEqual([{ folded: 'äöü', synced: 'on', vector: '0.8.7' }])
  await engine.close()
})
