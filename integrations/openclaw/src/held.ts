import { open } from 'node:fs/promises'
import { dirname } from 'node:path'

import { codeOf } from './files.ts'
import type { Segment } from './spool.ts'

export interface HeldBounds {
  /** How often others must have been taken after it was not. */
  readonly passesMax: number
  /** And for how long at least that must have been so: what an archive that is away refuses is taken when it is back. */
  readonly heldMs: number
}

/** The first row is read as far as this: it tells sessions apart. */
const firstRowBytes = 4_096

/**
 * Segments that Verbatim does not take for now, while it answers. What follows them in their sessions waits with them, as rows are
 * stored in the order in which they were said; other sessions go on.
 */
export class Held {
  readonly #bounds: HeldBounds
  /** By path; the one that was tried last is the last. */
  readonly #held = new Map<string, { readonly session: string; readonly sinceMs: number; readonly passes: number }>()

  constructor(bounds: HeldBounds) {
    this.#bounds = bounds
  }

  /** Notes that one was not taken. */
  async add(path: string, nowMs: number): Promise<void> {
    const known = this.#held.get(path) ?? { session: await sessionOf(path), sinceMs: nowMs, passes: 0 }
    this.#held.delete(path)
    this.#held.set(path, known)
  }

  forget(path: string): void {
    this.#held.delete(path)
  }

  /** The one that was not tried for longest; what is not in the spool any more is held no more. */
  next(segments: readonly Segment[]): Segment | undefined {
    const byPath = new Map(segments.map((segment) => [segment.path, segment]))
    for (const path of this.#held.keys()) if (!byPath.has(path)) this.#held.delete(path)
    const [first] = this.#held.keys()
    return first === undefined ? undefined : byPath.get(first)
  }

  /** The first of those whose sessions wait for nothing. */
  async others(segments: readonly Segment[], limit: number): Promise<readonly Segment[]> {
    if (this.#held.size === 0) return segments.slice(0, limit)
    const sessions = new Set([...this.#held.values()].map(({ session }) => session))
    const found: Segment[] = []
    for (const segment of segments) {
      if (found.length === limit) break
      if (!sessions.has(await sessionOf(segment.path))) found.push(segment)
    }
    return found
  }

  /** Notes that others were taken after one was not; whether it has been held long enough. */
  pass(path: string, nowMs: number): boolean {
    const known = this.#held.get(path)
    if (known === undefined) return false
    const passes = known.passes + 1
    this.#held.set(path, { ...known, passes })
    return passes >= this.#bounds.passesMax && nowMs - known.sinceMs >= this.#bounds.heldMs
  }
}

/** What the segments of one session have in common: their place, and the header that each begins with. */
async function sessionOf(path: string): Promise<string> {
  try {
    const file = await open(path)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(firstRowBytes), 0, firstRowBytes, 0)
      const [row] = buffer.subarray(0, bytesRead).toString('utf8').split('\n', 1)
      return `${dirname(path)} ${row}`
    } finally {
      await file.close()
    }
  } catch (error) {
    // Another process has sent it meanwhile.
    if (codeOf(error) === 'ENOENT') return path
    throw error
  }
}
