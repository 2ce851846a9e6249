import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { packageVersion } from '../../src/version.ts'
import { useHome } from './support/home.ts'

const home = useHome()

const commands = [
  'import',
  'hook',
  'search',
  'sessions',
  'show',
  'export',
  'summarize',
  'verify',
  'status',
  'doctor',
  'setup',
]

beforeAll(async () => {
  await (
    await home.tools()
  ).save({ session_id: 'berths', content: 'Which berth did the Marguerite get?', sender: 'Ada' })
})

/** What a command prints on stdout; it must succeed and say nothing on stderr. */
async function output(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await home.cli(args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

async function json(...args: readonly string[]): Promise<unknown> {
  return JSON.parse(await output(...args, '--json'))
}

describe('--help', () => {
  test.each(commands)('%s says what it does and its options', async (command) => {
    const help = await output(command, '--help')
    expect(help).toMatch(new RegExp(`^Usage: verbatim ${command} `))
    expect(help).toContain('-h, --help')
    expect(help.split('\n').every((line) => line.length <= 100)).toBe(true)
  })

  test('lists every command and the exit codes', async () => {
    const help = await output('--help')
    for (const command of commands) expect(help).toMatch(new RegExp(`^  ${command} `, 'm'))
    expect(help).toContain('Exit codes: 0 done')
    expect(await output('--version')).toBe(`${packageVersion()}\n`)
  })
})

describe('errors', () => {
  test.each<[string, readonly string[], RegExp]>([
    ['an unknown command', ['bogus'], /unknown command 'bogus'/],
    ['a command misspelt', ['serach', 'x'], /Did you mean search/],
    ['an unknown option', ['search', 'x', '--bogus'], /unknown option '--bogus'/],
    ['an unknown option of the server', ['--bogus'], /Unknown option '--bogus'.*--help/s],
    ['an argument that is missing', ['search'], /missing required argument 'query'/],
    ['a number out of bounds', ['search', 'x', '--limit', '0'], /whole number from 1 to 100/],
    ['a number that is none', ['show', 'berths', '--limit', '1.5'], /whole number from 1 to 500/],
    ['a role that is none', ['search', 'x', '--role', 'pope'], /Allowed choices are user, assistant/],
    ['a mode that is none', ['search', 'x', '--mode', 'fuzzy'], /Allowed choices are hybrid, semantic, full_text/],
    ['a style that is none', ['summarize', 'berths', '--style', 'long'], /Allowed choices are brief/],
    ['a format that is none', ['export', 'berths', '--format', 'pdf'], /Allowed choices are original, json/],
    ['a client that is none', ['setup', 'emacs'], /Allowed choices are openclaw/],
    ['an unknown session', ['show', 'nowhere'], /No session "nowhere"\nRun "verbatim sessions" to see what there is/],
    ['an unknown session to export', ['export', 'nowhere'], /No session "nowhere"/],
    [
      'a session that was not imported',
      ['export', 'berths', '--format', 'original'],
      /not imported from a file.*json, jsonl or markdown/s,
    ],
    ['a path that is not there', ['import', '/nowhere/at all'], /Cannot read "\/nowhere\/at all"/],
    ['a time that is none', ['search', 'x', '--since', 'soon'], /Cannot read "since" as a time.*ISO 8601/s],
    ...[['search', 'x'], ['summarize'], ['erase'], ['audit', 'export'], ['audit', 'who-accessed']].map(
      (args): [string, readonly string[], RegExp] => [
        `${args.join(' ')} until a time before its beginning`,
        [...args, '--since', '2024-02-01', '--until', '2024-01-01'],
        /"since" must not be after "until"\nExchange the two/,
      ],
    ),
    [
      'a cursor that is none',
      ['sessions', '--cursor', 'abc'],
      /"cursor" is not one that this list gave.*\nPass the cursor of/,
    ],
    ['a query without a word', ['search', '?!'], /no word, number or emoji.*\n.*run "verbatim sessions" to browse/],
    [
      'a fact that is none',
      ['facts', 'show', 'nothing'],
      /no fact "nothing"\nRun "verbatim facts list": it shows the ids/,
    ],
  ])('%s: code 2, said on stderr, nothing on stdout', async (_, args, message) => {
    const { code, stdout, stderr } = await home.cli(args)
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/ {4}at .*\(|node:internal/)
    expect(stderr).not.toMatch(/\b(?:list_sessions|get_session|search_memory|recall_context|session_id)\b/)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })

  test('a misspelt setting is refused with the nearest name, by the server too', async () => {
    for (const args of [['status'], []]) {
      const { code, stdout, stderr } = await home.cli(args, { env: { VERBATIM_HOM: '/tmp/x' } })
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(/"VERBATIM_HOM" is not a setting.*Did you mean "VERBATIM_HOME"\?/s)
    }
    const value = await home.cli(['status'], { env: { VERBATIM_LOG_LEVEL: 'loud' } })
    expect(value.code).toBe(2)
    expect(value.stderr).toMatch(/"VERBATIM_LOG_LEVEL" is not usable/)
  })

  test('a home that cannot be made: code 3', async () => {
    const file = join(home.directory('exports'), 'a-file')
    writeFileSync(file, 'x')
    const { code, stdout, stderr } = await home.cli(['status'], { env: { VERBATIM_HOME: join(file, 'store') } })
    expect(stderr).toMatch(/^verbatim: /)
    expect(stderr).not.toMatch(/ {4}at .*\(/)
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
  })
})

describe('a defect', () => {
  /** Settings with which the directory of the user, and with it the default store, cannot be told. */
  function broken(): Record<string, string> {
    const file = join(home.directory('defect'), 'preload.mjs')
    writeFileSync(
      file,
      `import os from 'node:os'
      import { syncBuiltinESMExports } from 'node:module'
      os.homedir = () => { throw Object.assign(new TypeError('words that are stored'), { code: 'ENOTHOME' }) }
      syncBuiltinESMExports()`,
    )
    return { VERBATIM_HOME: '', NODE_OPTIONS: `--import=${file}` }
  }

  test.each<[string, readonly string[]]>([
    ['a command', ['status']],
    ['the server', []],
  ])('of %s: code 70 and one line that says where, without the words of the error', async (_, args) => {
    const { code, stdout, stderr } = await home.cli(args, { env: broken() })
    expect(stderr).toMatch(
      /^verbatim: internal error, a defect of Verbatim: TypeError ENOTHOME at .*readConfig \(.*chunks\/[\w-]+\.js:\d+/,
    )
    expect(stderr.split('\n')).toHaveLength(2)
    expect(stderr).not.toContain('words that are stored')
    expect({ code, stdout }).toEqual({ code: 70, stdout: '' })
  })
})

describe('--env-file', () => {
  test('gives settings, which the environment overrides', async () => {
    const file = join(home.directory('exports'), 'settings.env')
    writeFileSync(file, 'VERBATIM_LOG_LEVEL=loud\n')
    expect((await home.cli(['--env-file', file, 'status'])).code).toBe(2)
    expect((await home.cli(['--env-file', file, 'status'], { env: { VERBATIM_LOG_LEVEL: 'warn' } })).code).toBe(0)
  })
})

describe('setup', () => {
  test('shows a client’s configuration and writes nothing', async () => {
    const before = readdirSync(home.userHome).toSorted()
    const text = await output('setup', 'cursor')
    expect(text).toContain('"mcpServers"')
    expect(text).toContain('--write')
    expect(text).toContain(home.path)
    expect(await json('setup', 'claude-code')).toMatchObject({ exists: false, alreadyConfigured: false })
    expect(await output('setup')).toContain('gemini-cli')
    expect(readdirSync(home.userHome).toSorted()).toEqual(before)
  })

  test('--write adds the server, keeps what was there and a copy of it, and changes nothing the second time', async () => {
    const file = join(home.directory('.cursor'), 'mcp.json')
    const before = '{\n  // mine\n  "mcpServers": { "other": { "command": "other" } }\n}\n'
    writeFileSync(file, before)
    const written = z
      .object({ path: z.string(), backupPath: z.string() })
      .parse(await json('setup', 'cursor', '--write'))
    expect(written.path).toBe(file)
    expect(readFileSync(written.backupPath, 'utf8')).toBe(before)
    const after = readFileSync(file, 'utf8')
    expect(after).toContain('// mine')
    expect(after).toContain('"other"')
    expect(after).toContain('"verbatim"')
    expect(await output('setup', 'cursor', '--write')).toContain('Nothing to change')
    expect(readFileSync(file, 'utf8')).toBe(after)
  })

  test('carries the store’s place, whole, and that of its root key, from the environment or from --env-file, and nothing where none is set', async () => {
    const entry = z.looseObject({ env: z.unknown().optional() })
    // `env -u` takes away the place, and on a server the key, that every command of this file is given.
    let caution = ''
    const carried = async (...args: readonly string[]) => {
      const command = ['-u', 'VERBATIM_HOME', '-u', 'VERBATIM_ROOT_KEY', ...args, 'setup', 'cursor', '--json']
      const { code, stdout, stderr } = await home.run('env', command)
      expect(code).toBe(0)
      caution = stderr
      const { snippet } = z.object({ snippet: z.string() }).parse(JSON.parse(stdout))
      return z.object({ mcpServers: z.object({ verbatim: entry }) }).parse(JSON.parse(snippet)).mcpServers.verbatim.env
    }
    const program = [process.execPath, home.program]
    const file = join(home.directory('exports'), 'place.env')
    writeFileSync(file, 'VERBATIM_HOME=~/store\n')
    expect(await carried(...program)).toBeUndefined()
    expect(await carried('VERBATIM_HOME=', ...program)).toBeUndefined()
    expect(await carried('VERBATIM_HOME=~/berths/../store', ...program)).toEqual({ VERBATIM_HOME: home.path })
    expect(await carried(...program, '--env-file', file)).toEqual({ VERBATIM_HOME: home.path })
    const key = '0123456789abcdef'.repeat(4)
    const keyFile = { VERBATIM_ENCRYPTION: 'off', VERBATIM_ROOT_KEY_FILE: join(home.userHome, 'a.key') }
    expect(await carried('VERBATIM_ENCRYPTION=off', 'VERBATIM_ROOT_KEY_FILE=~/a.key', ...program)).toEqual(keyFile)
    const command = { VERBATIM_ROOT_KEY_COMMAND: 'security find-generic-password -w' }
    expect(await carried(`VERBATIM_ROOT_KEY_COMMAND=${command.VERBATIM_ROOT_KEY_COMMAND}`, ...program)).toEqual(command)
    expect(caution).toBe('')
    expect(await carried(`VERBATIM_ROOT_KEY=${key}`, ...program)).toBeUndefined()
    expect(caution).toMatch(/^Caution: VERBATIM_ROOT_KEY is the key itself and is not written down/)
    expect(caution).not.toContain(key)
  })

  test.each([['berths'], ['./berths'], ['../berths']])(
    'refuses the relative place %s: every client would start its server elsewhere',
    async (relative) => {
      const { code, stdout, stderr } = await home.cli(['setup', 'codex', '--write'], {
        env: { VERBATIM_HOME: relative },
      })
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(/"VERBATIM_HOME" must be an absolute path/)
      expect(existsSync(join(home.userHome, '.codex'))).toBe(false)
    },
  )
})
