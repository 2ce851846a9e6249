import type { MessageRow } from '../store/messages.ts'
import type { HashedFile, FileEntry } from './export-files.ts'

/**
 * The list of all that was written out, as one JSON object that is written while that goes on: a message is in it as it is
 * stored, by the SHA-256 of its bytes, and each file by its own.
 */
export class Manifest {
  readonly #file: HashedFile
  #hasSession = false
  #hasMessage = false

  constructor(file: HashedFile) {
    this.#file = file
  }

  async begin(about: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#file.write(`${JSON.stringify(about).slice(0, -1)},\n"sessions":[`)
  }

  async beginSession(sessionId: string): Promise<void> {
    await this.#file.write(`${this.#hasSession ? ',' : ''}\n{"session_id":${JSON.stringify(sessionId)},"messages":[`)
    this.#hasSession = true
    this.#hasMessage = false
  }

  async message({ id, seq, payloadSha256, payloadBytes }: MessageRow, error: string | undefined): Promise<void> {
    const sha256 = Buffer.from(payloadSha256).toString('hex')
    const entry = { id, seq, sha256, bytes: payloadBytes, ...(error === undefined ? {} : { error }) }
    await this.#file.write(`${this.#hasMessage ? ',' : ''}\n  ${JSON.stringify(entry)}`)
    this.#hasMessage = true
  }

  async endSession(about: FileEntry & { readonly messages_of_others: number }): Promise<void> {
    await this.#file.write(`],\n ${JSON.stringify(about).slice(1)}`)
  }

  async end(about: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#file.write(`\n],\n${JSON.stringify(about, null, 2).slice(1)}\n`)
    await this.#file.close()
  }
}
