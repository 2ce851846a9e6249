import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { ConflictError, InputError } from '../../src/errors.ts'
import { clients, type SetupClient } from '../../src/setup/clients.ts'
import { findClients, planSetup, type SetupPlan, writeSetup } from '../../src/setup/setup.ts'
import { isSubsequence } from './is-subsequence.ts'

const server = { command: '/usr/bin/node', args: ['/opt/verbatim/dist/cli/main.js'] }
const moved = { ...server, args: ['/opt/other place/main.js'] }
const now = new Date('2026-11-25T20:00:00.123Z')
const isWindows = process.platform === 'win32'

let home: string
let place: { home: string; platform: NodeJS.Platform; env: Record<string, string>; server: typeof server }

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'verbatim-setup-'))
  place = { home, platform: process.platform, env: {}, server }
})

afterEach(async () => {
  await rm(home, { recursive: true, force: true })
})

/** A configuration of each client with another server, other settings and comments. */
const existing: Readonly<Record<SetupClient['name'], string>> = {
  openclaw:
    '// mine\n{\n  "gateway": { "port": 18789 }, // why\n  "mcp": {\n    "servers": {\n      "a": { "command": "b" },\n    },\n  },\n}\n',
  'claude-code':
    '{\n  "numStartups": 3,\n  "mcpServers": {\n    "a": { "command": "b" } // why\n  },\n  "projects": { "/x": { "mcpServers": {} } }\n}\n',
  'claude-desktop': '{\n\t"globalShortcut": "", // why\n\t"mcpServers": {}\n}',
  codex: '# mine\nmodel = "x" # why\n[mcp_servers.a]\ncommand = "b"\n',
  cursor: '{"mcpServers":{"a":{"command":"b"}} /* why */}',
  vscode:
    '{\r\n    "servers": {\r\n        "a": { "type": "http", "url": "http://x" } // why\r\n    },\r\n    "inputs": []\r\n}\r\n',
  'gemini-cli': '{\n  "ui": { "theme": "dark" } // why\n}\n',
}

async function configure(client: SetupClient, text: string): Promise<string> {
  const path = client.configPath(place)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  return path
}

async function copiesOf(path: string): Promise<readonly string[]> {
  return (await readdir(dirname(path))).filter((name) => name.includes('.before-verbatim-'))
}

