import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../shared/data/', import.meta.url))
const said = new Set<string>()

/**
 * The path of real data that is kept beside the repository and not in it, or undefined where it is absent; the reason is
 * printed once for each path, so that a skipped test does not pass for a green one.
 */
export function sharedData(...parts: readonly string[]): string | undefined {
  const path = join(root, ...parts)
  if (existsSync(path)) return path
  const name = join('shared/data', ...parts)
  if (!said.has(name)) console.warn(`Skipped: ${name} is not beside the repository`)
  said.add(name)
  return undefined
}
