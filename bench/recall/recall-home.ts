import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { BenchHome } from '../bench-home.ts'
import type { Dataset } from './dataset.ts'
import type { Setting } from './settings.ts'

/** The store of one column of the results: one that is kept below `keep` and used again, or a fresh one. */
export function recallHome(keep: string | undefined, setting: Setting, dataset: Dataset): BenchHome {
  if (keep === undefined) return new BenchHome()
  const keptAt = join(keep, `${setting.name}-${dataset.name}`)
  mkdirSync(keptAt, { recursive: true, mode: 0o700 })
  return new BenchHome({ keptAt })
}
