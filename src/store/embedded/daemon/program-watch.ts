import { statSync } from 'node:fs'

export interface ProgramWatch {
  stop(): void
}

const lookMs = 500
/** An update takes some seconds until all files are there, what the package depends on included. */
const settleMs = 3_000

/**
 * Tells once that another file is where this process was started from: its program was updated. While there is none the process
 * goes on, as nothing could take its place.
 */
export function watchProgram(path: string, onUpdated: () => void): ProgramWatch {
  const begun = markOf(path)
  let seen = begun
  let seenAtMs = performance.now()
  const timer = setInterval(() => {
    const mark = markOf(path)
    if (mark !== seen) {
      seen = mark
      seenAtMs = performance.now()
    }
    if (seen === undefined || seen === begun || performance.now() - seenAtMs < settleMs) return
    clearInterval(timer)
    onUpdated()
  }, lookMs)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

/** npm gives the files of every version the same time. A file that cannot be looked at now is taken for one that is not there. */
function markOf(path: string): string | undefined {
  try {
    const { dev, ino, size, mtimeMs } = statSync(path)
    return [dev, ino, size, mtimeMs].join(' ')
  } catch {
    return undefined
  }
}
