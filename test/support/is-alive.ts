import { readFileSync } from 'node:fs'

/**
 * Whether a process runs. One that has ended and that its parent has not asked about yet does not: whose parent is gone, as a
 * daemon's is, waits up to a second or two until the machine's first process asks.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  if (process.platform !== 'linux') return true
  try {
    // `PID (NAME) STATE …`, and a name may have brackets in it.
    return !/^\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*(?=\) )/s, ''))
  } catch {
    // Gone in between.
    return false
  }
}
