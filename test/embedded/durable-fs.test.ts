import { appendFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, expect, test } from 'vitest'

import { seededRandom } from '../../bench/measure.ts'
import { DurableFS, openEngine } from '../../src/store/embedded/engine/durable-fs.ts'
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

test('a file ends where it ends on the disk, whatever was done to it', async () => {
  const dataDir = join(scratch, 'ends')
  const engine = await openEngine(dataDir, { image })
  const { FS } = engine.Module
  const [write, readWrite, create, truncates, appends] = [1, 2, 64, 512, 1024]
  const { mountpoint } =
    FS.root.mount.mounts.find(({ opts }: { opts: { root?: string } }) => opts.root === dataDir) ?? raise(dataDir)
  const place = (name: string) => `${mountpoint}/${name}`
  const files = ['one', 'two', 'three']
  const open = new Map(files.map((name) => [name, FS.open(place(name), readWrite | create)] as const))
  const random = seededRandom(7)
  const pick = (below: number) => Math.floor(random() * below)
  const endOf = (name: string) => FS.llseek(open.get(name) ?? raise(name), 0, 2)
  for (let step = 0; step < 600; step++) {
    const name = files[pick(files.length)] ?? ''
    const stream = open.get(name) ?? raise(name)
    const bytes = new Uint8Array(1 + pick(20_000)).fill(step)
    const size = statSync(join(dataDir, name)).size
    switch (pick(8)) {
      case 0:
        FS.write(stream, bytes, 0, bytes.length, pick(size + 5_000))
        break
      case 1:
        FS.llseek(stream, 0, 2)
        FS.write(stream, bytes, 0, bytes.length)
        break
      case 2:
        FS.ftruncate(stream.fd ?? raise(name), pick(30_000))
        break
      case 3:
        FS.truncate(place(name), pick(30_000))
        break
      case 4: {
        const other = FS.open(place(name), write | appends)
        FS.write(other, bytes, 0, bytes.length)
        FS.close(other)
        break
      }
      case 5:
        FS.close(FS.open(place(name), write | truncates))
        break
      case 6: {
        const target = files[(files.indexOf(name) + 1) % files.length] ?? ''
        FS.close(open.get(target) ?? raise(target))
        FS.rename(place(name), place(target))
        open.set(target, stream)
        open.set(name, FS.open(place(name), readWrite | create))
        break
      }
      default:
        FS.unlink(place(name))
        FS.close(stream)
        open.set(name, FS.open(place(name), readWrite | create))
    }
    for (const one of files) expect([step, one, endOf(one)]).toEqual([step, one, statSync(join(dataDir, one)).size])
  }
  await engine.close()
})

test('a file that is open twice has one end, which is kept in memory', async () => {
  const dataDir = join(scratch, 'twice')
  const engine = await openEngine(dataDir, { image })
  const { FS } = engine.Module
  const { mountpoint } =
    FS.root.mount.mounts.find(({ opts }: { opts: { root?: string } }) => opts.root === dataDir) ?? raise(dataDir)
  const [readWrite, create] = [2, 64]
  const stream = FS.open(`${mountpoint}/file`, readWrite | create)
  const endOf = (of: typeof stream) => FS.llseek(of, 0, 2)
  expect(endOf(stream)).toBe(0)
  const copy = FS.dupStream(stream)
  FS.write(copy, new Uint8Array(10), 0, 10, 0)
  FS.close(stream)
  expect(endOf(copy)).toBe(10)
  const other = FS.open(`${mountpoint}/file`, readWrite)
  FS.write(other, new Uint8Array(10), 0, 10, 20)
  expect([endOf(copy), endOf(other)]).toEqual([30, 30])
  // Nobody does this to a store that is open; it shows that the system is not asked.
  appendFileSync(join(dataDir, 'file'), 'more')
  expect(endOf(copy)).toBe(30)
  FS.close(copy)
  FS.close(other)
  const again = FS.open(`${mountpoint}/file`, readWrite)
  expect(endOf(again)).toBe(34)
  FS.close(again)
  await engine.close()
})

function raise(name: string): never {
  throw new Error(`${name} is not open`)
}
