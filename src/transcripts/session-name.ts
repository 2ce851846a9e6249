import { createHash } from 'node:crypto'
import { basename, dirname, resolve } from 'node:path'

const extensions = /(?:\.full|\.session)?\.(?:jsonl|json|ndjson|txt)(?:\.zst)?$/u

/** The name of a file without its extension: what a session is called when its file says no better. */
export function fileStem(path: string): string {
  const name = basename(path)
  const stem = name.replace(extensions, '')
  return stem === '' ? name : stem
}

/**
 * A session name for files that carry no id. Many tools write `messages.jsonl` into one directory a session, and many
 * sessions begin with the same prompt; so the directory's name and the first entry's bytes tell them apart. Neither
 * changes when the file grows.
 */
export function nameFromContent(path: string, firstEntry: Uint8Array): string {
  const hash = createHash('sha256').update(firstEntry).digest('hex').slice(0, 8)
  return nameWithin(path, hash)
}

/** The name of a session that is told apart from others of its file by `distinct`. */
export function nameWithin(path: string, distinct: string): string {
  return `${basename(dirname(resolve(path)))}/${fileStem(path)}-${distinct}`
}
