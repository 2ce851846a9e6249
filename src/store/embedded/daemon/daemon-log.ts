import { appendFileSync, renameSync, statSync } from 'node:fs'

const logBytesMax = 1024 * 1024

/**
 * The daemon's own log: starts, stops, losses of the engine; never anything that is stored. It keeps at most two files
 * of 1 MiB, the older one named `.1`.
 */
export class DaemonLog {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  write(message: string): void {
    try {
      if ((statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0) > logBytesMax) {
        renameSync(this.#file, `${this.#file}.1`)
      }
      appendFileSync(this.#file, `${new Date().toISOString()} ${process.pid} ${message}\n`, { mode: 0o600 })
    } catch {
      // The disk is full or the home is gone: there is no further place to tell, and the store must go on.
    }
  }
}
