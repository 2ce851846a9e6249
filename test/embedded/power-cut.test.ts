import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, expect, test } from 'vitest'

import { openEngine } from '../../src/store/embedded/engine/durable-fs.ts'
import { distPath } from '../support/built.ts'
import { StoreFixture, faultCycles } from './store-fixture.ts'

const scratch = mkdtempSync(join(tmpdir(), 'verbatim-power-'))
const cycles = faultCycles(3)

afterAll(() => {
  rmSync(scratch, { recursive: true, force: true })
})

test(
  `every acknowledged row is there after each of ${cycles} power cuts`,
  { timeout: 60_000 + cycles * 15_000 },
  async () => {
    const database = join(scratch, 'db')
    const image = distPath('store/embedded/image.gz')
    const acknowledged = new Set<number>()
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      const store = new StoreFixture(database)
      const before = acknowledged.size
      const run = store.startScript('power-cut.ts', [image, String(50 + Math.random() * 400)], (line) => {
        acknowledged.add(Number(line))
      })
      const { errors } = await run.exit
      expect(errors).toBe('')
      expect(run.child.signalCode).toBe('SIGKILL')
      expect(acknowledged.size).toBeGreaterThan(before)
      const engine = await openEngine(database)
      const { rows } = await engine.query<{ n: number }>('select n from saved')
      const stored = new Set(rows.map(({ n }) => n))
      expect([...acknowledged].filter((n) => !stored.has(n))).toEqual([])
      await engine.close()
    }
  },
)
