import { z } from 'zod'

import { messageRecordSchema, type ArchivedMessage } from '../store/archive/archived-messages.ts'

const lengthsSchema = z.tuple([z.number().nullable(), z.number().nullable(), z.number().nullable()])
const frameHeadSchema = messageRecordSchema.extend({ lengths: lengthsSchema })

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Frames one after the other, each behind its length in four bytes. */
export function joinFrames(frames: readonly Uint8Array[]): Buffer {
  return Buffer.concat(frames.flatMap((frame) => [uint32(frame.length), frame]))
}

export function* splitFrames(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.length;) {
    const end = at + 4 + body.readUInt32BE(at)
    yield body.subarray(at + 4, end)
    at = end
  }
}

/** The length of its JSON in four bytes, the JSON, and the bytes of its payload, its text and its metadata. */
export function encodeMessage({ record, payload, text, metadata }: ArchivedMessage): Buffer {
  const parts = [payload, text, metadata]
  const head = Buffer.from(JSON.stringify({ ...record, lengths: parts.map((part) => part?.length ?? null) }))
  return Buffer.concat([uint32(head.length), head, ...parts.flatMap((part) => part ?? [])])
}

export function decodeMessage(frame: Buffer): ArchivedMessage {
  const headEnd = 4 + frame.readUInt32BE(0)
  const { lengths, ...record } = frameHeadSchema.parse(JSON.parse(frame.subarray(4, headEnd).toString('utf8')))
  let at = headEnd
  const [payload, text, metadata] = lengths.map((length) => {
    if (length === null) return null
    at += length
    return frame.subarray(at - length, at)
  })
  return { record, payload: payload ?? null, text: text ?? null, metadata: metadata ?? null }
}
