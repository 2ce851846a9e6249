import { createHash } from 'node:crypto'

/** A new file, written from its beginning to its end. */
export interface ExportFile {
  write(text: string): Promise<void>
  close(): Promise<void>
}

/** A new directory: paths are relative to it, with `/` between their names. */
export interface ExportDirectory {
  create(path: string): Promise<ExportFile>
}

/** What a manifest says of a file. */
export interface FileEntry {
  readonly file: string
  readonly bytes: number
  readonly sha256: string
}

/** Written at once at least, so that a message is no call of the system. */
const chunkCharacters = 256 * 1024

/** A file whose length and SHA-256 are known when it is closed. */
export class HashedFile {
  readonly path: string
  readonly #file: ExportFile
  readonly #hash = createHash('sha256')
  #bytes = 0
  #waiting = ''

  constructor(path: string, file: ExportFile) {
    this.path = path
    this.#file = file
  }

  static async create(directory: ExportDirectory, path: string): Promise<HashedFile> {
    return new HashedFile(path, await directory.create(path))
  }

  async write(text: string): Promise<void> {
    this.#waiting += text
    if (this.#waiting.length >= chunkCharacters) await this.#flush()
  }

  async close(): Promise<FileEntry> {
    await this.#flush()
    await this.#file.close()
    return { file: this.path, bytes: this.#bytes, sha256: this.#hash.digest('hex') }
  }

  async #flush(): Promise<void> {
    const text = this.#waiting
    this.#waiting = ''
    this.#hash.update(text)
    this.#bytes += Buffer.byteLength(text)
    await this.#file.write(text)
  }
}
