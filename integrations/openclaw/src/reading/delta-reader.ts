import { z } from 'zod'

import type { Session } from '../session.ts'
import type { ReadFrom, RowPage, RowReader } from './row-reader.ts'

const eventsMax = 1_000
const bytesUsual = 4 * 1024 * 1024
/** The largest page that OpenClaw gives. */
const bytesMax = 64 * 1024 * 1024

const deltaSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('page'),
    cursor: z.string(),
    events: z.array(z.object({ event: z.unknown() })),
    hasMore: z.boolean(),
    requiredBytes: z.number().optional(),
  }),
  z.object({ kind: z.literal('reset'), cursor: z.string() }),
  z.object({ kind: z.literal('missing') }),
])

export type ReadDelta = (params: {
  readonly agentId: string
  readonly sessionId: string
  readonly sessionKey: string
  readonly cursor?: string
  readonly maxEvents: number
  readonly maxBytes: number
}) => Promise<unknown>

/** OpenClaw's own reader of raw rows. Its packages before 2026.8 have none, and later ones promise nothing of it. */
export async function importReadDelta(): Promise<ReadDelta | undefined> {
  const place = 'openclaw/plugin-sdk/session-transcript-runtime'
  try {
    const runtime: unknown = await import(place)
    const read = z.object({ readSessionTranscriptRawDelta: z.custom<ReadDelta>(isFunction) }).safeParse(runtime)
    return read.data?.readSessionTranscriptRawDelta
  } catch {
    // Whatever keeps it from being loaded: the store itself is read instead.
    return undefined
  }
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

/** Reads through OpenClaw itself, which sees what is not yet in the file and takes care of compression and schema. */
export class DeltaReader implements RowReader {
  readonly name = 'delta'
  readonly #load: () => Promise<ReadDelta | undefined>
  readonly #onStrange: () => void
  #loaded: Promise<ReadDelta | undefined> | undefined
  #isStrange = false

  /** `onStrange`: told once of an answer in a shape that is not known; other ways to read are open then. */
  constructor(load: () => Promise<ReadDelta | undefined> = importReadDelta, onStrange: () => void = () => undefined) {
    this.#load = load
    this.#onStrange = onStrange
  }

  async read(session: Session, { position }: ReadFrom): Promise<RowPage | undefined> {
    this.#loaded ??= this.#load()
    const readDelta = await this.#loaded
    if (readDelta === undefined) return undefined
    let cursor = position
    let maxBytes = bytesUsual
    for (;;) {
      const { agentId, sessionId, sessionKey } = session
      const target = { agentId, sessionId, sessionKey, maxEvents: eventsMax, maxBytes }
      const answer = deltaSchema.safeParse(await readDelta(cursor === undefined ? target : { ...target, cursor }))
      const delta = answer.data
      if (delta === undefined) this.#strange()
      if (delta === undefined || delta.kind === 'missing') return undefined
      if (delta.kind === 'reset' && cursor !== delta.cursor) {
        cursor = delta.cursor
        continue
      }
      if (delta.kind === 'reset') throw new Error('OpenClaw gave a cursor that it does not take')
      const isTooLarge = delta.events.length === 0 && delta.requiredBytes !== undefined && maxBytes < bytesMax
      if (isTooLarge) {
        maxBytes = bytesMax
        continue
      }
      // Rows are written with JSON.stringify: doing so again gives the same bytes.
      const lines = delta.events.map(({ event }) => Buffer.from(JSON.stringify(event)))
      return { lines, position: delta.cursor, hasMore: delta.hasMore && lines.length > 0 }
    }
  }

  #strange(): void {
    if (!this.#isStrange) this.#onStrange()
    this.#isStrange = true
  }
}
