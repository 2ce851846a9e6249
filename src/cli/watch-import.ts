import { homedir } from 'node:os'

import type { Command } from 'commander'

import type { FileReport } from '../capture/documents/import-files.ts'
import { followFiles, type FollowOptions } from '../capture/following/follow-files.ts'
import { pause } from '../capture/following/hints.ts'
import { watchedPaths, watchedPlaces } from '../capture/following/watched-files.ts'
import { processEnvironment } from '../config.ts'
import { AuditUnwritten, UnavailableError } from '../errors.ts'
import { counted } from '../model/text/counted.ts'
import { CommandUnrecorded } from './command-unrecorded.ts'
import { withStore } from './context.ts'
import { exitCodes } from './exit-codes.ts'
import { renderGrowth } from './render-import.ts'
import { tellError } from './tell-error.ts'

interface WatchSettings {
  readonly paths: readonly string[]
  readonly sources?: readonly string[] | undefined
  readonly format?: string | undefined
  readonly json?: boolean | undefined
  readonly lookEvery: number
}

/** A client that was killed in the middle of a line does not end it. */
const settleMs = 60_000
const firstPauseMs = 1_000
const pauseMsMax = 60_000
/** Work under way ends well before this, unless the store does not answer. */
const leaveMs = 5_000

/**
 * Imports files as they grow until SIGTERM or SIGINT. Where the store does not answer it says so, waits and tries again, with
 * longer and longer pauses: what is written meanwhile stays in the files. Ended while the audit log refuses what it imports, it fails of
 * that, as a command does that is refused.
 */
export async function watchImport(program: Command, settings: WatchSettings): Promise<void> {
  const ending = new AbortController()
  const { signal } = ending
  const leave = () => {
    ending.abort()
    // What is stored is stored, and the rest is in the files: nothing is lost by leaving a store that does not answer.
    setTimeout(() => process.exit(exitCodes.ok), leaveMs).unref()
  }
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(name, leave)
  const outage = new Outage()
  const options = followOptions(settings, signal)
  let refusal: AuditUnwritten | undefined
  while (!signal.aborted) {
    refusal = undefined
    try {
      await withStore(program, async ({ verbatim, caller }) => {
        const onLook: FollowOptions['onLook'] = (look) => {
          outage.isOver()
          options.onLook(look)
        }
        await followFiles(verbatim.stores, caller, { ...options, onLook })
      })
    } catch (error) {
      // Of what is over already there is nothing to try again.
      if (!(error instanceof UnavailableError) || error instanceof CommandUnrecorded) throw error
      if (error instanceof AuditUnwritten) refusal = error
      await pause(outage.say(error), signal)
    }
  }
  if (refusal !== undefined) throw refusal
}

function followOptions(settings: WatchSettings, signal: AbortSignal): FollowOptions {
  const { paths, format, sources, json } = settings
  const user = { home: homedir(), environment: processEnvironment() }
  const told = new Set<string>()
  const tell = (text: string) => {
    if (!told.has(text)) process.stderr.write(text)
    told.add(text)
  }
  return {
    find: async () => {
      if (paths.length > 0) return await watchedPaths(paths, format)
      const found = await watchedPlaces(user, sources)
      return format === undefined ? found : { ...found, files: found.files.map(({ path }) => ({ path, format })) }
    },
    lookEveryMs: settings.lookEvery * 1_000,
    settleMs,
    signal,
    onReport: (report) => process.stdout.write(json === true ? jsonLine(report) : renderGrowth(report)),
    onDefect: tellError,
    onLook: ({ files, directories, passedOver, unwatched }) => {
      if (told.size === 0)
        tell(`Following ${counted(files.length, 'file')} in ${counted(directories.size, 'directory', 'directories')}\n`)
      if (unwatched > 0)
        tell(
          `Of these directories, some are looked at every ${settings.lookEvery} s only, as the system watches no more at once\n`,
        )
      for (const { path, status, reason } of passedOver) if (status === 'failed') tell(`${status} ${path}: ${reason}\n`)
    },
  }
}

function jsonLine(report: FileReport): string {
  return `${JSON.stringify({ at: new Date().toISOString(), ...report })}\n`
}

/** A time in which the store does not answer. */
class Outage {
  #failures = 0

  /** Says what is wrong; returns how long to wait before the next try. */
  say(error: UnavailableError): number {
    const pauseMs = Math.min(pauseMsMax, firstPauseMs * 2 ** this.#failures) * (0.5 + Math.random() / 2)
    this.#failures++
    tellError(error)
    process.stderr.write(
      `Trying again in ${Math.ceil(pauseMs / 1_000)} s; what is written meanwhile is imported then\n`,
    )
    return pauseMs
  }

  isOver(): void {
    if (this.#failures > 0) process.stderr.write('The store answers again\n')
    this.#failures = 0
  }
}
