import { z } from 'zod'

import type { RowSeal } from '../crypto/row-seal.ts'
import { limits } from '../limits.ts'
import { sha256 } from '../model/messages/payload.ts'
import type { ArchivedSegment } from '../store/archive/archive-state.ts'
import type { ArchivedMessage } from '../store/archive/archived-messages.ts'
import { sessionRecordSchema, type SessionRecord } from '../store/archive/archived-session.ts'
import type { SessionKey } from '../store/messages.ts'
import { DamagedObject, decodeObject, digestOf, encodeObject, type OpenSeal } from './archive-object.ts'
import { decodeMessage, encodeMessage, joinFrames, splitFrames } from './message-frame.ts'

/**
 * A segment: a stretch of a session's messages, in order and without a gap. Its body is frames, each a length in four bytes
 * and that many bytes: first the session as it was when the segment was made, then one message each. A message is the
 * length of its JSON in four bytes, the JSON, and the bytes of its payload, its text and its metadata.
 *
 * Each message has a hash that goes over the hash before it and its own bytes; the last is the segment's `chain`, and the
 * next segment goes on from there. So a message that was changed, left out or moved changes every hash after it.
 */
export const chainStart = '0'.repeat(64)

const headerSchema = z.object({
  kind: z.literal('segment'),
  tenant: z.number().int(),
  session: z.string(),
  number: z.number().int().positive(),
  first_seq: z.number().int().positive(),
  last_seq: z.number().int().positive(),
  /** The hash before the first message; 64 zeros where it is the session's first. */
  previous_chain: z.string(),
  chain: z.string(),
})
export type SegmentHeader = z.infer<typeof headerSchema>

/** Where in its session a segment begins. */
export interface SegmentStart {
  readonly number: number
  readonly firstSeq: number
  /** In hex. */
  readonly previousChain: string
  /** What it is sealed with: the chain then tells nothing of what it goes over. */
  readonly seal: RowSeal | undefined
}

export function segmentKey(key: SessionKey, number: number): string {
  return `${key.tenantId}/${key.sessionId}/${String(number).padStart(6, '0')}.vseg`
}

/** Collects messages until a segment is full. */
export class SegmentBuilder {
  readonly #start: SegmentStart
  readonly #frames: Buffer[] = []
  #chain: string
  #sizeBytes = 0

  constructor(start: SegmentStart) {
    this.#start = start
    this.#chain = start.previousChain
  }

  get lastSeq(): number {
    return this.#start.firstSeq + this.#frames.length - 1
  }

  /** What is recorded of the segment when it is in the archive as `bytes`. */
  describe(key: SessionKey, bytes: Uint8Array): ArchivedSegment {
    return {
      number: this.#start.number,
      firstSeq: this.#start.firstSeq,
      lastSeq: this.lastSeq,
      location: segmentKey(key, this.#start.number),
      sha256: sha256(bytes).toString('hex'),
      chain: this.#chain,
      sizeBytes: bytes.length,
    }
  }

  get isEmpty(): boolean {
    return this.#frames.length === 0
  }

  /** False where the message has to stand in the next segment. A segment takes one message, however large. */
  add(message: ArchivedMessage): boolean {
    const frame = encodeMessage(message)
    const isFull =
      this.#frames.length >= limits.archiveSegmentMessagesMax ||
      this.#sizeBytes + frame.length > limits.archiveSegmentBytesMax
    if (isFull && !this.isEmpty) return false
    if (message.record.seq !== this.lastSeq + 1)
      throw new Error(`Cannot archive message ${message.record.seq} as message ${this.lastSeq + 1} is missing`)
    this.#frames.push(frame)
    this.#sizeBytes += frame.length
    this.#chain = nextHash(this.#chain, frame, this.#start.seal)
    return true
  }

  /** The object. `session` is what a restore falls back on where the manifest is lost. */
  async toBytes(key: SessionKey, session: SessionRecord): Promise<Buffer> {
    const header: SegmentHeader = {
      kind: 'segment',
      tenant: key.tenantId,
      session: key.sessionId,
      number: this.#start.number,
      first_seq: this.#start.firstSeq,
      last_seq: this.lastSeq,
      previous_chain: this.#start.previousChain,
      chain: this.#chain,
    }
    const frames = [Buffer.from(JSON.stringify(session)), ...this.#frames]
    return await encodeObject(header, joinFrames(frames), this.#start.seal)
  }
}

export interface Segment {
  readonly header: SegmentHeader
  readonly session: SessionRecord
  readonly messages: readonly ArchivedMessage[]
  readonly seal: RowSeal | undefined
}

/** Reads a segment and follows its chain. Throws DamagedObject where anything in it does not fit together. */
export async function decodeSegment(bytes: Uint8Array, openSeal: OpenSeal): Promise<Segment> {
  const object = await decodeObject(bytes, openSeal)
  const { seal } = object
  const header = headerSchema.safeParse(object.header)
  if (!header.success) throw new DamagedObject('it is no segment')
  const [session, ...frames] = splitFrames(object.body)
  if (session === undefined) throw new DamagedObject('it is empty')
  const { first_seq: firstSeq, last_seq: lastSeq, previous_chain: previous, chain } = header.data
  const messages = frames.map(decodeMessage)
  if (chainOver(previous, frames, seal) !== chain) throw new DamagedObject('its hash chain does not match')
  if (
    messages.length !== lastSeq - firstSeq + 1 ||
    messages.some(({ record }, index) => record.seq !== firstSeq + index)
  )
    throw new DamagedObject('its messages are not those that its header names')
  return {
    header: header.data,
    session: sessionRecordSchema.parse(JSON.parse(session.toString('utf8'))),
    messages,
    seal,
  }
}

/** The chain after messages that follow on `previous`. */
export function chainAfter(previous: string, messages: readonly ArchivedMessage[], seal: RowSeal | undefined): string {
  return chainOver(previous, messages.map(encodeMessage), seal)
}

function chainOver(previous: string, frames: readonly Buffer[], seal: RowSeal | undefined): string {
  return frames.reduce((chain, frame) => nextHash(chain, frame, seal), previous)
}

function nextHash(previous: string, frame: Buffer, seal: RowSeal | undefined): string {
  return digestOf(Buffer.concat([Buffer.from(previous, 'hex'), frame]), seal).toString('hex')
}
