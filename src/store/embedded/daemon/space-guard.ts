import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'

import { freeSpaceHint } from '../engine/engine-error.ts'
import type { HomePaths } from '../home.ts'
import type { Broker } from './broker.ts'
import type { DaemonLog } from './daemon-log.ts'

const MiB = 1024 * 1024
/** Recovery needs one WAL segment of 1 MiB and some room for its checkpoint. */
const reserveBytes = 8 * MiB
/** Below this, writes are refused while the engine can still answer reads. */
const lowBytes = 24 * MiB
/** Above this, writes are taken again; the gap keeps the guard from going to and fro. */
const enoughBytes = 48 * MiB
const checkEveryMs = 250

/**
 * Refuses writes before the disk is full: PostgreSQL gives up altogether when it cannot write its WAL. Where that
 * happens nevertheless, giving back the reserve lets it recover and go on reading.
 */
export class SpaceGuard {
  readonly #paths: HomePaths
  readonly #broker: Broker
  readonly #log: DaemonLog
  #low = false
  #checkedAt = 0
  #timer: NodeJS.Timeout | undefined

  constructor(paths: HomePaths, tools: { readonly broker: Broker; readonly log: DaemonLog }) {
    this.#paths = paths
    this.#broker = tools.broker
    this.#log = tools.log
  }

  /** Cheap enough to be called after each batch: it looks at the disk at most four times a second. */
  check(): void {
    const now = performance.now()
    if (now - this.#checkedAt < checkEveryMs) return
    this.#checkedAt = now
    this.#apply()
  }

  /** A restarted engine has forgotten that it takes no writes. */
  restarted(): void {
    this.#low = false
    this.#apply()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #apply(): void {
    const free = freeBytesOf(this.#paths.home)
    if (!this.#low && free < lowBytes) {
      this.#low = true
      this.#log.write(`the disk has ${free} bytes left: writes are refused`)
      this.#broker.tellReadOnlyAs({
        code: '53100',
        message: `Cannot save as the disk must have >= ${lowBytes} bytes free: current value is ${free}`,
        hint: freeSpaceHint,
      })
      this.#set('on')
      clearInterval(this.#timer)
      this.#timer = setInterval(() => this.#apply(), checkEveryMs)
      this.#timer.unref()
    } else if (this.#low && free >= enoughBytes) {
      this.#low = false
      this.stop()
      this.#log.write(`the disk has ${free} bytes left: writes are taken again`)
      this.#broker.tellReadOnlyAs(undefined)
      this.#set('off')
      keepReserve(this.#paths)
    }
  }

  #set(value: 'on' | 'off'): void {
    this.#broker.execute(`set default_transaction_read_only to ${value}`).catch((error: unknown) => {
      // The engine was lost; `restarted` looks again.
      this.#log.write(`the engine did not hear about the disk: ${String(error)}`)
    })
  }
}

/** Sets space aside where there is plenty; without it recovery on a full disk has to wait for space. */
export function keepReserve(paths: HomePaths): void {
  if (existsSync(paths.reserve) || freeBytesOf(paths.home) < enoughBytes + reserveBytes) return
  const file = openSync(paths.reserve, 'w', 0o600)
  try {
    // Written, not only sized: a sparse file would set nothing aside.
    writeSync(file, Buffer.alloc(reserveBytes))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

export function releaseReserve(paths: HomePaths): void {
  rmSync(paths.reserve, { force: true })
}

function freeBytesOf(path: string): number {
  const stats = statfsSync(path)
  return stats.bavail * stats.bsize
}
