import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until all of it has ended, well or not, but no longer than so many milliseconds. */
export async function within(ms: number, ...work: readonly unknown[]): Promise<void> {
  await Promise.race([Promise.allSettled(work), sleep(ms, undefined, { ref: false })])
}
