import { parse } from 'smol-toml'

import { matchAt } from './match-at.ts'

/**
 * One statement of a TOML text: a `[table]`, an `[[array of tables]]` or a `key = value`. Offsets are in characters;
 * `path` is the dotted key as written, without the header above it; `valueStart..end` is the value of a pair.
 */
export type TomlStatement = {
  readonly kind: 'table' | 'array' | 'pair'
  readonly path: readonly string[]
  readonly start: number
  readonly valueStart: number
  readonly end: number
}

/** The statements of a text that a TOML parser has already accepted; comments and blank lines are between them. */
export function scanToml(text: string): readonly TomlStatement[] {
  const statements: TomlStatement[] = []
  let at = 0
  while (at < text.length) {
    at += matchAt(/(?:\s|#[^\n]*)*/y, text, at).length
    if (at >= text.length) break
    const statement = text.startsWith('[', at) ? scanHeader(text, at) : scanPair(text, at)
    statements.push(statement)
    at = statement.end
  }
  return statements
}

function scanHeader(text: string, start: number): TomlStatement {
  const isArray = text.startsWith('[[', start)
  const key = scanKey(text, start + (isArray ? 2 : 1))
  const end = text.indexOf(']', key.end) + (isArray ? 2 : 1)
  return { kind: isArray ? 'array' : 'table', path: key.path, start, valueStart: end, end }
}

function scanPair(text: string, start: number): TomlStatement {
  const key = scanKey(text, start)
  const equals = key.end + matchAt(/[ \t]*=[ \t]*/y, text, key.end).length
  return { kind: 'pair', path: key.path, start, valueStart: equals, end: valueEnd(text, equals) }
}

function scanKey(text: string, start: number): { readonly path: readonly string[]; readonly end: number } {
  const key = matchAt(
    /[ \t]*(?:[\w-]+|"(?:[^"\\]|\\.)*"|'[^']*')(?:[ \t]*\.[ \t]*(?:[\w-]+|"(?:[^"\\]|\\.)*"|'[^']*'))*/y,
    text,
    start,
  )
  // The parser itself resolves quotes and escapes: a header of this key alone nests one table a part.
  const path: string[] = []
  let table: unknown = parse(`[${key}]`)
  while (typeof table === 'object' && table !== null) {
    const [entry] = Object.entries(table)
    if (entry === undefined) break
    path.push(entry[0])
    table = entry[1]
  }
  return { path, end: start + key.length }
}

const stringPattern = /"""(?:[^\\]|\\[^])*?"{3,5}|'''[^]*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/y

function valueEnd(text: string, start: number): number {
  let depth = 0
  let at = start
  while (at < text.length) {
    const stringLength = matchAt(stringPattern, text, at).length
    const character = text.charAt(at)
    if (stringLength > 0) {
      at += stringLength
    } else if (character === '#') {
      if (depth === 0) break
      at += matchAt(/#[^\n]*/y, text, at).length
    } else if (character === '\n' && depth === 0) {
      break
    } else {
      if (character === '[' || character === '{') depth += 1
      if (character === ']' || character === '}') depth -= 1
      at += 1
    }
  }
  return start + text.slice(start, at).trimEnd().length
}
