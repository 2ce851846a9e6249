import { describe, expect, it } from 'vitest'

import { clients, type ClientName, type Place, type SetupClient } from '../../src/setup/clients.ts'
import { serverCommand } from '../../src/setup/server-command.ts'

const windows: Place = { home: String.raw`C:\Users\u`, platform: 'win32', env: { APPDATA: String.raw`D:\Roaming` } }
const mac: Place = { home: '/Users/u', platform: 'darwin', env: {} }
const linux: Place = { home: '/home/u', platform: 'linux', env: {} }

function client(name: ClientName): SetupClient {
  const found = clients.find((candidate) => candidate.name === name)
  if (found === undefined) throw new Error(`No client ${name}`)
  return found
}

describe('configPath()', () => {
  it.each<[ClientName, string, string, string]>([
    [
      'openclaw',
      '/home/u/.openclaw/openclaw.json',
      '/Users/u/.openclaw/openclaw.json',
      String.raw`C:\Users\u\.openclaw\openclaw.json`,
    ],
    ['claude-code', '/home/u/.claude.json', '/Users/u/.claude.json', String.raw`C:\Users\u\.claude.json`],
    [
      'claude-desktop',
      '/home/u/.config/Claude/claude_desktop_config.json',
      '/Users/u/Library/Application Support/Claude/claude_desktop_config.json',
      String.raw`D:\Roaming\Claude\claude_desktop_config.json`,
    ],
    ['codex', '/home/u/.codex/config.toml', '/Users/u/.codex/config.toml', String.raw`C:\Users\u\.codex\config.toml`],
    ['cursor', '/home/u/.cursor/mcp.json', '/Users/u/.cursor/mcp.json', String.raw`C:\Users\u\.cursor\mcp.json`],
    [
      'vscode',
      '/home/u/.config/Code/User/mcp.json',
      '/Users/u/Library/Application Support/Code/User/mcp.json',
      String.raw`D:\Roaming\Code\User\mcp.json`,
    ],
    [
      'gemini-cli',
      '/home/u/.gemini/settings.json',
      '/Users/u/.gemini/settings.json',
      String.raw`C:\Users\u\.gemini\settings.json`,
    ],
  ])('of %s is the file that the client reads on each system', (name, ...expected) => {
    expect([linux, mac, windows].map((place) => client(name).configPath(place))).toEqual(expected)
  })

  it.each<[ClientName, string, string, string]>([
    ['openclaw', 'OPENCLAW_CONFIG_PATH', '~/other.json', '/home/u/other.json'],
    ['openclaw', 'OPENCLAW_STATE_DIR', '/state', '/state/openclaw.json'],
    ['openclaw', 'OPENCLAW_HOME', '/srv', '/srv/.openclaw/openclaw.json'],
    ['claude-code', 'CLAUDE_CONFIG_DIR', '/cc', '/cc/.claude.json'],
    ['claude-desktop', 'XDG_CONFIG_HOME', '/xdg', '/xdg/Claude/claude_desktop_config.json'],
    ['codex', 'CODEX_HOME', '/cx', '/cx/config.toml'],
    ['gemini-cli', 'GEMINI_CLI_HOME', '/g', '/g/.gemini/settings.json'],
    ['codex', 'CODEX_HOME', '', '/home/u/.codex/config.toml'],
  ])('of %s follows %s = "%s"', (...[name, variable, value, path]) => {
    expect(client(name).configPath({ ...linux, env: { [variable]: value } })).toBe(path)
  })
})

describe('ownCommand()', () => {
  const server = { command: '/usr/bin/node', args: ["/it's here/main.js"], env: { VERBATIM_HOME: '/data' } }

  it('is quoted for the shell of the system', () => {
    expect(clients.flatMap((one) => one.ownCommand?.(server, 'linux') ?? [])).toEqual([
      `openclaw mcp add verbatim --command /usr/bin/node --arg '/it'\\''s here/main.js' --env VERBATIM_HOME=/data --timeout 30`,
      `claude mcp add --scope user verbatim --env VERBATIM_HOME=/data -- /usr/bin/node '/it'\\''s here/main.js'`,
      `codex mcp add verbatim --env VERBATIM_HOME=/data -- /usr/bin/node '/it'\\''s here/main.js'`,
      `gemini mcp add -s user -e VERBATIM_HOME=/data verbatim /usr/bin/node '/it'\\''s here/main.js'`,
    ])
    const onWindows = { command: String.raw`C:\Program Files\nodejs\node.exe`, args: [String.raw`C:\v\main.js`] }
    expect(client('codex').ownCommand?.(onWindows, 'win32')).toBe(
      String.raw`codex mcp add verbatim -- "C:\Program Files\nodejs\node.exe" "C:\v\main.js"`,
    )
  })
})

describe('serverCommand()', () => {
  it('names this Node.js and the script by absolute path', () => {
    expect(
      serverCommand({ execPath: '/usr/bin/node', scriptPath: '/lib/verbatim-mcp/dist/cli/main.js', platform: 'linux' }),
    ).toEqual({
      command: '/usr/bin/node',
      args: ['/lib/verbatim-mcp/dist/cli/main.js'],
    })
    expect(
      serverCommand({
        execPath: String.raw`C:\nodejs\node.exe`,
        scriptPath: String.raw`C:\v\main.js`,
        platform: 'win32',
      }).command,
    ).toBe(String.raw`C:\nodejs\node.exe`)
  })

  it("replaces Homebrew's versioned directory, which the next upgrade removes", () => {
    const homebrew = { scriptPath: '/v/main.js', platform: 'darwin' } as const
    expect(serverCommand({ ...homebrew, execPath: '/opt/homebrew/Cellar/node@22/22.1.0_1/bin/node' }).command).toBe(
      '/opt/homebrew/opt/node@22/bin/node',
    )
    expect(serverCommand({ ...homebrew, execPath: '/usr/local/Cellar/node/22.1.0/bin/node' }).command).toBe(
      '/usr/local/opt/node/bin/node',
    )
  })

  it.each([
    '/h/.npm/_npx/ab12/node_modules/verbatim-mcp/dist/cli/main.js',
    '/h/.cache/pnpm/dlx-77/node_modules/x/main.js',
  ])('cautions about a script in a temporary cache: %s', (scriptPath) => {
    expect(serverCommand({ execPath: '/usr/bin/node', scriptPath, platform: 'linux' }).caution).toContain(
      'npm install -g verbatim-mcp',
    )
  })

  it('refuses a relative path', () => {
    expect(() => serverCommand({ execPath: 'node', scriptPath: '/v/main.js', platform: 'linux' })).toThrow(
      /must be absolute: current value is "node"/,
    )
  })
})
