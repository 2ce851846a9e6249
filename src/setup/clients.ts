import { posix, win32 } from 'node:path'

import { entryFields, type EntryFields, serverName, type SetupServer } from './entry.ts'
import { editJson, jsonEntry, jsonSnippet } from './json-entry.ts'
import { editToml, tomlEntry, tomlSnippet } from './toml-entry.ts'

/** Where a configuration is looked for: the user's home, the operating system, the environment. */
export type Place = {
  readonly home: string
  readonly platform: NodeJS.Platform
  readonly env: Readonly<Record<string, string | undefined>>
}

export type ClientName = 'openclaw' | 'claude-code' | 'claude-desktop' | 'codex' | 'cursor' | 'vscode' | 'gemini-cli'

/**
 * An MCP client and its configuration file. `edit` and `entry` throw InputError for text that they cannot read and
 * never return text that says less than before. `marker` is a directory that exists where the client is installed.
 * `ownCommand` is the client's own way of adding the server, for those that have one.
 */
export type SetupClient = {
  readonly name: ClientName
  readonly label: string
  configPath(place: Place): string
  marker(place: Place): string
  snippet(server: SetupServer): string
  edit(before: string | undefined, server: SetupServer): string
  entry(text: string): unknown
  ownCommand?(server: SetupServer, platform: NodeJS.Platform): string
  readonly afterwards: readonly string[]
}

/** Every client that `verbatim setup` knows, in the order in which they are shown. */
export const clients: readonly SetupClient[] = [
  {
    name: 'openclaw',
    label: 'OpenClaw',
    configPath: (place) =>
      variable(place, 'OPENCLAW_CONFIG_PATH') ?? join(place, openclawState(place), 'openclaw.json'),
    marker: openclawState,
    // Without requestTimeoutMs OpenClaw gives tools/list 1.5 s, which a machine under load may miss.
    ...jsonFormat(['mcp', 'servers'], (server) => entryFields(server, { defaults: { requestTimeoutMs: 30_000 } })),
    ownCommand: (server, platform) =>
      shell(platform, [
        'openclaw',
        'mcp',
        'add',
        serverName,
        '--command',
        server.command,
        ...flags('--arg', server.args),
        ...envFlags('--env', server),
        '--timeout',
        '30',
      ]),
    afterwards: ['Run `openclaw mcp reload`', 'Check it with `openclaw mcp doctor verbatim --probe`'],
  },
  {
    name: 'claude-code',
    label: 'Claude Code',
    configPath: (place) => join(place, variable(place, 'CLAUDE_CONFIG_DIR') ?? place.home, '.claude.json'),
    marker: (place) => variable(place, 'CLAUDE_CONFIG_DIR') ?? join(place, place.home, '.claude'),
    ...jsonFormat(['mcpServers'], (server) => entryFields(server, { required: { type: 'stdio' } })),
    ownCommand: (server, platform) =>
      shell(platform, [
        'claude',
        'mcp',
        'add',
        '--scope',
        'user',
        serverName,
        ...envFlags('--env', server),
        '--',
        server.command,
        ...server.args,
      ]),
    afterwards: [
      'Start Claude Code again: one that is running may write over the file',
      'Check it with `claude mcp list`',
    ],
  },
  {
    name: 'claude-desktop',
    label: 'Claude Desktop',
    configPath: (place) => join(place, applicationData(place), 'Claude', 'claude_desktop_config.json'),
    marker: (place) => join(place, applicationData(place), 'Claude'),
    ...jsonFormat(['mcpServers'], entryFields),
    afterwards: ['Quit Claude Desktop completely and start it again', 'Check it in Settings, Developer'],
  },
  {
    name: 'codex',
    label: 'Codex',
    configPath: (place) => join(place, codexHome(place), 'config.toml'),
    marker: codexHome,
    ...tomlFormat('mcp_servers', entryFields),
    ownCommand: (server, platform) =>
      shell(platform, [
        'codex',
        'mcp',
        'add',
        serverName,
        ...envFlags('--env', server),
        '--',
        server.command,
        ...server.args,
      ]),
    afterwards: ['Start Codex again', 'Check it with `codex mcp list`'],
  },
  {
    name: 'cursor',
    label: 'Cursor',
    configPath: (place) => join(place, place.home, '.cursor', 'mcp.json'),
    marker: (place) => join(place, place.home, '.cursor'),
    ...jsonFormat(['mcpServers'], entryFields),
    afterwards: ['Check it in Cursor Settings, MCP, and turn it on there when it is off'],
  },
  {
    name: 'vscode',
    label: 'VS Code',
    configPath: (place) => join(place, applicationData(place), 'Code', 'User', 'mcp.json'),
    marker: (place) => join(place, applicationData(place), 'Code'),
    ...jsonFormat(['servers'], (server) => entryFields(server, { required: { type: 'stdio' } })),
    afterwards: ['Run "MCP: List Servers" in VS Code and start verbatim; it asks once whether you trust the server'],
  },
  {
    name: 'gemini-cli',
    label: 'Gemini CLI',
    configPath: (place) => join(place, geminiHome(place), 'settings.json'),
    marker: geminiHome,
    ...jsonFormat(['mcpServers'], entryFields),
    ownCommand: (server, platform) =>
      shell(platform, [
        'gemini',
        'mcp',
        'add',
        '-s',
        'user',
        ...envFlags('-e', server),
        serverName,
        server.command,
        ...server.args,
      ]),
    afterwards: ['Start Gemini CLI again', 'Check it with `/mcp`'],
  },
]

