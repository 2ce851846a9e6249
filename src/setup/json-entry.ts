import { isDeepStrictEqual } from 'node:util'

import { type Node, type ParseError, parse, parseTree, printParseErrorCode } from 'jsonc-parser'

import { InputError } from '../errors.ts'
import { isJsonObject } from '../model/json/json.ts'
import { entryChanges, type EntryFields, newEntry, serverName, withValue } from './entry.ts'
import { lineEnd } from './line-end.ts'
import { matchAt } from './match-at.ts'

const parseOptions = { allowTrailingComma: true, disallowComments: false }
const byteOrderMark = '\uFEFF'

/**
 * Adds or updates our entry below `container` (for example `['mcp', 'servers']`) in JSON with or without comments and
 * trailing commas. Nothing outside the entry changes by a single character, except a comma where one is needed.
 * jsonc-parser's own `modify` is not used: it reformats the neighbours of what it inserts. Throws InputError, and
 * changes nothing, for text it cannot parse: unquoted keys and single quotes of JSON5 among it.
 */
export function editJson(before: string | undefined, container: readonly string[], fields: EntryFields): string {
  const mark = before?.startsWith(byteOrderMark) === true ? byteOrderMark : ''
  const text = before?.slice(mark.length) ?? ''
  const existing = jsonEntry(text, container)
  const path = [...container, serverName]
  const changes = existing === undefined ? [{ path, value: newEntry(fields) }] : entryChanges(existing, fields)
  // Its value would be no member of what is read: the last wall could not tell whether it stands as it was.
  if (hasKey(parseRoot(text), '__proto__'))
    throw new InputError(
      `Cannot add "${serverName}" safely as the edited file would not read as expected: it has a key "__proto__"`,
    )
  let after = text
  let expected = parseValue(text)
  for (const change of changes) {
    const place = existing === undefined ? path : [...path, ...change.path]
    after = setAtPath(after, place, change.value)
    expected = withValue(expected, place, change.value)
  }
  // The last wall: read again, the edited text must say what it said before, and our entry.
  if (!isDeepStrictEqual(parseValue(after), expected)) {
    throw new InputError(`Cannot add "${serverName}" safely as the edited file would not read as expected`)
  }
  return mark + after
}

/** Our entry as it stands below `container`, or undefined. Throws InputError for text that does not parse. */
export function jsonEntry(text: string, container: readonly string[]): unknown {
  let value = parseValue(text)
  for (const key of [...container, serverName]) {
    if (!isJsonObject(value)) return undefined
    value = value[key]
  }
  return value
}

/** A whole document that holds only our entry, for printing. */
export function jsonSnippet(container: readonly string[], fields: EntryFields): string {
  return JSON.stringify(nest([...container, serverName], newEntry(fields)), null, 2)
}

function setAtPath(text: string, path: readonly string[], value: unknown): string {
  const root = parseRoot(text)
  if (root === undefined) {
    const head = text.trim() === '' ? '' : `${text.trimEnd()}${lineEnd(text)}`
    return `${head}${render(nest(path, value), { indent: '', unit: '  ', eol: lineEnd(text) })}${lineEnd(text)}`
  }
  let node = root
  for (const [depth, key] of path.entries()) {
    if (node.type !== 'object') {
      throw new InputError(
        `Cannot add "${serverName}" as ${depth === 0 ? 'the top level' : `"${path.slice(0, depth).join('.')}"`} must be an object: current type is ${node.type}`,
      )
    }
    const matches = (node.children ?? []).filter((property) => property.children?.[0]?.value === key)
    if (matches.length > 1) {
      throw new InputError(
        `Cannot add "${serverName}" as the key "${key}" must stand once: it stands ${matches.length} times`,
      )
    }
    const child = matches[0]?.children?.[1]
    if (child === undefined) return insertProperty(text, node, { key, value: nest(path.slice(depth + 1), value) })
    node = child
  }
  const current = text.slice(node.offset, endOf(node))
  if (isDeepStrictEqual(parseValue(current), value)) return text
  const style = { indent: lineIndent(text, node.offset), unit: indentUnit(text, root), eol: lineEnd(text) }
  const insert = current.includes('\n') ? render(value, style) : JSON.stringify(value)
  return splice(text, { from: node.offset, to: endOf(node), insert })
}

