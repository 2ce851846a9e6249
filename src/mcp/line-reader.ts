import { Readable } from 'node:stream'

/** How much of the two ends of a line that is too long is kept, to find out which request it was. */
const endBytes = 256

/** A line that was dropped because it is too long: its size and its two ends. */
export interface DroppedLine {
  readonly sizeBytes: number
  readonly head: string
  readonly tail: string
}

/**
 * The lines of an input, each passed on whole. A line beyond the bound is dropped as it comes and told, and the next one
 * goes on: the SDKs would close the connection. It does not end when its source does, because an SDK that sees the end
 * gives up the requests it is working on; `ended` says when the source has ended and `first` what its first line is.
 */
export class LineReader extends Readable {
  /** The first line, or undefined where the source ends before one. */
  readonly first: Promise<string | undefined>
  readonly ended: Promise<void>
  readonly #source: Readable
  readonly #lineBytesMax: number
  readonly #onDropped: (line: DroppedLine) => void
  #parts: Buffer[] = []
  #sizeBytes = 0
  #resolveFirst: (line: string | undefined) => void = () => undefined

  constructor(
    source: Readable,
    options: { readonly lineBytesMax: number; readonly onDropped: (line: DroppedLine) => void },
  ) {
    super()
    this.#source = source
    this.#lineBytesMax = options.lineBytesMax
    this.#onDropped = options.onDropped
    this.first = new Promise((resolve) => {
      this.#resolveFirst = resolve
    })
    this.ended = new Promise((resolve) => {
      const end = () => {
        this.#resolveFirst(undefined)
        resolve()
      }
      source.once('end', end).once('close', end)
    })
    source.on('data', (chunk: Buffer) => this.#take(chunk)).on('error', (error) => this.emit('error', error))
  }

  override _read(): void {
    this.#source.resume()
  }

  #take(chunk: Buffer): void {
    let from = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      this.#add(chunk.subarray(from, at + 1))
      this.#finishLine()
      from = at + 1
    }
    if (from < chunk.length) this.#add(chunk.subarray(from))
  }

  #add(part: Buffer): void {
    this.#sizeBytes += part.length
    this.#parts.push(part)
    if (this.#sizeBytes <= this.#lineBytesMax) return
    const all = Buffer.concat(this.#parts)
    this.#parts = [Buffer.concat([all.subarray(0, endBytes), all.subarray(-endBytes)])]
  }

  #finishLine(): void {
    const line = Buffer.concat(this.#parts)
    const sizeBytes = this.#sizeBytes
    this.#parts = []
    this.#sizeBytes = 0
    if (sizeBytes > this.#lineBytesMax) {
      const [head, tail] = [line.subarray(0, endBytes), line.subarray(-endBytes)]
      this.#onDropped({ sizeBytes, head: head.toString('utf8'), tail: tail.toString('utf8') })
      return
    }
    this.#resolveFirst(line.toString('utf8'))
    if (!this.push(line)) this.#source.pause()
  }
}

/** The id of a request whose middle is gone: clients write it as the first or the last member. */
export function requestIdOf(line: DroppedLine): string | number | undefined {
  const found =
    /^\{(?:"jsonrpc":"2\.0",)?"id":(\d{1,15}|"[^"\\]{1,100}")[,}]/.exec(line.head) ??
    /,"id":(\d{1,15}|"[^"\\]{1,100}")(?:,"jsonrpc":"2\.0")?\}\s*$/.exec(line.tail)
  const id: unknown = found?.[1] === undefined ? undefined : JSON.parse(found[1])
  return typeof id === 'string' || typeof id === 'number' ? id : undefined
}
