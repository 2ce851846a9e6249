import * as zlib from 'node:zlib'

import { Decompress, decompress } from 'fzstd'

import { InputError, messageOf } from '../../errors.ts'

/** Decodes one zstd frame, with Node's own decoder where this Node has one (22.15 and later). Throws on a broken frame. */
export function unzstd(frame: Uint8Array): Uint8Array {
  const native: unknown = Reflect.get(zlib, 'zstdDecompressSync')
  if (typeof native !== 'function') return decompress(frame)
  const decoded: unknown = Reflect.apply(native, undefined, [frame])
  if (decoded instanceof Uint8Array) return decoded
  throw new TypeError('Expected zstdDecompressSync to return bytes')
}

/** Decodes zstd chunk by chunk. A frame that is broken or ends early is an `InputError`: its bytes cannot be given back. */
export async function* unzstdChunks(chunks: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  const decoded: Uint8Array[] = []
  const decoder = new Decompress((chunk) => {
    decoded.push(chunk)
  })
  for await (const chunk of chunks) {
    step(() => decoder.push(chunk), path)
    yield* decoded.splice(0)
  }
  step(() => decoder.push(new Uint8Array(), true), path)
  yield* decoded.splice(0)
}

function step(push: () => void, path: string): void {
  try {
    push()
  } catch (error) {
    throw new InputError(`Cannot decompress transcript ${JSON.stringify(path)}: ${messageOf(error)}`, {
      cause: error,
      remedy: 'Check that the file is a whole zstd file, or decompress it first',
    })
  }
}
