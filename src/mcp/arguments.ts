import type { z } from 'zod'

import { InputError } from '../errors.ts'
import { isJsonObject } from '../model/json/json.ts'
import { editDistance } from '../model/text/edit-distance.ts'

/** Members that workflow hosts add to every call; they are not misspelt arguments. */
const hostMembers = new Set(['toolCallId', 'action', 'chatInput', 'tool'])
/** n8n adds its chat's id under this name, and models misspell ours so: it is the conversation's id in both cases. */
const aliases: Readonly<Record<string, string>> = { sessionId: 'session_id' }

/** JSON as a text, or the text itself where it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}

/** One name where a list of names is wanted. With a comma it may be several, or one: whoever asks must say. */
function isOneName(text: string, items: unknown): boolean {
  return isJsonObject(items) && items['type'] === 'string' && !/^\s*\[|,/.test(text)
}

function coerce(value: unknown, schema: Readonly<Record<string, unknown>>): unknown {
  const { type, items } = schema
  // A Unix time, for one, is a number where the schema says text.
  if (typeof value === 'number' && type === 'string') return String(value)
  if (typeof value !== 'string') return value
  switch (type) {
    case 'number':
    case 'integer':
      return /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value
    case 'boolean':
      return value === 'true' ? true : value === 'false' ? false : value
    case 'array': {
      const list = parsed(value)
      return Array.isArray(list) ? list : isOneName(value, items) ? [value] : value
    }
    case 'object': {
      const object = parsed(value)
      return isJsonObject(object) ? object : value
    }
    default:
      return value
  }
}

const plain = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')

/** Two letters make `sesion_id` of `session_id`; three make a word of its own. */
const misspeltLetters = 2

/**
 * An unknown member that is nearly an argument was meant to be it: said, and not ignored, since a save without its
 * session would open another one.
 */
function refuseMisspelt(args: Readonly<Record<string, unknown>>, known: readonly string[]): void {
  for (const name of Object.keys(args)) {
    if (known.includes(name) || hostMembers.has(name)) continue
    const meant = known.find(
      (candidate) => editDistance(plain(candidate), plain(name)) <= (name.length < 5 ? 0 : misspeltLetters),
    )
    if (meant !== undefined) {
      throw new InputError(`Unknown argument "${name}"`, { remedy: `Use "${meant}" and call again` })
    }
  }
}

/** An alias stands for its argument where that is not given itself, and is left out otherwise. */
function withAliases(
  args: Readonly<Record<string, unknown>>,
  properties: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const given = { ...args }
  for (const [alias, name] of Object.entries(aliases)) {
    if (!Object.hasOwn(args, alias)) continue
    if (Object.hasOwn(properties, name) && !Object.hasOwn(args, name)) given[name] = args[alias]
    delete given[alias]
  }
  return given
}

/**
 * Takes arguments as models send them: numbers, booleans, lists and objects that arrive as strings are read as what
 * the schema wants, explicit nulls count as absent, and what hosts add is left out.
 */
export function readArguments(inputSchema: Readonly<Record<string, unknown>>, args: unknown): Record<string, unknown> {
  if (args === undefined || args === null) return {}
  if (!isJsonObject(args))
    throw new InputError('Arguments must be an object', { remedy: 'Send {"argument": value, …}' })
  const properties = isJsonObject(inputSchema['properties']) ? inputSchema['properties'] : {}
  const given = withAliases(args, properties)
  refuseMisspelt(given, Object.keys(properties))
  const read: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(properties)) {
    if (!Object.hasOwn(given, name)) continue
    const value = given[name]
    const wanted = isJsonObject(schema) ? schema : {}
    // Only where any JSON is wanted is null a value of its own.
    if (value === null && wanted['type'] !== undefined) continue
    read[name] = coerce(value, wanted)
  }
  return read
}

type Issue = z.core.$ZodIssue

/** Of the alternatives that an argument may be, the one that it came closest to: what is wrong with that is worth saying. */
function closestIssues(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const near = issue.errors.find((issues) =>
    issues.every(({ code, path }) => code !== 'invalid_type' || path.length > 0),
  )
  return near === undefined || near.length === 0
    ? [issue]
    : near.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }))
}

/** The schema's own words for it are those of its types: "expected nonoptional, received undefined". */
function isMissing({ code, message }: Issue): boolean {
  return code === 'invalid_type' && message.endsWith('received undefined')
}

/** What was wrong with which argument, in one sentence a model can act on. */
export function describeIssues(error: z.ZodError): string {
  return error.issues
    .flatMap(closestIssues)
    .slice(0, 5)
    .map((issue) => {
      const path = issue.path.map(String).join('.')
      return path.length === 0
        ? issue.message
        : `"${path}": ${isMissing(issue) ? 'is required, and was not given' : issue.message}`
    })
    .join('; ')
}
