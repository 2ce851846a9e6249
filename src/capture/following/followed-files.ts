import { UnavailableError } from '../../errors.ts'
import type { Caller } from '../../model/access.ts'
import { isCompressed, UnreadableFile } from '../../transcripts/bytes/file-bytes.ts'
import { detectFormat } from '../../transcripts/registry.ts'
import { withStoredBefore } from '../documents/document-report.ts'
import { isSameState, stateIfThere, type FileAtPath, type FileState } from '../documents/file-state.ts'
import { GrowingFile, type Growth } from '../documents/growing-file.ts'
import { importFile, reasonOf, skipped, type FileReport } from '../documents/import-files.ts'
import type { ImportDependencies } from '../documents/imported-sessions.ts'
import type { Followed, FoundFile } from './followed.ts'

export interface FollowedOptions {
  /** A last line that has not ended is taken as it is when its file was not written to for so long. */
  readonly settleMs: number
  readonly signal: AbortSignal
  /** Told of each file of which something was stored, and once of each that cannot be. */
  readonly onReport: (report: FileReport) => void
  readonly onDefect: (error: unknown) => void
}

/** So many files are kept open; the one that grew least recently is closed, and read from its start when it grows again. */
const openMax = 32
/** A file that must be read whole each time is read again after so many times what that took. */
const pauseShare = 10
const retryMs = 10 * 60_000
/** What is to be read again may never be written to again. */
const againMs = 500

/** Files that are imported as they change, one at a time. Throws UnavailableError where the store does not answer. */
export class FollowedFiles {
  readonly #dependencies: ImportDependencies
  readonly #caller: Caller
  readonly #options: FollowedOptions
  readonly #stored: Map<string, FileState>
  readonly #files = new Map<string, Followed>()
  /** Files that are kept open, the one that grew last at the end. */
  readonly #open = new Set<Followed>()
  readonly #waiting = new Set<Followed>()
  #hasNews = false

  /** `stored`: how files were when they were last imported, by path. */
  constructor(
    dependencies: ImportDependencies,
    caller: Caller,
    options: FollowedOptions & { readonly stored: Map<string, FileState> },
  ) {
    this.#dependencies = dependencies
    this.#caller = caller
    this.#options = options
    this.#stored = options.stored
  }

  /** Whether something was stored since the last time that it was asked. */
  takeNews(): boolean {
    const hasNews = this.#hasNews
    this.#hasNews = false
    return hasNews
  }

