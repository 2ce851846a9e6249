const dataRow = 0x44
const errorResponse = 0x45
const headerBytes = 5
/** CommandComplete with the tag "SELECT". */
const commandComplete = Buffer.from('C\0\0\0\x0bSELECT\0', 'latin1')

/**
 * Follows what a server sends on one connection (PostgreSQL's protocol 3: a byte of type, four of length with themselves, the
 * rest), and ends the rows of a statement that fails after it gave some.
 *
 * postgres.js 3.4.9 counts the rows of a result for each connection and begins anew only where a statement is complete
 * (porsager/postgres issue 1181): after one that timed out amid its rows the next answer on that connection began with holes,
 * and nobody was told.
 */
export class EndedRows {
  #hasRows = false
  /** Of the message that goes on in the next chunk: what is known of its header, and how much of it is to come. */
  #header = Buffer.alloc(0)
  #left = 0

  /** The bytes of `chunk`, in order, with an end of rows before each error that cuts them off. */
  pass(chunk: Buffer): Buffer {
    const parts: Buffer[] = []
    let passed = 0
    let at = 0
    while (at < chunk.length) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, chunk.length - at)
        this.#left -= skipped
        at += skipped
        continue
      }
      if (this.#header.length === 0 && this.#cutsOff(chunk[at])) {
        parts.push(chunk.subarray(passed, at), commandComplete)
        passed = at
      }
      const taken = chunk.subarray(at, at + headerBytes - this.#header.length)
      const header = this.#header.length === 0 ? taken : Buffer.concat([this.#header, taken])
      at += taken.length
      const isWhole = header.length === headerBytes
      this.#left = isWhole ? header.readUInt32BE(1) + 1 - headerBytes : 0
      this.#header = isWhole ? Buffer.alloc(0) : Buffer.from(header)
    }
    return parts.length === 0 ? chunk : Buffer.concat([...parts, chunk.subarray(passed)])
  }

  /** Whether a message of this type is an error after rows. */
  #cutsOff(type: number | undefined): boolean {
    const hadRows = this.#hasRows
    this.#hasRows = type === dataRow
    return hadRows && type === errorResponse
  }
}
