import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { z } from 'zod'

import { forgetAfterMs, type Cursors } from './cursors.ts'
import { codeOf, reasonOf, writeDurably } from './files.ts'
import type { HostLogger } from './host.ts'
import { sessionsSince } from './reading/stored-sessions.ts'
import type { Session } from './session.ts'

export interface UnreadSessionsOptions {
  /** Where the plugin keeps what is its own. */
  readonly directory: string
  readonly stateDirectory: () => string
  readonly cursors: Cursors
  readonly log: HostLogger
}

/** On some file systems the times of files are this coarse. */
const timesOfFilesMs = 2_000
const firstStartSchema = z.object({ atMs: z.number() })

/** To be called while the plugin captures nothing: what is said until it does again is not what it failed to read. Never throws. */
export async function forgetFirstStart({
  directory,
  log,
}: Pick<UnreadSessionsOptions, 'directory' | 'log'>): Promise<void> {
  try {
    await rm(placeOfFirstStart(directory), { force: true })
  } catch (error) {
    log.warn(
      `Verbatim: could not note that nothing is captured now (${reasonOf(error)}); what is said may be captured later`,
    )
  }
}

function placeOfFirstStart(directory: string): string {
  return join(directory, 'first-start.json')
}

/**
 * Finds sessions that no hook has told of: OpenClaw was stopped or killed before it could. What was silent since before the plugin
 * came is not among them, nor what is silent for so long that how far it was read is forgotten.
 */
export class UnreadSessions {
  readonly #options: UnreadSessionsOptions
  readonly #told = new Set<string>()

  constructor(options: UnreadSessionsOptions) {
    this.#options = options
  }

  /** Never throws: what goes wrong is said in the log, and the next start or stop of the gateway looks again. */
  async find(nowMs: number): Promise<readonly Session[]> {
    const { stateDirectory, log } = this.#options
    try {
      const sinceMs = Math.max((await this.#firstStartMs(nowMs)) - timesOfFilesMs, nowMs - forgetAfterMs)
      const unread: Session[] = []
      for (const session of await sessionsSince(stateDirectory(), sinceMs, this.#warnOf))
        if (await this.#isUnread(session)) unread.push(session)
      return unread
    } catch (error) {
      log.warn(`Verbatim: OpenClaw's store could not be searched for sessions that were not read (${reasonOf(error)})`)
      return []
    }
  }

  /** Of one whose cursor cannot be read it is not known: it hides no other one, and is looked at again the next time. */
  async #isUnread(session: Session): Promise<boolean> {
    try {
      return (await this.#options.cursors.read(session)) === undefined
    } catch (error) {
      this.#warnOnce(
        `Verbatim: it cannot be read how far session ${session.sessionId} was captured (${reasonOf(error)})`,
      )
      return false
    }
  }

  readonly #warnOf = (agentId: string, reason: string): void =>
    this.#warnOnce(
      `Verbatim: OpenClaw's store of agent ${agentId} could not be searched for sessions that were not read (${reason})`,
    )

  /** The stop of the gateway finds what its start has found. */
  #warnOnce(message: string): void {
    if (!this.#told.has(message)) this.#options.log.warn(message)
    this.#told.add(message)
  }

  /** When the gateway first started, or stopped, with the plugin since it last captured nothing. */
  async #firstStartMs(nowMs: number): Promise<number> {
    const path = placeOfFirstStart(this.#options.directory)
    try {
      return firstStartSchema.parse(JSON.parse(await readFile(path, 'utf8'))).atMs
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
    }
    await writeDurably(path, Buffer.from(JSON.stringify({ atMs: nowMs })))
    return nowMs
  }
}