  /** Looks at one of the files; false where the path is none of theirs. */
  async lookAt(path: string): Promise<boolean> {
    if (this.#options.signal.aborted) return true
    // A database changes in the log beside it.
    const file = this.#files.get(path) ?? this.#files.get(path.replace(/-wal$/u, ''))
    if (file !== undefined) await this.#take(file)
    return file !== undefined
  }

  /** Looks at all files that there are, and lets go of those that are not there any more. */
  async lookAtAll(found: readonly FoundFile[]): Promise<void> {
    const paths = new Set(found.map(({ path }) => path))
    for (const file of this.#files.values()) {
      if (!paths.has(file.path)) await this.#guarded(file, () => this.#leave(file))
    }
    for (const { path, format } of found) {
      if (this.#options.signal.aborted) return
      const file = this.#files.get(path) ?? { path, format }
      this.#files.set(path, file)
      await this.#take(file)
    }
  }

  /** The files that wait for a time which has come, and when the next one is due. */
  due(nowMs: number): { readonly paths: readonly string[]; readonly nextAtMs: number } {
    const held = [...this.#open].filter(({ growing }) => growing?.holds === true)
    const times = [
      ...held.map((file) => ({ path: file.path, atMs: (file.state?.modifiedAtMs ?? 0) + this.#options.settleMs })),
      ...[...this.#waiting].map((file) => ({ path: file.path, atMs: file.notBeforeMs ?? 0 })),
    ]
    return {
      paths: times.filter(({ atMs }) => atMs <= nowMs).map(({ path }) => path),
      nextAtMs: Math.min(...times.map(({ atMs }) => atMs).filter((atMs) => atMs > nowMs), Infinity),
    }
  }

  async close(): Promise<void> {
    for (const file of this.#open) await this.#closeGrowing(file)
  }

  #take(file: Followed): Promise<void> {
    return this.#guarded(file, async () => {
      const now = await stateIfThere(file.path)
      if (now === undefined) return await this.#leave(file)
      const nowMs = Date.now()
      const isLeftOff = file.growing?.holds === true && nowMs >= now.modifiedAtMs + this.#options.settleMs
      this.#waiting.delete(file)
      if (isSameState(file.state, now) && !isLeftOff) return
      if (nowMs < (file.notBeforeMs ?? 0)) return void this.#waiting.add(file)
      if (await this.#import(file, { now, isLeftOff })) file.state = now
      else this.#waiting.add(Object.assign(file, { state: undefined, notBeforeMs: nowMs + againMs }))
    })
  }

  async #guarded(file: Followed, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      await this.#fail(file, error)
    }
  }

  async #fail(file: Followed, error: unknown): Promise<void> {
    await this.#closeGrowing(file)
    delete file.state
    if (error instanceof UnavailableError && !(error instanceof UnreadableFile)) throw error
    file.notBeforeMs = Date.now() + retryMs
    const reason = reasonOf(error, this.#options.onDefect)
    this.#tell(file, { path: file.path, format: file.format, status: 'failed', reason, documents: [] })
  }

  /** False where the file is to be looked at again. */
  async #import(file: Followed, look: { readonly now: FileAtPath; readonly isLeftOff: boolean }): Promise<boolean> {
    const { growing } = file
    if (growing === undefined) return await this.#importAnew(file, look.now)
    const place = growing.isAt(look.now)
    if (place === 'same') {
      if (!look.isLeftOff) return true
      const taken = await growing.takeHeld()
      this.#report(file, taken)
      // What comes after it may belong to it: the file is then read from its start.
      await this.#closeGrowing(file)
      return !('readAgain' in taken)
    }
    // Also where the path names another file by now: what was written to this one before it went is still to be read.
    const growth = await growing.catchUp()
    this.#report(file, growth)
    if (!('readAgain' in growth) && place === 'grown') return await this.#keepOpen(file)
    await this.#closeGrowing(file)
    return await this.#importAnew(file, look.now)
  }

  async #importAnew(file: Followed, now: FileAtPath): Promise<boolean> {
    const { path } = file
    const stored = this.#stored.get(path)
    this.#stored.delete(path)
    if (isSameState(stored, now)) return true
    const detected = await detectFormat(path, file.format)
    if (detected === undefined) {
      this.#tell(file, skipped(path, file.format))
      return true
    }
    const options = { caller: this.#caller, path, format: detected.format, signal: this.#options.signal }
    const begun = isCompressed(path) ? undefined : await GrowingFile.begin(this.#dependencies, options)
    if (begun === undefined) return await this.#importWhole(file)
    file.growing = begun.file
    file.source = detected.format.name
    await this.#keepOpen(file)
    this.#report(file, begun.growth)
    if (!('readAgain' in begun.growth)) return true
    await this.#closeGrowing(file)
    return false
  }

  async #importWhole(file: Followed): Promise<boolean> {
    const { path, format } = file
    const startedAtMs = Date.now()
    const failures: Error[] = []
    const fail = (error: unknown) =>
      failures.push(error instanceof Error ? error : new Error('Something else was thrown', { cause: error }))
    const report = await importFile(this.#dependencies, this.#caller, {
      path,
      format,
      onDefect: fail,
      onFailure: fail,
    })
    if (failures[0] !== undefined) throw failures[0]
    file.notBeforeMs = Date.now() + pauseShare * (Date.now() - startedAtMs)
    if (report.status === 'imported') this.#imported(file, report)
    return true
  }

  #report(file: Followed, growth: Growth): void {
    const added = file.addedBefore ?? 0
    if ('readAgain' in growth) {
      file.addedBefore = added + growth.added
      return
    }
    delete file.addedBefore
    const document = withStoredBefore(growth, added)
    this.#imported(file, { path: file.path, format: file.source, status: 'imported', documents: [document] })
  }

  #imported(file: Followed, report: FileReport): void {
    delete file.told
    if (!report.documents.some(({ added, erased }) => added + erased > 0)) return
    this.#hasNews = true
    this.#options.onReport(report)
  }

  /** Says why a file is not imported, once. */
  #tell(file: Followed, report: FileReport): void {
    if (file.told === report.reason) return
    if (report.reason !== undefined) file.told = report.reason
    this.#options.onReport(report)
  }

  async #keepOpen(file: Followed): Promise<boolean> {
    this.#open.delete(file)
    this.#open.add(file)
    const [oldest] = this.#open
    if (this.#open.size > openMax && oldest !== undefined) {
      // A line that has not ended is still to be waited for.
      if (oldest.growing?.holds === true) delete oldest.state
      await this.#closeGrowing(oldest)
    }
    return true
  }

  async #closeGrowing(file: Followed): Promise<void> {
    this.#open.delete(file)
    const { growing } = file
    delete file.growing
    await growing?.close()
  }

  /** A file that is gone: what was written to it before is still there for who has it open. */
  async #leave(file: Followed): Promise<void> {
    this.#files.delete(file.path)
    this.#waiting.delete(file)
    if (file.growing !== undefined) this.#report(file, await file.growing.catchUp())
    await this.#closeGrowing(file)
  }
}
