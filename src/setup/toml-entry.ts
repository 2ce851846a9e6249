import { isDeepStrictEqual } from 'node:util'

import { parse, TomlError, type TomlTable } from 'smol-toml'

import { InputError } from '../errors.ts'
import { isJsonObject } from '../model/json/json.ts'
import { type EntryChange, entryChanges, type EntryFields, newEntry, serverName, withValue } from './entry.ts'
import { lineEnd } from './line-end.ts'
import { scanToml, type TomlStatement } from './toml-scan.ts'

/**
 * Adds our table `[<parent>.verbatim]` at the end of the text, or changes the values in it that must change; comments,
 * order and every other character stay. The result is parsed again and must equal the old document with our table in
 * it. Throws InputError, and changes nothing, for text that does not parse and for a table that is written in a way
 * that has no place of its own (inline or by dotted keys).
 */
export function editToml(before: string | undefined, parent: string, fields: EntryFields): string {
  const text = before ?? ''
  const document = parseToml(text)
  const existing = entryIn(document, parent)
  const path = [parent, serverName]
  let after: string
  let expected: unknown = document
  if (existing === undefined) {
    after = appendTable(text, tomlSnippet(parent, fields))
    expected = withValue(expected, path, newEntry(fields))
  } else {
    after = text
    for (const change of entryChanges(existing, fields)) {
      after = setValue(after, path, change)
      expected = withValue(expected, [...path, ...change.path], change.value)
    }
  }
  if (!isDeepStrictEqual(plain(parsedAfter(after)), plain(expected))) throw unsafe()
  return after
}

/** Our table as it stands, or undefined. Throws InputError for text that does not parse. */
export function tomlEntry(text: string, parent: string): unknown {
  return entryIn(parseToml(text), parent)
}

/** The text of our table alone, for printing and for appending. */
export function tomlSnippet(parent: string, fields: EntryFields): string {
  const pairs = Object.entries(newEntry(fields)).map(([key, value]) => `${key} = ${render(value)}`)
  return [`[${parent}.${serverName}]`, ...pairs].join('\n')
}

function appendTable(text: string, table: string): string {
  const eol = lineEnd(text)
  const ours = `${table.replaceAll('\n', eol)}${eol}`
  if (text.trim() === '') return text + ours
  return `${text}${text.endsWith('\n') ? '' : eol}${eol}${ours}`
}

/** A table inside ours may be its own section, dotted keys or an inline value; each is kept as the user wrote it. */
function setValue(text: string, table: readonly string[], change: EntryChange): string {
  const [key, inner] = change.path
  if (key === undefined || inner === undefined) return setPair(text, table, change)
  const statements = scanToml(text)
  if (statements.some((statement) => isHeader(statement, [...table, key]))) {
    return setPair(text, [...table, key], { path: [inner], value: change.value })
  }
  const section = sectionOf(statements, table)
  if (
    section.some((statement) => statement.kind === 'pair' && statement.path.length > 1 && statement.path[0] === key)
  ) {
    return setPair(text, table, change)
  }
  const inline = section.find((statement) => statement.kind === 'pair' && isDeepStrictEqual(statement.path, [key]))
  const current = inline === undefined ? {} : tableOf(valueOf(text, inline))
  return setPair(text, table, { path: [key], value: { ...current, [inner]: change.value } })
}

function setPair(text: string, table: readonly string[], pair: { path: readonly string[]; value: unknown }): string {
  const section = sectionOf(scanToml(text), table)
  const present = section.find((statement) => statement.kind === 'pair' && isDeepStrictEqual(statement.path, pair.path))
  if (present !== undefined) {
    if (isDeepStrictEqual(plain(valueOf(text, present)), plain(pair.value))) return text
    return text.slice(0, present.valueStart) + render(pair.value) + text.slice(present.end)
  }
  const last = section.at(-1)
  if (last === undefined) throw unsafe()
  const newline = text.indexOf('\n', last.end)
  const eol = lineEnd(text)
  const line = `${pair.path.map(renderKey).join('.')} = ${render(pair.value)}`
  if (newline === -1) return `${text}${eol}${line}${eol}`
  return `${text.slice(0, newline + 1)}${line}${eol}${text.slice(newline + 1)}`
}

function valueOf(text: string, pair: TomlStatement): unknown {
  return parseToml(`value = ${text.slice(pair.valueStart, pair.end)}`)['value']
}

/** The header of a table and the pairs that belong to it; empty where the table has no header. */
function sectionOf(statements: readonly TomlStatement[], path: readonly string[]): readonly TomlStatement[] {
  const start = statements.findIndex((statement) => isHeader(statement, path))
  if (start === -1) return []
  const next = statements.findIndex((statement, index) => index > start && statement.kind !== 'pair')
  return statements.slice(start, next === -1 ? statements.length : next)
}

function isHeader(statement: TomlStatement, path: readonly string[]): boolean {
  return statement.kind === 'table' && isDeepStrictEqual(statement.path, path)
}

function parseToml(text: string): TomlTable {
  try {
    return parse(text, { integersAsBigInt: 'asNeeded' })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    throw new InputError(
      `Cannot edit the file as it must be TOML: line ${error.line}, column ${error.column} does not parse`,
      { cause: error },
    )
  }
}

function parsedAfter(text: string): TomlTable {
  try {
    return parseToml(text)
  } catch (error) {
    if (error instanceof InputError) throw unsafe(error)
    throw error
  }
}

function unsafe(cause?: unknown): InputError {
  return new InputError(
    `Cannot add "${serverName}" safely as the tables around it must be written with [headers]: the file uses inline tables or dotted keys there`,
    { cause, remedy: 'Rewrite them with [headers], or paste the printed table by hand' },
  )
}

function entryIn(document: TomlTable, parent: string): unknown {
  const servers = document[parent]
  if (servers === undefined) return undefined
  if (!isJsonObject(servers)) throw new InputError(`Cannot add "${serverName}" as "${parent}" must be a table`)
  return servers[serverName]
}

function tableOf(value: unknown): Readonly<Record<string, unknown>> {
  return isJsonObject(value) ? value : {}
}

/** The parser gives tables another prototype than object literals have; comparison is about content. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Date || !isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

function render(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('\u007F', String.raw`\u007F`)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return `[${value.map(render).join(', ')}]`
  if (!isJsonObject(value)) throw unsafe()
  const pairs = Object.entries(value).map(([key, inner]) => `${renderKey(key)} = ${render(inner)}`)
  return `{ ${pairs.join(', ')} }`
}

function renderKey(key: string): string {
  return /^[\w-]+$/.test(key) ? key : JSON.stringify(key)
}
