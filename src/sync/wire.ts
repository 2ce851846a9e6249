import { z } from 'zod'

import { decodeMessage, encodeMessage, joinFrames, splitFrames } from '../archive/message-frame.ts'
import { InputError } from '../errors.ts'
import type { SyncedMessage } from '../store/sync/place-messages.ts'

export const wireMediaType = 'application/octet-stream'

/** Questions and answers as they are sent: a frame of JSON, and one for each message, as archives have them (`archive/message-frame.ts`). */
export function encodeWire(json: unknown, messages: readonly SyncedMessage[]): Buffer {
  return joinFrames([Buffer.from(JSON.stringify(json)), ...messages.map(encodeMessage)])
}

/** Throws InputError where the bytes are no such frames. */
export function decodeWire(bytes: Uint8Array): { readonly json: unknown; readonly messages: readonly SyncedMessage[] } {
  try {
    const [json, ...frames] = splitFrames(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    if (json === undefined) throw new RangeError('it is empty')
    return { json: JSON.parse(json.toString('utf8')), messages: frames.map(decodeMessage) }
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof RangeError || error instanceof z.ZodError)) throw error
    throw new InputError('Cannot read what another store has sent', {
      remedy: 'Let both stores run the same version',
      cause: error,
    })
  }
}
