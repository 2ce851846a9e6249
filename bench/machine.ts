import { execFileSync } from 'node:child_process'
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { median } from './measure.ts'

export const repositoryRoot = fileURLToPath(new URL('..', import.meta.url))

/** What the figures were measured on. */
export interface Machine {
  /** For the names of result files: the operating system, the architecture and the number of cores. */
  readonly kind: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly os: string
  readonly node: string
  /** Milliseconds in which half of the 4 KiB writes reached the disk of the temporary directory. */
  readonly fsyncP50Ms: number
  /** Programs that wanted a core in the minute before: well above 0, and other work disturbs the figures. */
  readonly load: number
  /** `-dirty` is added where files differ from the commit. */
  readonly commit: string
}

const syncs = 200

function fsyncP50Ms(): number {
  const directory = mkdtempSync(join(tmpdir(), 'verbatim-bench-'))
  const file = openSync(join(directory, 'sync'), 'w')
  const page = Buffer.alloc(4096, 7)
  try {
    const times = Array.from({ length: syncs }, (_, index) => {
      const startedAt = performance.now()
      writeSync(file, page, 0, page.length, index * page.length)
      fsyncSync(file)
      return performance.now() - startedAt
    })
    return median(times)
  } finally {
    closeSync(file)
    rmSync(directory, { recursive: true })
  }
}

function commitOf(root: string): string {
  const git = (...args: readonly string[]) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return `${git('rev-parse', '--short=12', 'HEAD')}${git('status', '--porcelain', '--', 'src', 'drizzle') === '' ? '' : '-dirty'}`
  } catch {
    // A copy without its history, or a machine without git: the figures are worth keeping nevertheless.
    return 'unknown'
  }
}

export function describeMachine(): Machine {
  const cores = availableParallelism()
  return {
    kind: `${process.platform}-${process.arch}-${cores}cpu`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${process.platform} ${release()}`,
    node: process.version,
    fsyncP50Ms: Number(fsyncP50Ms().toFixed(3)),
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
    commit: commitOf(repositoryRoot),
  }
}
