import { closeSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'

import { z } from 'zod'

/** Held by this process until `release` or its end, however that comes: the kernel lets go of it. */
export interface HomeLock {
  readonly release: () => void
}

const nativeSchema = z.object({ tryLock: z.custom<(fd: number) => boolean>((value) => typeof value === 'function') })

/**
 * Takes the operating system's lock on a file beside the store, `undefined` when another process has it. Never a lock
 * by age or heartbeat: those were stolen from live owners and cost other products their stores.
 */
export function tryLockHome(file: string): HomeLock | undefined {
  // The package is CommonJS without types.
  const { tryLock } = nativeSchema.parse(createRequire(import.meta.url)('fs-native-extensions'))
  const fd = openSync(file, 'a+', 0o600)
  if (tryLock(fd)) return { release: () => closeSync(fd) }
  closeSync(fd)
  return undefined
}
