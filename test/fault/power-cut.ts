import { fstatSync, openSync, readSync, ftruncateSync, writeSync } from 'node:fs'

import { DurableFS, openEngine } from '../../src/store/embedded/durable-fs.ts'

/**
 * `power-cut.ts <database directory> <image> <milliseconds>`: inserts rows, prints the number of each acknowledged one,
 * and then cuts the power: of all 4 KiB pages that were written and not synced since, a random half gets its old bytes
 * back, and the process kills itself. This is harsher than a real cut, as kernels write pages back after some seconds.
 * Not covered: names that were made or changed without a sync of their directory.
 */
const pageBytes = 4096
const [dataDir = '', image = '', milliseconds = '0'] = process.argv.slice(2)

interface FileState {
  /** Size at the last sync, or when the file was first written after it. */
  readonly sizeBytes: number
  /** Old bytes of each page written since the last sync, by page number. */
  readonly pages: Map<number, Buffer>
}

const unsynced = new Map<string, FileState>()

interface Stream {
  readonly nfd: number
  readonly node: unknown
  readonly position: number
}

interface StreamOperations {
  write(stream: Stream, buffer: Uint8Array, ...place: readonly number[]): number
  fsync(stream: Stream): number
}

function remember(path: string, start: number, length: number): void {
  const file = openSync(path, 'r')
  const state = unsynced.get(path) ?? { sizeBytes: fstatSync(file).size, pages: new Map<number, Buffer>() }
  unsynced.set(path, state)
  for (let page = Math.floor(start / pageBytes); page * pageBytes < start + length; page += 1) {
    if (state.pages.has(page)) continue
    const old = Buffer.alloc(pageBytes)
    readSync(file, old, 0, pageBytes, page * pageBytes)
    state.pages.set(page, old)
  }
}

function cutPower(): never {
  for (const [path, state] of unsynced) {
    const file = openSync(path, 'r+')
    for (const [page, old] of state.pages) {
      if (Math.random() < 0.5) writeSync(file, old, 0, pageBytes, page * pageBytes)
    }
    if (Math.random() < 0.5 && fstatSync(file).size > state.sizeBytes) ftruncateSync(file, state.sizeBytes)
  }
  process.kill(process.pid, 'SIGKILL')
  throw new Error('Cannot come here as the process was killed')
}

class ForgetfulFS extends DurableFS {
  override async init(...parameters: Parameters<DurableFS['init']>): ReturnType<DurableFS['init']> {
    const result = await super.init(...parameters)
    result.emscriptenOpts.preRun?.push((module) => {
      const nodefs = module.FS.filesystems.NODEFS
      const pathOf = (stream: Stream): string => String(nodefs.realPath(stream.node))
      const operations: StreamOperations = nodefs.stream_ops
      const { write, fsync } = operations
      operations.write = (stream, buffer, offset, length, position) => {
        remember(pathOf(stream), position ?? stream.position, length ?? 0)
        return write(stream, buffer, offset ?? 0, length ?? 0, position ?? 0)
      }
      operations.fsync = (stream) => {
        const done = fsync(stream)
        unsynced.delete(pathOf(stream))
        return done
      }
    })
    return result
  }
}

const engine = await openEngine(dataDir, { image, fs: (directory) => new ForgetfulFS(directory) })
await engine.exec('create table if not exists saved (n serial primary key, body text not null)')
const deadline = performance.now() + Number(milliseconds)
for (let n = 0; ; n += 1) {
  const { rows } = await engine.query<{ n: number }>('insert into saved (body) values ($1) returning n', [
    'x'.repeat(1 + ((n * 97) % 5_000)),
  ])
  process.stdout.write(`${rows[0]?.n}\n`)
  if (n % 40 === 20) await engine.exec('checkpoint')
  if (performance.now() > deadline) cutPower()
}
