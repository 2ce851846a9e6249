import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Text of a file of the repository. */
export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Paths below a directory that end in a suffix, relative to it, with `/` between their names. */
export function filesBelow(directory: string, suffix: string): string[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith(suffix))
    .toSorted()
}

/** All Markdown files that readers see: those at the top, in docs/ and of the packages beside this one. */
export function markdownFiles(): string[] {
  const top = readdirSync(root).filter((name) => name.endsWith('.md'))
  const docs = filesBelow('docs', '.md').map((name) => `docs/${name}`)
  return [...top, ...docs, 'integrations/openclaw/README.md', 'integrations/openclaw/skills/verbatim/SKILL.md']
}