type Format = Pick<SetupClient, 'snippet' | 'edit' | 'entry'>

function jsonFormat(container: readonly string[], fields: (server: SetupServer) => EntryFields): Format {
  return {
    snippet: (server) => jsonSnippet(container, fields(server)),
    edit: (before, server) => editJson(before, container, fields(server)),
    entry: (text) => jsonEntry(text, container),
  }
}

function tomlFormat(parent: string, fields: (server: SetupServer) => EntryFields): Format {
  return {
    snippet: (server) => tomlSnippet(parent, fields(server)),
    edit: (before, server) => editToml(before, parent, fields(server)),
    entry: (text) => tomlEntry(text, parent),
  }
}

export function openclawState(place: Place): string {
  return (
    variable(place, 'OPENCLAW_STATE_DIR') ?? join(place, variable(place, 'OPENCLAW_HOME') ?? place.home, '.openclaw')
  )
}

function codexHome(place: Place): string {
  return variable(place, 'CODEX_HOME') ?? join(place, place.home, '.codex')
}

function geminiHome(place: Place): string {
  return join(place, variable(place, 'GEMINI_CLI_HOME') ?? place.home, '.gemini')
}

/** The directory in which desktop applications keep their settings. */
function applicationData(place: Place): string {
  if (place.platform === 'darwin') return join(place, place.home, 'Library', 'Application Support')
  if (place.platform === 'win32') return variable(place, 'APPDATA') ?? join(place, place.home, 'AppData', 'Roaming')
  return variable(place, 'XDG_CONFIG_HOME') ?? join(place, place.home, '.config')
}

/** An empty variable counts as unset; `~` is resolved because services hand it over as written. */
function variable(place: Place, name: string): string | undefined {
  const value = place.env[name]
  return value === undefined || value === '' ? undefined : value.replace(/^~(?=[\\/]|$)/, () => place.home)
}

function join(place: Place, ...parts: readonly string[]): string {
  return place.platform === 'win32' ? win32.join(...parts) : posix.join(...parts)
}

function flags(flag: string, values: readonly string[]): readonly string[] {
  return values.flatMap((value) => [flag, value])
}

function envFlags(flag: string, server: SetupServer): readonly string[] {
  return flags(
    flag,
    Object.entries(server.env ?? {}).map(([key, value]) => `${key}=${value}`),
  )
}

function shell(platform: NodeJS.Platform, words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quote(platform, word))).join(' ')
}

function quote(platform: NodeJS.Platform, word: string): string {
  return platform === 'win32' ? `"${word.replaceAll('"', '\\"')}"` : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
