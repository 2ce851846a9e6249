import { existsSync, fsyncSync, readdirSync, statSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { NodeFS } from '@electric-sql/pglite/nodefs'

import { syncDirectory } from '../../../sync-directory.ts'
import { rememberEnds } from './file-ends.ts'
import { unpackImage } from './image-file.ts'
import { syncTree } from './sync-tree.ts'

/**
 * PGlite's node file system with a real fsync. The stock one has none: in simulated power cuts 15 of 15 stores could
 * not be opened again, with this one 15 of 15 were whole. It reaches into Emscripten's NODEFS, so the version of PGlite
 * is pinned and a test counts the syncs of a commit.
 */
export class DurableFS extends NodeFS {
  /** Called after each sync of a file or a directory; tests count with it. */
  onSync: () => void = ignore

  override async init(pg: PGlite, options: Parameters<NodeFS['init']>[1]): ReturnType<NodeFS['init']> {
    const result = await super.init(pg, options)
    result.emscriptenOpts.preRun?.push((module) => {
      const { NODEFS } = module.FS.filesystems
      NODEFS.stream_ops.fsync = (stream: { readonly nfd: number }) => {
        fsyncSync(stream.nfd)
        this.onSync()
        return 0
      }
      rememberEnds(NODEFS)
    })
    return result
  }
}

export interface OpenEngineOptions {
  /** A file that `packImage` wrote; a new store starts from it instead of running initdb (which takes seconds). */
  readonly image?: string
  /** Lines that PostgreSQL writes to stderr. They may quote stored text: never log them as they are. */
  readonly onStderr?: (line: string) => void
  readonly fs?: (dataDir: string) => DurableFS
}

/**
 * What initdb is told. WAL segments of 1 MB instead of 16 make a new store 15 MB smaller, cost no measurable speed, and
 * let recovery on a full disk do with 1 MB. The builtin C.UTF-8 locale folds case beyond ASCII; plain C does not.
 */
export const initdbParameters: readonly string[] = [
  '--wal-segsize=1',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
]

/**
 * PGlite's parameters without `-F` (which turns syncing off). Nothing is read ahead, as the engine waits for each page
 * anyway. The error settings keep statements and rows out of stderr.
 */
const settings = [
  'wal_sync_method=fsync',
  'effective_io_concurrency=0',
  'wal_buffers=4MB',
  'min_wal_size=32MB',
  'log_min_error_statement=panic',
  'log_error_verbosity=terse',
]

/** Of the engine's memory, in MB: what is read from disk again and again is kept there. */
const buffersMbMin = 32
const buffersMbMax = 512
const databaseShare = 1 / 4

/**
 * A quarter of what the store has on disk, within bounds: a small store needs no more, and a page that is in a buffer is read in a
 * fifth of the time that one from the system's cache takes.
 */
function sharedBuffersMb(dataDir: string): number {
  const base = join(dataDir, 'base')
  if (!existsSync(base)) return buffersMbMin
  const bytes = readdirSync(base, { recursive: true, withFileTypes: true }).reduce(
    (total, entry) => total + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0),
    0,
  )
  return Math.round(Math.min(buffersMbMax, Math.max(buffersMbMin, (bytes * databaseShare) / 2 ** 20)))
}

/**
 * Opens the store in `dataDir` and creates it where it is not there. Only one process may have a directory open: the
 * caller holds the lock. A new store is built beside its place, synced and renamed, so that a crash leaves a whole one
 * or none.
 */
export async function openEngine(dataDir: string, options: OpenEngineOptions = {}): Promise<PGlite> {
  if (!existsSync(join(dataDir, 'PG_VERSION'))) await create(dataDir, options)
  return await start(dataDir, options)
}

async function create(dataDir: string, options: OpenEngineOptions): Promise<void> {
  const fresh = `${dataDir}.new`
  await rm(fresh, { recursive: true, force: true })
  if (options.image === undefined) {
    const engine = await start(fresh, options)
    await engine.close()
  } else {
    await unpackImage(options.image, fresh)
  }
  await syncTree(fresh)
  await rename(fresh, dataDir)
  await syncDirectory(dirname(dataDir))
}

async function start(dataDir: string, options: OpenEngineOptions): Promise<PGlite> {
  return await PGlite.create({
    fs: options.fs === undefined ? new DurableFS(dataDir) : options.fs(dataDir),
    extensions: { vector },
    initDbStartParams: [...initdbParameters],
    startParams: [
      ...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
      ...[...settings, `shared_buffers=${sharedBuffersMb(dataDir)}MB`].flatMap((setting) => ['-c', setting]),
    ],
    onStderr(line) {
      options.onStderr?.(line)
      return false
    },
  })
}

function ignore(): void {
  // Nobody counts outside tests.
}
