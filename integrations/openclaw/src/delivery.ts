import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { z } from 'zod'

import { reasonOf } from './files.ts'
import { Held, type HeldBounds } from './held.ts'
import type { HostLogger } from './host.ts'
import type { Segment, Spool } from './spool.ts'
import type { FindVerbatim } from './verbatim-command.ts'

export interface DeliveryOptions {
  readonly spool: Spool
  readonly find: FindVerbatim
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: HostLogger
  /** The first pause after a failure, and the longest. */
  readonly pauseMs?: { readonly first: number; readonly longest: number }
  /** When what Verbatim does not take, while it takes others, is put aside. */
  readonly held?: HeldBounds
}

/** What one import takes at most: enough to drain a day in minutes, and few enough for a command line. */
const segmentsMax = 200
const importMs = 10 * 60_000
/** How often Verbatim, while it answers, may refuse the oldest segment before it is put aside. */
const refusalsMax = 20
/** An archive may be away for long: what it refuses meanwhile is good. */
const usualHeld = { passesMax: refusalsMax, heldMs: 24 * 3_600_000 }
const usualPause = { first: 1_000, longest: 60_000 }

const reportSchema = z.array(
  z.object({ path: z.string(), status: z.enum(['imported', 'unchanged', 'skipped', 'failed']) }),
)
type Report = z.infer<typeof reportSchema>

/** What became of an import. */
interface Delivered {
  /** Whether all of them were taken. */
  readonly isDone: boolean
  readonly imported: number
  /** Whether the importer came so far as to say what it took. */
  readonly isAnswered: boolean
}

/** A store that does not answer, by Verbatim's exit codes. */
const exitUnavailable = 3

/**
 * Takes what waits in the spool to Verbatim, oldest first, with its own importer: rows keep their bytes and ids, so that
 * one that is sent twice is stored once. While Verbatim is away it tries again, with pauses that grow to a minute.
 */
export class Delivery {
  readonly #options: DeliveryOptions
  #running: Promise<void> | undefined
  #isAskedAgain = false
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  /** Segments of the next import. Half as many after one that ended without saying what it took, as one that took too long. */
  #segments = segmentsMax
  readonly #refusals = new Map<string, number>()
  readonly #held: Held

  constructor(options: DeliveryOptions) {
    this.#options = options
    this.#held = new Held(options.held ?? usualHeld)
  }

  /** Begins to deliver, now or when the pause is over. Nobody waits for it. */
  wake(): void {
    if (this.#timer !== undefined) return
    if (this.#running !== undefined) {
      this.#isAskedAgain = true
      return
    }
    this.#running = this.#drain().finally(() => {
      this.#running = undefined
      if (this.#isAskedAgain) this.wake()
    })
  }

  /** Ends the pauses. What is being delivered goes on by itself. */
  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  async #drain(): Promise<void> {
    this.#isAskedAgain = false
    try {
      for (;;) {
        const all = await this.#options.spool.list()
        if (all.length === 0) break
        // That has been said; it is looked for again later.
        if (this.#options.find() === undefined) return this.#pause(all.length)
        if (!(await this.#round(all))) return this.#pause(all.length)
      }
      this.#recovered()
    } catch (error) {
      this.#options.log.warn(`Verbatim: could not start the importer (${reasonOf(error)})`)
      this.#pause(0)
    }
  }

  /** Sends what there is, at first one of those that were not taken before; whether it may go on without a pause. */
  async #round(all: readonly Segment[]): Promise<boolean> {
    const tried = this.#held.next(all)
    if (tried !== undefined) {
      const { isDone, isAnswered } = await this.#deliver([tried])
      if (isDone) {
        this.#held.forget(tried.path)
        return true
      }
      // Then it is not about this one.
      if (!isAnswered) return false
    }
    const others = await this.#held.others(all, this.#segments)
    if (others.length === 0) return false
    const { isDone, imported } = await this.#deliver(others)
    if (tried !== undefined && imported > 0 && this.#held.pass(tried.path, performance.now())) {
      this.#held.forget(tried.path)
      await this.#putAside(tried.path)
    }
    return isDone
  }

  async #deliver(segments: readonly Segment[]): Promise<Delivered> {
    const { code, report } = await this.#import(segments.map(({ path }) => path))
    this.#segments = report.length === 0 ? Math.ceil(segments.length / 2) : Math.min(segmentsMax, 2 * this.#segments)
    const [only, ...more] = segments
    // What was ended with one segment alone, as it takes too long or too much memory, has that one to blame.
    if (code === null && report.length === 0 && only !== undefined && more.length === 0) await this.#refused(only.path)
    const imported = report.filter(({ status }) => status === 'imported')
    for (const { path } of imported) await this.#options.spool.remove(path)
    const failed = report.filter(({ status }) => status !== 'imported')
    for (const { path } of failed)
      await (code === exitUnavailable ? this.#held.add(path, performance.now()) : this.#refused(path))
    return {
      isDone: imported.length === segments.length,
      imported: imported.length,
      isAnswered: report.length > 0,
    }
  }

  /** One that Verbatim does not take although it answers must not hold up the others for ever. */
  async #refused(path: string): Promise<void> {
    const refusals = (this.#refusals.get(path) ?? 0) + 1
    this.#refusals.set(path, refusals)
    if (refusals < refusalsMax) return
    this.#refusals.delete(path)
    await this.#putAside(path)
  }

  async #putAside(path: string): Promise<void> {
    const aside = await this.#options.spool.reject(path)
    this.#options.log.error(
      `Verbatim refuses rows, which are kept, and says why: verbatim import --rows-only --format openclaw ${aside}`,
    )
  }

  async #import(paths: readonly string[]): Promise<{ readonly code: number | null; readonly report: Report }> {
    const { find, env } = this.#options
    const [program, ...args] = find() ?? []
    if (program === undefined) return { code: null, report: [] }
    const importer = spawn(program, [...args, 'import', '--rows-only', '--format', 'openclaw', '--json', ...paths], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: importMs,
    })
    // A process of one turn need not stay for it: what is not confirmed is sent again by the next one.
    importer.unref()
    const chunks: Buffer[] = []
    importer.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    const [code] = z.tuple([z.number().nullable(), z.unknown()]).parse(await once(importer, 'close'))
    return { code, report: readReport(Buffer.concat(chunks).toString('utf8')) }
  }

  #pause(waiting: number): void {
    const { first, longest } = this.#options.pauseMs ?? usualPause
    if (this.#failures === 0)
      this.#options.log.warn(
        `Verbatim does not answer: ${waiting} pieces wait on disk and are sent when it does. "verbatim doctor" says more`,
      )
    const afterMs = Math.min(longest, first * 2 ** Math.min(this.#failures, 20))
    this.#failures++
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.wake()
    }, afterMs).unref()
  }

  #recovered(): void {
    if (this.#failures > 0) this.#options.log.info('Verbatim answers again: nothing waits any more')
    this.#failures = 0
    this.#refusals.clear()
  }
}

/** Without one the importer has not come so far: nothing was taken. */
function readReport(text: string): Report {
  try {
    return reportSchema.parse(JSON.parse(text))
  } catch {
    return []
  }
}
