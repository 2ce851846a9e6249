import { existsSync, fstatSync, openSync, readSync, ftruncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'

import { DurableFS, openEngine } from '../../src/store/embedded/engine/durable-fs.ts'

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
  readonly node: FileNode
}

interface FileNode {
  readonly name: string
}

/** The part of Emscripten's NODEFS that changes what is on the disk. */
interface NodeFileSystem {
  readonly realPath: (node: FileNode) => string
  readonly stream_ops: {
    write: (
      stream: Stream,
      buffer: Uint8Array,
      ...place: readonly [offset: number, length: number, at: number]
    ) => number
    fsync: (stream: Stream) => number
  }
  readonly node_ops: { rename: (node: FileNode, directory: FileNode, name: string) => void }
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
    // Removed since: a file that is gone has nothing to lose.
    if (!existsSync(path)) continue
    const file = openSync(path, 'r+')
    for (const [page, old] of state.pages) {
      if (Math.random() < 0.5) writeSync(file, old, 0, pageBytes, page * pageBytes)
    }
    if (Math.random() < 0.5 && fstatSync(file).size > state.sizeBytes) ftruncateSync(file, state.sizeBytes)
  }
  process.kill(process.pid, 'SIGKILL')
  throw new Error('Cannot come here as the process was killed')
}

function forgetWrites(nodefs: NodeFileSystem): void {
  const { write, fsync } = nodefs.stream_ops
  const { rename } = nodefs.node_ops
  nodefs.stream_ops.write = (stream, buffer, ...place) => {
    const [, length, at] = place
    remember(nodefs.realPath(stream.node), at, length)
    return write(stream, buffer, ...place)
  }
  nodefs.stream_ops.fsync = (stream) => {
    const done = fsync(stream)
    unsynced.delete(nodefs.realPath(stream.node))
    return done
  }
  nodefs.node_ops.rename = (node, directory, name) => {
    const path = nodefs.realPath(node)
    rename(node, directory, name)
    const state = unsynced.get(path)
    unsynced.delete(path)
    if (state !== undefined) unsynced.set(join(nodefs.realPath(directory), name), state)
  }
}

class ForgetfulFS extends DurableFS {
  override async init(...parameters: Parameters<DurableFS['init']>): ReturnType<DurableFS['init']> {
    const result = await super.init(...parameters)
    result.emscriptenOpts.preRun?.push((module) => {
      forgetWrites(module.FS.filesystems.NODEFS)
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
