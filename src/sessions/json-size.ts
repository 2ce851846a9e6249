/** Bytes of a JSON string with its quotes and escapes. */
export function jsonStringBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text))
}

/**
 * UTF-8 bytes of `JSON.stringify(value, null, 2)`, for a value that stands `depth` levels deep in a reply. Counts
 * instead of writing, and stops beyond `bytesMax` (the result is then only known to be larger): a list of numbers takes
 * a line each, so that a small value may be a long text. Takes any depth that `JSON.parse` does.
 */
export function prettyBytes(
  value: unknown,
  options: { readonly depth?: number; readonly bytesMax?: number } = {},
): number {
  const bytesMax = options.bytesMax ?? Number.POSITIVE_INFINITY
  const pending: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: options.depth ?? 0 }]
  let bytes = 0
  for (let next = pending.pop(); next !== undefined && bytes <= bytesMax; next = pending.pop()) {
    const { value: inner, depth } = next
    if (typeof inner === 'string') {
      bytes += inner.length > bytesMax ? inner.length : jsonStringBytes(inner)
    } else if (typeof inner === 'object' && inner !== null) {
      const keys = Array.isArray(inner) ? undefined : Object.keys(inner)
      const members: unknown[] = Array.isArray(inner) ? inner : Object.values(inner)
      let count = 0
      for (const [index, member] of members.entries()) {
        // An absent member is not written; in a list it is `null`.
        if (member === undefined && keys !== undefined) continue
        count++
        bytes += keys === undefined ? 0 : jsonStringBytes(keys[index] ?? '') + ': '.length
        pending.push({ value: member, depth: depth + 1 })
        if (bytes + count * 2 > bytesMax) break
      }
      // Brackets; then a line break and its indentation for each member and for the closing one, and commas.
      bytes += 2
      if (count > 0) bytes += count * (1 + 2 * (depth + 1)) + (count - 1) + 1 + 2 * depth
    } else bytes += inner === undefined ? 'null'.length : JSON.stringify(inner).length
  }
  return bytes
}

/** What an element of a list that is `depth` levels deep adds to the list: itself, its line break, indentation and comma. */
export function elementBytes(value: unknown, bytesMax: number): number {
  const depth = 2
  return prettyBytes(value, { depth, bytesMax }) + 1 + 2 * depth + 1
}

/** Cuts a text to at most `bytesMax` of its JSON, ellipsis included and never inside a surrogate pair. What fits stays whole. */
export function cutText(text: string, bytesMax: number): string {
  if (text.length + 2 <= bytesMax && jsonStringBytes(text) <= bytesMax) return text
  const room = bytesMax - Buffer.byteLength('…')
  let end = Math.max(0, Math.min(text.length, room))
  for (let size = jsonStringBytes(text.slice(0, end)); end > 0 && size > room;) {
    end = Math.min(end - 1, Math.floor((end * room) / size))
    size = jsonStringBytes(text.slice(0, Math.max(end, 0)))
  }
  const last = text.charCodeAt(end - 1)
  if (last >= 0xd800 && last <= 0xdbff) end--
  return `${text.slice(0, Math.max(end, 0)).trimEnd()}…`
}
