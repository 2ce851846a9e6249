import { existsSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Sql } from 'postgres'

import { openVerbatim } from '../src/compose.ts'
import { readConfig } from '../src/config.ts'
import { localCaller, type Caller } from '../src/model/access.ts'
import { connectEmbedded, type EmbeddedConnection } from '../src/store/embedded/client.ts'
import { readStatus } from '../src/store/embedded/daemon/daemon-status.ts'
import { homePathsOf } from '../src/store/embedded/home.ts'
import { embedTopic, indexTopic, outboxBacklog } from '../src/store/work/outbox.ts'
import type { Verbatim } from '../src/verbatim.ts'
import { packageVersion } from '../src/version.ts'

const leaveMs = 30_000
const indexMs = 3_600_000

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/**
 * A fresh store of its own for one bench. Disposing of it ends its daemon, by its process id, and removes everything. A
 * store with a place of its own is used as it is found there and stays.
 */
export class BenchHome implements AsyncDisposable {
  readonly path: string
  readonly #isKept: boolean
  readonly #settings: Readonly<Record<string, string>>
  readonly caller: Caller = localCaller('bench')
  #verbatim: Verbatim | undefined
  #connection: EmbeddedConnection | undefined

  /** `isCached`: whether a search that is made again may go by what is remembered of the first. */
  constructor(
    options: {
      readonly keptAt?: string | undefined
      readonly isCached?: boolean
      /** Otherwise as it is by default. */
      readonly encryption?: 'on' | 'off'
      /** Otherwise none. */
      readonly embedder?: 'none' | 'local'
    } = {},
  ) {
    const { isCached = true, encryption, embedder = 'none' } = options
    this.#settings = {
      VERBATIM_EMBEDDER: embedder,
      ...(isCached ? {} : { VERBATIM_CACHE_MIB: '0' }),
      ...(encryption === undefined ? {} : { VERBATIM_ENCRYPTION: encryption }),
    }
    this.#isKept = options.keptAt !== undefined
    this.path = options.keptAt ?? mkdtempSync(join(tmpdir(), 'verbatim-bench-'))
  }

  /** The environment of server processes on this home, without settings of whoever runs the bench. */
  get env(): Record<string, string> {
    const kept = Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || name.startsWith('VERBATIM_') || name.startsWith('NODE_') ? [] : [[name, value] as const],
    )
    return { ...Object.fromEntries(kept), VERBATIM_HOME: this.path, ...this.#settings }
  }

  get daemonPid(): number | undefined {
    const pid = readStatus(homePathsOf(this.path).status)?.pid
    return pid !== undefined && isAlive(pid) ? pid : undefined
  }

  async verbatim(): Promise<Verbatim> {
    this.#verbatim ??= await openVerbatim(readConfig({ VERBATIM_HOME: this.path, ...this.#settings }))
    return this.#verbatim
  }

  /** The same daemon without the product in between: for baselines. One connection. */
  get sql(): Sql {
    // The first who asks starts the daemon: with the settings of this home, not of whoever runs the bench.
    this.#connection ??= connectEmbedded({
      home: this.path,
      version: packageVersion(),
      environment: this.env,
      max: 1,
    })
    return this.#connection.sql
  }

  /** Messages that are saved and cannot be found yet, by their words or by their meaning. */
  async messagesBehind(): Promise<number> {
    const embeds = this.#settings['VERBATIM_EMBEDDER'] !== 'none'
    const backlogs = await Promise.all(
      [indexTopic, ...(embeds ? [embedTopic] : [])].map((topic) =>
        outboxBacklog(this.sql, this.caller.tenantId, { topic }),
      ),
    )
    return backlogs.reduce((most, { messages }) => Math.max(most, messages), 0)
  }

  async waitUntilIndexed(): Promise<void> {
    const deadline = performance.now() + indexMs
    while ((await this.messagesBehind()) > 0) {
      if (performance.now() > deadline) throw new Error(`The index was not complete within ${indexMs} ms`)
      await sleep(50)
    }
  }

  /** Bytes on disk of the whole home, as the file system counts them. */
  sizeOnDisk(): number {
    const entries = readdirSync(this.path, { recursive: true, withFileTypes: true })
    return entries.reduce((total, entry) => {
      // The engine may remove a file of its log in between.
      const about = lstatSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })
      if (about === undefined) return total
      return total + (about.blocks > 0 || about.size === 0 ? about.blocks * 512 : about.size)
    }, 0)
  }

  /** Closes the connections and ends the daemon, cleanly. The next call starts another. */
  async endDaemon(): Promise<void> {
    await this.#verbatim?.[Symbol.asyncDispose]()
    await this.#connection?.close()
    this.#verbatim = undefined
    this.#connection = undefined
    const pid = this.daemonPid
    if (pid === undefined) return
    process.kill(pid, 'SIGTERM')
    const deadline = performance.now() + leaveMs
    while (isAlive(pid)) {
      if (performance.now() > deadline)
        throw new Error(`The daemon ${pid} did not leave within ${leaveMs} ms of SIGTERM`)
      await sleep(20)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endDaemon()
    if (!this.#isKept && existsSync(this.path)) rmSync(this.path, { recursive: true, force: true })
  }
}
