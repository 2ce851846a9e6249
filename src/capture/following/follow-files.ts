import type { Caller } from '../../model/access.ts'
import { listImportedStates } from '../../store/imports/import-files.ts'
import type { FileState } from '../documents/file-state.ts'
import { linkImported } from '../documents/import-files.ts'
import type { ImportDependencies } from '../documents/imported-sessions.ts'
import { DirectoryWatch } from './directory-watch.ts'
import { FollowedFiles, type FollowedOptions } from './followed-files.ts'
import { Hints } from './hints.ts'
import type { WatchedFiles } from './watched-files.ts'

export interface FollowOptions extends FollowedOptions {
  readonly find: () => Promise<WatchedFiles>
  /** All files are looked at so often, whatever the system says of changes. */
  readonly lookEveryMs: number
  /** Told after each look at all files; the first one is over when everything that was there is stored. */
  readonly onLook: (look: WatchedFiles & { readonly unwatched: number }) => void
}

const gatherMs = 50
/** Something changed that is no known file: new ones are looked for at once, but not more often than this, */
const searchPauseMs = 250
/** nor more often than after so many times what the search takes. */
const searchPauseShare = 20
/** Links need a look over all sessions. */
const linkEveryMs = 30_000
const statesPage = 10_000

/**
 * Imports files as they grow, until the signal. Notices of the system say where to look at once; beside them everything is
 * looked at now and then. Nothing is asked of the store while no file changes. Throws UnavailableError when the store does
 * not answer; called again, it goes on from what is stored.
 */
export async function followFiles(
  dependencies: ImportDependencies,
  caller: Caller,
  options: FollowOptions,
): Promise<void> {
  const { signal } = options
  const hints = new Hints(gatherMs)
  const watch = new DirectoryWatch((path) => hints.add(path))
  const stored = await storedStates(dependencies, caller)
  const files = new FollowedFiles(dependencies, caller, { ...options, stored })
  const times = new LookTimes(options.lookEveryMs)
  try {
    while (!signal.aborted) {
      if (times.isTimeToLook()) {
        const found = await times.searching(options.find)
        const unwatched = watch.follow(found.directories)
        await files.lookAtAll(found.files)
        options.onLook({ ...found, unwatched })
      }
      if (times.isTimeToLink() && files.takeNews()) await linkImported(dependencies, caller)
      const due = files.due(Date.now())
      if (due.paths.length === 0) await hints.wait(Math.min(times.nextLookInMs(), due.nextAtMs - Date.now()), signal)
      for (const path of [...due.paths, ...hints.take()]) {
        if (!(await files.lookAt(path))) times.searchSoon()
      }
    }
    if (files.takeNews()) await linkImported(dependencies, caller)
  } finally {
    watch.close()
    await files.close()
  }
}

async function storedStates({ database }: ImportDependencies, caller: Caller): Promise<Map<string, FileState>> {
  const states = new Map<string, FileState>()
  for (let after = ''; ;) {
    const page = { after, limit: statesPage }
    const rows = await database.run((sql) => listImportedStates(sql, caller.tenantId, page))
    for (const row of rows) states.set(row.path, row)
    const last = rows.at(-1)
    if (last === undefined || rows.length < statesPage) return states
    after = last.path
  }
}

/** When all files are looked at next, and when what was stored is linked. */
class LookTimes {
  readonly #everyMs: number
  #nextLookAtMs = 0
  #nextSearchAtMs = 0
  #nextLinkAtMs = 0

  constructor(everyMs: number) {
    this.#everyMs = everyMs
  }

  isTimeToLook(): boolean {
    return this.nextLookInMs() === 0
  }

  nextLookInMs(): number {
    return Math.max(0, this.#nextLookAtMs - performance.now())
  }

  async searching<T>(search: () => Promise<T>): Promise<T> {
    const startedAtMs = performance.now()
    const found = await search()
    const endedAtMs = performance.now()
    this.#nextSearchAtMs = endedAtMs + Math.max(searchPauseMs, searchPauseShare * (endedAtMs - startedAtMs))
    this.#nextLookAtMs = endedAtMs + this.#everyMs
    return found
  }

  /** Something that is not known has changed. */
  searchSoon(): void {
    this.#nextLookAtMs = Math.min(this.#nextLookAtMs, this.#nextSearchAtMs)
  }

  isTimeToLink(): boolean {
    if (performance.now() < this.#nextLinkAtMs) return false
    this.#nextLinkAtMs = performance.now() + linkEveryMs
    return true
  }
}
