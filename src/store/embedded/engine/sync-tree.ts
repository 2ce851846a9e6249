import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { syncDirectory } from '../../../sync-directory.ts'

/** Enough to keep libuv's four threads busy, so that the file system can group its journal commits. */
const syncsAtOnce = 16

/** Syncs every file and directory below `root`, and `root` itself. */
export async function syncTree(root: string): Promise<void> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const directories = entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
  await inTurns(files, syncFile)
  await inTurns([...directories, root], syncDirectory)
}

/** Windows syncs only what was opened for writing. */
async function syncFile(path: string): Promise<void> {
  const handle = await open(path, process.platform === 'win32' ? 'r+' : 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function inTurns(paths: readonly string[], work: (path: string) => Promise<void>): Promise<void> {
  const remaining = paths.values()
  await Promise.all(
    Array.from({ length: syncsAtOnce }, async () => {
      for (const path of remaining) await work(path)
    }),
  )
}
