import { isJsonObject } from './json.ts'

/** Nesting beyond this is kept in the payload and not read: no real value is so deep, and recursion must end. */
const depthMax = 100

/**
 * A JSON value as one reads it, and as words are found in it: `key: value` a line, lists an item a line, strings as they
 * are. Written as JSON, a line break inside a string would be `\n`, and its `n` would stick to the next word.
 */
export function readableJson(value: unknown, shown: (inner: unknown) => unknown = (inner) => inner): string {
  const lines: string[] = []
  const write = (inner: unknown, label: string, depth: number): void => {
    const seen = shown(inner)
    if (seen === null || seen === undefined || depth > depthMax) return
    if (Array.isArray(seen)) {
      if (seen.length > 0 && label.length > 0) lines.push(label.trimEnd())
      for (const item of seen) write(item, '', depth + 1)
    } else if (isJsonObject(seen)) {
      if (label.length > 0) lines.push(label.trimEnd())
      for (const [key, member] of Object.entries(seen)) write(member, `${key}: `, depth + 1)
    } else if (typeof seen === 'string' || typeof seen === 'number' || typeof seen === 'boolean')
      lines.push(`${label}${seen}`)
  }
  write(value, '', 0)
  return lines.join('\n')
}