function insertProperty(
  text: string,
  object: Node,
  property: { readonly key: string; readonly value: unknown },
): string {
  const root = parseRoot(text) ?? object
  const eol = lineEnd(text)
  const last = object.children?.at(-1)
  const inside = text.slice(object.offset + 1, endOf(object) - 1)
  const name = JSON.stringify(property.key)
  if (last !== undefined && !inside.includes('\n')) {
    const at = endOf(last)
    const comma = matchAt(/\s*(?:\/\*[^]*?\*\/\s*)*,/y, text, at)
    const compact = `${name}: ${JSON.stringify(property.value)}`
    return splice(text, { from: at + comma.length, insert: comma === '' ? `, ${compact}` : ` ${compact}` })
  }
  const outer = lineIndent(text, object.offset)
  const unit = indentUnit(text, root)
  if (last === undefined) {
    const rendered = `${name}: ${render(property.value, { indent: outer + unit, unit, eol })}`
    const from = object.offset + 1
    if (inside.trim() !== '') return splice(text, { from, insert: `${eol}${outer}${unit}${rendered}` })
    return splice(text, { from, to: endOf(object) - 1, insert: `${eol}${outer}${unit}${rendered}${eol}${outer}` })
  }
  const indent = startsItsLine(text, last.offset) ? lineIndent(text, last.offset) : outer + unit
  const rendered = `${eol}${indent}${name}: ${render(property.value, { indent, unit, eol })}`
  // A comma or a comment behind the last property belongs to that property, so ours goes behind both.
  const comma = matchAt(/(?:\s|\/\*[^]*?\*\/|\/\/[^\r\n]*)*,/y, text, endOf(last))
  const afterComma = endOf(last) + comma.length
  const at = afterComma + matchAt(/(?:[ \t]*\/\*[^]*?\*\/)*(?:[ \t]*\/\/[^\r\n]*)?/y, text, afterComma).length
  const inserted = splice(text, { from: at, insert: rendered })
  return comma === '' ? splice(inserted, { from: endOf(last), insert: ',' }) : inserted
}

function parseRoot(text: string): Node | undefined {
  const errors: ParseError[] = []
  const root = parseTree(text, errors, { ...parseOptions, allowEmptyContent: true })
  const first = errors[0]
  if (first !== undefined) {
    const lines = text.slice(0, first.offset).split('\n')
    const place = `line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`
    throw new InputError(
      `Cannot edit the file as it must be JSON (comments allowed): ${place} has ${printParseErrorCode(first.error)}`,
    )
  }
  return root
}

function hasKey(node: Node | undefined, key: string): boolean {
  const { type, children = [] } = node ?? {}
  return (type === 'property' && children[0]?.value === key) || children.some((child) => hasKey(child, key))
}

function parseValue(text: string): unknown {
  parseRoot(text)
  const value: unknown = parse(text, [], parseOptions)
  return value
}

function nest(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((inner, key) => ({ [key]: inner }), value)
}

type Style = { readonly indent: string; readonly unit: string; readonly eol: string }

function render(value: unknown, style: Style): string {
  return JSON.stringify(value, null, style.unit).replaceAll('\n', `${style.eol}${style.indent}`)
}

function indentUnit(text: string, root: Node): string {
  const first = root.children?.[0]
  const indent = first === undefined || !startsItsLine(text, first.offset) ? '' : lineIndent(text, first.offset)
  return indent === '' ? '  ' : indent
}

function lineIndent(text: string, offset: number): string {
  return matchAt(/[ \t]*/y, text, text.lastIndexOf('\n', offset - 1) + 1)
}

function startsItsLine(text: string, offset: number): boolean {
  return text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset).trim() === ''
}

function endOf(node: Node): number {
  return node.offset + node.length
}

function splice(text: string, edit: { readonly from: number; readonly to?: number; readonly insert: string }): string {
  return text.slice(0, edit.from) + edit.insert + text.slice(edit.to ?? edit.from)
}
