import { watch, type FSWatcher } from 'node:fs'
import { basename, join } from 'node:path'

import { codeOf } from '../../errors.ts'

/** The system gives so many watches to all programs of a user, at some places 8,192. */
const directoriesMax = 4_096

const noMore = new Set(['ENOSPC', 'EMFILE', 'ENFILE'])

/**
 * Hears of changes in directories, one watch a directory. What it hears is a hint and no more: notices are lost at network
 * drives, in some containers and behind symbolic links, so who needs to know looks by itself now and then.
 */
export class DirectoryWatch {
  readonly #watchers = new Map<string, FSWatcher>()
  readonly #onHint: (path: string) => void

  /** `onHint` is told which path has changed, as far as the system says it. */
  constructor(onHint: (path: string) => void) {
    this.#onHint = onHint
  }

  /** Watches these directories and no others. Returns how many cannot be watched, as the system watches no more. */
  follow(directories: ReadonlySet<string>): number {
    for (const [directory, watcher] of this.#watchers) {
      if (directories.has(directory)) continue
      watcher.close()
      this.#watchers.delete(directory)
    }
    let left = 0
    for (const directory of directories) {
      if (!this.#watchers.has(directory) && !this.#add(directory)) left++
    }
    return left
  }

  close(): void {
    this.follow(new Set())
  }

  #add(directory: string): boolean {
    if (this.#watchers.size >= directoriesMax) return false
    try {
      const watcher = watch(directory, { persistent: false }, (_event, name) => {
        const changed = name ?? ''
        // A directory that is removed or renamed says its own name; whatever is there next has to be watched anew.
        if (changed === basename(directory)) this.#drop(directory)
        this.#onHint(join(directory, changed))
      })
      watcher.on('error', () => {
        this.#drop(directory)
        this.#onHint(directory)
      })
      this.#watchers.set(directory, watcher)
      return true
    } catch (error) {
      // It went away in this moment, or may not be read: the next look finds out.
      return !noMore.has(codeOf(error) ?? '')
    }
  }

  #drop(directory: string): void {
    this.#watchers.get(directory)?.close()
    this.#watchers.delete(directory)
  }
}
