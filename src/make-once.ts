import { randomUUID } from 'node:crypto'
import { link, mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { codeOf } from './errors.ts'
import { syncDirectory } from './sync-directory.ts'

/** How long a file that another process is writing in its place is waited for. */
const waitMsMax = 1_000
const lookMs = 5

/**
 * Makes a file of secret bytes for its owner only, with its directory where that is missing, durably. Of several processes that
 * make it at once the first one wins: what is there is left as it is. All of them must make as many bytes.
 */
export async function makeOnce(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  // Written beside its place, so that nobody reads half of it.
  const temporary = `${path}.${randomUUID()}`
  try {
    await write(temporary, bytes)
    await link(temporary, path)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes(codeOf(error) ?? '')) throw error
    await makeInPlace(path, bytes)
  } finally {
    await rm(temporary, { force: true })
  }
  await syncDirectory(dirname(path))
}

/** On a file system without hard links: a rename would take the place of what another process has made. */
async function makeInPlace(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await write(path, bytes)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    for (let waitedMs = 0; waitedMs < waitMsMax; waitedMs += lookMs) {
      if ((await stat(path)).size >= bytes.length) return
      await sleep(lookMs)
    }
  }
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}
