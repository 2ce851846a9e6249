import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

function newestIn(directory: string): number {
  let newest = 0
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs)
  }
  return newest
}

/** Tests start the built program, as users do: it is built here when a source is newer than it. */
export function setup(): void {
  const marker = join(root, 'dist', 'store', 'embedded', 'image.json')
  const built = existsSync(marker) ? statSync(marker).mtimeMs : 0
  if (built > Math.max(...['src', 'drizzle', 'scripts'].map((name) => newestIn(join(root, name))))) return
  execFileSync('npm', ['run', 'build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
}
