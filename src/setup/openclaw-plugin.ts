import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { parse } from 'jsonc-parser'

import { codeOf } from '../errors.ts'
import { isJsonObject } from '../model/json/json.ts'
import { clients, openclawState, type Place } from './clients.ts'
import { readClientConfig } from './config-file.ts'

/** Whether Verbatim's plugin is configured in OpenClaw, and may see conversations: it captures nothing otherwise. */
export type OpenclawPlugin = 'absent' | 'allowed' | 'not allowed'

/** Reads OpenClaw's configuration. Throws InputError where the file is there and cannot be read. */
export async function openclawPlugin(place: Place): Promise<OpenclawPlugin> {
  const path = clients.find(({ name }) => name === 'openclaw')?.configPath(place)
  const text = path === undefined ? undefined : await readClientConfig(path)
  if (text === undefined) return 'absent'
  const config: unknown = parse(text, [], { allowTrailingComma: true })
  const entry = below(config, ['plugins', 'entries', 'verbatim'])
  if (!isJsonObject(entry) || entry['enabled'] === false) return 'absent'
  return below(entry, ['hooks', 'allowConversationAccess']) === true ? 'allowed' : 'not allowed'
}

/** Files of rows that the plugin has put aside, as Verbatim did not take them. */
export async function rowsPutAside(place: Place): Promise<string[]> {
  try {
    const agents = join(openclawState(place), 'verbatim', 'spool', 'agents')
    const entries = await readdir(agents, { recursive: true, withFileTypes: true })
    const aside = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.rejected'))
    return aside.map((entry) => join(entry.parentPath, entry.name)).toSorted()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

function below(value: unknown, names: readonly string[]): unknown {
  return names.reduce((at: unknown, name) => (isJsonObject(at) ? at[name] : undefined), value)
}