describe.each(clients)('setup of $name', (client) => {
  it('writeSetup() makes the file, its directory and no copy where there was none', async () => {
    const plan = await planSetup(client.name, place)
    expect(plan).toMatchObject({ client: client.name, exists: false, before: undefined, alreadyConfigured: false })
    await expect(stat(plan.path)).rejects.toThrow('ENOENT')
    expect(await writeSetup(plan, { now })).toEqual({ path: plan.path })
    expect(await readFile(plan.path, 'utf8')).toBe(plan.after)
    expect(plan.after.trimEnd()).toBe(plan.snippet)
    expect(client.entry(plan.after)).toMatchObject(server)
    expect(await readdir(dirname(plan.path))).toHaveLength(1)
  })

  it('writeSetup() fills an empty file', async () => {
    const path = await configure(client, '')
    await writeSetup(await planSetup(client.name, place), { now })
    expect(client.entry(await readFile(path, 'utf8'))).toMatchObject(server)
  })

  it('writeSetup() keeps other servers, settings and comments, and a copy of what was there', async () => {
    const before = existing[client.name]
    const path = await configure(client, before)
    const result = await writeSetup(await planSetup(client.name, place), { now })
    const after = await readFile(path, 'utf8')
    expect(client.entry(after)).toMatchObject(server)
    expect(isSubsequence(before, after)).toBe(true)
    expect(result.backupPath).toBe(`${path}.before-verbatim-20261125T200000123Z`)
    expect(await readFile(result.backupPath ?? '', 'utf8')).toBe(before)
    expect((await readdir(dirname(path))).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('a second run changes nothing and makes no copy', async () => {
    const path = await configure(client, existing[client.name])
    await writeSetup(await planSetup(client.name, place), { now })
    const first = await stat(path)
    const plan = await planSetup(client.name, place)
    expect(plan.alreadyConfigured).toBe(true)
    expect(plan.instructions).toEqual([])
    expect(await writeSetup(plan, { now })).toEqual({ path })
    expect((await stat(path)).ino).toBe(first.ino)
    expect(await copiesOf(path)).toHaveLength(1)
  })

  it('an older entry is moved to the new place and the rest stays', async () => {
    const older = client.edit(existing[client.name], moved)
    const path = await configure(client, older)
    await writeSetup(await planSetup(client.name, place), { now })
    expect(await readFile(path, 'utf8')).toBe(older.replace('/opt/other place/main.js', server.args[0] ?? ''))
  })

  it('an unparsable file is refused by name, with another way in, and left as it is', async () => {
    const path = await configure(client, '{ [ mcp = ')
    const refusal: unknown = await planSetup(client.name, place).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(InputError)
    expect(refusal).toMatchObject({
      message: expect.stringContaining(path),
      remedy: expect.stringContaining('/usr/bin/node'),
    })
    expect(await readFile(path, 'utf8')).toBe('{ [ mcp = ')
    expect(await readdir(dirname(path))).toEqual([path.slice(dirname(path).length + 1)])
  })
})

describe('writeSetup()', () => {
  it.skipIf(isWindows)('keeps permissions, gives the copy the same, and makes a new file private', async () => {
    const path = await configure(clientAt(0), '{}')
    await chmod(path, 0o640)
    const { backupPath } = await writeSetup(await planSetup('openclaw', place), { now })
    const fresh = await writeSetup(await planSetup('codex', place), { now })
    const modes = await Promise.all(
      [path, backupPath ?? '', fresh.path].map(async (file) => (await stat(file)).mode & 0o777),
    )
    expect(modes).toEqual([0o640, 0o640, 0o600])
  })

  it('refuses when the file changed after the plan was made', async () => {
    const path = await configure(clientAt(0), '{}')
    const plan = await planSetup('openclaw', place)
    await writeFile(path, '{"changed": true}')
    await expect(writeSetup(plan, { now })).rejects.toThrow(ConflictError)
    expect(await readFile(path, 'utf8')).toBe('{"changed": true}')
    expect(await copiesOf(path)).toEqual([])
  })

  it('never writes over an earlier copy', async () => {
    const path = await configure(clientAt(0), '{}')
    await writeFile(`${path}.before-verbatim-20261125T200000123Z`, 'earlier')
    const { backupPath } = await writeSetup(await planSetup('openclaw', place), { now })
    expect(backupPath).toBe(`${path}.before-verbatim-20261125T200000123Z-1`)
    expect(await readFile(`${path}.before-verbatim-20261125T200000123Z`, 'utf8')).toBe('earlier')
  })

  it.skipIf(isWindows)('follows a symbolic link and leaves the link in place', async () => {
    const path = clientAt(0).configPath(place)
    const target = join(home, 'dotfiles', 'openclaw.json')
    await mkdir(dirname(path), { recursive: true })
    await mkdir(dirname(target))
    await writeFile(target, '{}')
    await symlink('../dotfiles/openclaw.json', path)
    const plan = await planSetup('openclaw', place)
    await writeSetup(plan, { now })
    expect((await lstat(path)).isSymbolicLink()).toBe(true)
    expect(await readFile(target, 'utf8')).toBe(plan.after)
  })

  it.skipIf(isWindows)('makes the target of a link that leads nowhere yet', async () => {
    const path = clientAt(0).configPath(place)
    await mkdir(dirname(path), { recursive: true })
    await symlink(join(home, 'new', 'openclaw.json'), path)
    const plan = await planSetup('openclaw', place)
    await writeSetup(plan, { now })
    expect(await readFile(join(home, 'new', 'openclaw.json'), 'utf8')).toBe(plan.after)
    expect((await lstat(path)).isSymbolicLink()).toBe(true)
  })

  it('says what to do when the place cannot be written, and leaves no temporary file', async () => {
    const path = join(home, 'file', 'openclaw.json')
    const plan: SetupPlan = { ...(await planSetup('openclaw', place)), path }
    await writeFile(join(home, 'file'), 'not a directory')
    await expect(writeSetup(plan, { now })).rejects.toThrow(/Cannot (read|write)/)
    expect(await readdir(home)).toEqual(['file'])
  })
})

describe('planSetup()', () => {
  it('names the clients it knows when it does not know one', async () => {
    await expect(planSetup('emacs', place)).rejects.toThrow(/"emacs".*openclaw, claude-code/)
  })

  it('refuses bytes that are no UTF-8 and leaves them', async () => {
    const path = await configure(clientAt(0), '{}')
    const bytes = Buffer.from([0x7b, 0xff, 0x7d])
    await writeFile(path, bytes)
    await expect(planSetup('openclaw', place)).rejects.toThrow(/must be a UTF-8 text file/)
    expect(await readFile(path)).toEqual(bytes)
  })

  it('refuses a directory in the place of the file', async () => {
    await mkdir(clientAt(0).configPath(place), { recursive: true })
    await expect(planSetup('openclaw', place)).rejects.toThrow(/EISDIR/)
  })
})

describe('findClients()', () => {
  it('tells absent, installed, configured and unreadable apart', async () => {
    await mkdir(join(home, '.cursor'))
    await configure(clientAt(0), existing.openclaw)
    const here = { command: process.execPath, args: [fileURLToPath(import.meta.url)] }
    await writeSetup(await planSetup('codex', { ...place, server: here }), { now })
    await writeSetup(await planSetup('vscode', place), { now })
    await configure(clientAt(6), 'nonsense')
    const found = await findClients(place)
    expect(found.map(({ client, installed, configured }) => [client, installed, configured])).toEqual([
      ['openclaw', true, false],
      ['claude-code', false, false],
      ['claude-desktop', false, false],
      ['codex', true, true],
      ['cursor', true, false],
      ['vscode', true, false],
      ['gemini-cli', true, false],
    ])
    expect(found.map((client) => client.problem).filter(Boolean)).toEqual([
      // Node.js may be at this place on this machine; the script is not.
      expect.stringMatching(/names "\/(?:usr\/bin\/node|opt\/verbatim\/.*)", which is not there/),
      expect.stringContaining('must be JSON'),
    ])
  })
})

function clientAt(index: number): SetupClient {
  const client = clients.at(index)
  if (client === undefined) throw new Error(`No client ${index}`)
  return client
}
