import { rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { codeOf, namesIn, writeDurably } from './files.ts'

/** Rows of one session, in a file that reads as an OpenClaw transcript. */
export interface Segment {
  readonly path: string
  readonly sizeBytes: number
}

export interface SegmentRows {
  readonly agentId: string
  /** The thread that a file store keeps the session's rows apart by. */
  readonly topic?: string | undefined
  readonly lines: readonly Uint8Array[]
}

export class SpoolFullError extends Error {
  override readonly name = 'SpoolFullError'
}

const lineEnd = Uint8Array.of(0x0a)

/**
 * What was read and is not yet in Verbatim. A segment is on stable storage when `write` resolves, and stays until it is
 * removed: what is sent twice is stored once. Segments of all sessions have one order, that in which they were written.
 */
export class Spool {
  readonly #directory: string
  readonly #bytesMax: number
  #count = 0

  constructor(directory: string, options: { readonly bytesMax: number }) {
    this.#directory = directory
    this.#bytesMax = options.bytesMax
  }

  async write(rows: SegmentRows): Promise<void> {
    const bytes = Buffer.concat(rows.lines.flatMap((line) => [line, lineEnd]))
    const waiting = (await this.list()).reduce((total, { sizeBytes }) => total + sizeBytes, 0)
    if (waiting > 0 && waiting + bytes.length > this.#bytesMax)
      throw new SpoolFullError(`${waiting} bytes wait in ${this.#directory}`)
    const topic = rows.topic === undefined ? '' : `-topic-${rows.topic}`
    // The names of two processes differ, and those of one are in order.
    const name = `${String(Date.now()).padStart(15, '0')}-${String(this.#count++).padStart(9, '0')}-${process.pid}${topic}.jsonl`
    // The importer takes the agent from the path, as in OpenClaw's own directories.
    await writeDurably(join(this.#directory, 'agents', rows.agentId, 'sessions', name), bytes)
  }

  /** All segments, oldest first. */
  async list(): Promise<readonly Segment[]> {
    const segments: (Segment & { readonly name: string })[] = []
    const agents = join(this.#directory, 'agents')
    for (const agent of await namesIn(agents)) {
      const sessions = join(agents, agent, 'sessions')
      for (const name of await namesIn(sessions)) {
        if (name.startsWith('.') || name.endsWith('.rejected')) continue
        const path = join(sessions, name)
        const sizeBytes = await sizeOf(path)
        if (sizeBytes !== undefined) segments.push({ name, path, sizeBytes })
      }
    }
    return segments.toSorted((left, right) => (left.name < right.name ? -1 : 1))
  }

  async remove(path: string): Promise<void> {
    await rm(path, { force: true })
  }

  /** Puts a segment aside that Verbatim refuses, so that the others go on. It is kept. */
  async reject(path: string): Promise<string> {
    const aside = `${path}.rejected`
    await rename(path, aside)
    return aside
  }
}

/** Undefined where another process has just removed it. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
