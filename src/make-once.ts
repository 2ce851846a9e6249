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
 * make it at once the first one wins: what is there is left as it is. All of them must make as many bytes. Whether it is ours.
 */
export async function makeOnce(path: string, bytes: Uint8Array): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  // Written beside its place, so that nobody reads half of it.
  const temporary = `${path}.${randomUUID()}`
  try {
    await write(temporary, bytes)
    await link(temporary, path)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes(codeOf(error) ?? '')) throw error
    if (!(await makeInPlace(path, bytes))) return false
  } finally {
    await rm(temporary, { force: true })
  }
  await syncDirectory(dirname(path))
  return true
}

/** On a file system without hard links: a rename would take the place of what another process has made. */
async function makeInPlace(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    await write(path, bytes)
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    for (let waitedMs = 0; waitedMs < waitMsMax; waitedMs += lookMs) {
      if ((await stat(path)).size >= bytes.length) break
      await sleep(lookMs)
    }
    return false
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
