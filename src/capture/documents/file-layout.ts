import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'

import { z } from 'zod'

/**
 * How a document is put together again from the store: runs of messages that follow each other in a session, each
 * message with the same bytes before it, then what stood after the last.
 */
const layoutSchema = z.object({
  version: z.literal(1),
  sessions: z.array(z.string()),
  /** [index into `sessions`, number of the first message, how many, base64 of the bytes before each]. */
  runs: z.array(z.tuple([z.number(), z.number(), z.number(), z.string()])),
  after: z.string(),
})
type Layout = z.infer<typeof layoutSchema>

/** One entry's place: which message it is and what stands before it in the document. */
export interface LayoutEntry {
  readonly sessionId: string
  readonly seq: number
  readonly before: Uint8Array
}

/** Collects the places of a document's entries in order. A transcript of a million lines takes a few runs. */
export class LayoutBuilder {
  /** Each session's place in the list of sessions, which is the order in which they came. */
  readonly #sessions = new Map<string, number>()
  readonly #runs: Layout['runs'] = []

  add(entry: LayoutEntry): void {
    const session = this.#sessions.get(entry.sessionId) ?? this.#sessions.size
    this.#sessions.set(entry.sessionId, session)
    const before = Buffer.from(entry.before).toString('base64')
    const last = this.#runs.at(-1)
    if (last !== undefined && last[0] === session && last[1] + last[2] === entry.seq && last[3] === before) last[2]++
    else this.#runs.push([session, entry.seq, 1, before])
  }

  /** Adds a run of a layout that is kept, as it is. */
  addRun({ sessionId, firstSeq, count, before }: LayoutRun): void {
    if (count < 1) return
    this.add({ sessionId, seq: firstSeq, before })
    const last = this.#runs.at(-1)
    if (last !== undefined) last[2] += count - 1
  }

  get sessionIds(): readonly string[] {
    return [...this.#sessions.keys()]
  }

  toBytes(after: Uint8Array): Uint8Array {
    const layout: Layout = {
      version: 1,
      sessions: [...this.#sessions.keys()],
      runs: this.#runs,
      after: Buffer.from(after).toString('base64'),
    }
    return brotliCompressSync(JSON.stringify(layout), { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })
  }
}

/** A run of a stored layout. */
export interface LayoutRun {
  readonly sessionId: string
  readonly firstSeq: number
  readonly count: number
  readonly before: Uint8Array
}

/** Reads a layout back: its runs in order, and the bytes after the last entry. */
export function readLayout(bytes: Uint8Array): { readonly runs: readonly LayoutRun[]; readonly after: Uint8Array } {
  const layout = layoutSchema.parse(JSON.parse(brotliDecompressSync(bytes).toString('utf8')))
  return {
    runs: layout.runs.map(([session, firstSeq, count, before]) => ({
      sessionId: layout.sessions[session] ?? '',
      firstSeq,
      count,
      before: Buffer.from(before, 'base64'),
    })),
    after: Buffer.from(layout.after, 'base64'),
  }
}

/** A stored layout where messages of a session have other numbers, each new one by the one before; undefined where it names none of these. */
export function renumberedLayout(
  bytes: Uint8Array,
  { sessionId, numbers }: { readonly sessionId: string; readonly numbers: ReadonlyMap<number, number> },
): Uint8Array | undefined {
  const { runs, after } = readLayout(bytes)
  const builder = new LayoutBuilder()
  let isOther = false
  for (const run of runs) {
    const isOwn = run.sessionId === sessionId
    const seqs = Array.from({ length: isOwn ? run.count : 0 }, (_, index) => run.firstSeq + index)
    if (!seqs.some((seq) => numbers.has(seq))) {
      builder.addRun(run)
      continue
    }
    isOther = true
    for (const seq of seqs) builder.add({ sessionId, seq: numbers.get(seq) ?? seq, before: run.before })
  }
  return isOther ? builder.toBytes(after) : undefined
}
