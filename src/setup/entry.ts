import { InputError } from '../errors.ts'
import { isJsonObject } from '../model/json/json.ts'

/** The process that a client starts for Verbatim: stdio MCP, no shell in between. */
export type SetupServer = {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** A value that both JSON and TOML can carry and that an entry of ours may hold. */
export type EntryValue = string | number | readonly string[]

export type Entry = Readonly<Record<string, EntryValue | Readonly<Record<string, string>>>>

/** One value to set inside the entry, `['command']` or `['env', 'DATABASE_URL']`. */
export type EntryChange = { readonly path: readonly string[]; readonly value: EntryValue }

/** The name under which every client knows the server; tool names are made from it. */
export const serverName = 'verbatim'

/** What an entry must say, and what it gets only where the user has not said something else. */
export type EntryFields = { readonly required: Entry; readonly defaults: Entry }

const remoteKeys = ['url', 'httpUrl', 'serverUrl']

/** The entry as it is written where there is none yet. */
export function newEntry(fields: EntryFields): Entry {
  return { ...fields.required, ...fields.defaults }
}

/**
 * What an existing entry must be set to, value by value. Everything else in it belongs to the user (timeouts, tool
 * filters, further environment variables, `enabled`) and stays: an update that dropped `DATABASE_URL` would send the
 * messages to another store. Throws InputError for an entry that names an address instead of a command, because
 * somebody chose that on purpose.
 */
export function entryChanges(existing: unknown, fields: EntryFields): readonly EntryChange[] {
  if (!isJsonObject(existing)) {
    throw new InputError(`Cannot update the entry "${serverName}" as it must be a table of settings`, {
      remedy: `Remove the entry "${serverName}" and run setup again`,
    })
  }
  const remote = remoteKeys.find((key) => key in existing)
  if (remote !== undefined) {
    throw new InputError(`Cannot update the entry "${serverName}" as it must name a command: it has "${remote}"`, {
      remedy: `Keep it, or remove the entry "${serverName}" and run setup again`,
    })
  }
  const absent = Object.entries(fields.defaults).filter(([key]) => !(key in existing))
  return [...Object.entries(fields.required), ...absent].flatMap(([key, value]) => {
    if (!isTable(value)) return [{ path: [key], value }]
    return Object.entries(value).map(([name, inner]) => ({ path: [key, name], value: inner }))
  })
}

/** A copy of `value` that holds `inner` at `path`; what stands beside the path is kept. */
export function withValue(value: unknown, path: readonly string[], inner: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return inner
  const object = isJsonObject(value) ? value : {}
  return { ...object, [key]: withValue(object[key], rest, inner) }
}

/** The fields of an entry for `server`; `extra` is what one client wants besides. */
export function entryFields(server: SetupServer, extra: Partial<EntryFields> = {}): EntryFields {
  const env = server.env === undefined || Object.keys(server.env).length === 0 ? {} : { env: server.env }
  return {
    required: { ...extra.required, command: server.command, args: server.args, ...env },
    defaults: extra.defaults ?? {},
  }
}

export function isTable(value: Entry[string]): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && !Array.isArray(value)
}
