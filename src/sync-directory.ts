import { open } from 'node:fs/promises'

/**
 * Makes the names in a directory durable: a file that was made or renamed survives a power cut only when its directory was
 * synced too. Windows cannot open a directory and need not: NTFS journals its names.
 */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
