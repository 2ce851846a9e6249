import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { packageVersion } from '../../src/version.ts'
import { sharedData } from '../support/shared-data.ts'
import { isOnServer, storeKind } from '../support/test-store.ts'
import { useHome } from './support/home.ts'
import { stable } from './support/stable.ts'
import type { Tools } from './support/tools.ts'

const home = useHome()
let tools: Tools

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
  tools = await home.tools()
  await tools.saveAll({
    session_id: 'berths',
    messages: [
      { content: 'Which berth did the Marguerite get?', sender: 'Ada', timestamp: '2025-03-01T10:00:00Z' },
      {
        content: 'We decided: the Marguerite gets berth 14.',
        sender: 'clerk',
        model: 'model-a',
        tokens: { input: 12, output: 9 },
        timestamp: '2025-03-01T10:00:09Z',
      },
    ],
  })
})

/** What a command prints on stdout; it must succeed and say nothing on stderr. */
async function output(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await home.cli(args)
  // Tests on a server name the root key by the key itself, which setup cautions about.
  const said = args[0] === 'setup' ? stderr.replace(/^.*VERBATIM_ROOT_KEY is the key itself.*\n/mu, '') : stderr
  expect({ code, stderr: said }).toEqual({ code: 0, stderr: '' })
  return stdout
}

async function json(...args: readonly string[]): Promise<unknown> {
  return JSON.parse(await output(...args, '--json'))
}

describe('reading commands', () => {
  test('sessions lists what there is', async () => {
    expect(stable(await output('sessions', '--tag', 'none'))).toBe('No sessions.\n')
    expect(stable(await output('sessions', '--participant', 'Ada'))).toMatchInlineSnapshot(`
      "session                               source  last active       messages  tokens  title
      <id 1>  mcp     2025-03-01 10:00         2      21  berths
      "
    `)
    expect(await json('sessions')).toMatchObject({ sessions: [{ external_id: 'berths', message_count: 2 }] })
  })

  test('show prints a session, by the caller’s id too', async () => {
    expect(stable(await output('show', 'berths'))).toMatchInlineSnapshot(`
      "<id 1>
      <id 1>  mcp  2025-03-01T10:00:00.000Z to 2025-03-01T10:00:09.000Z
      2 messages, 21 tokens, 0 tool calls, 0 context switches
      participants: Ada, clerk; models: model-a

      [1] Ada (user) 2025-03-01T10:00:00.000Z
      Which berth did the Marguerite get?

      [2] clerk (assistant) 2025-03-01T10:00:09.000Z
      We decided: the Marguerite gets berth 14.
      "
    `)
    expect(await json('show', 'berths', '--full')).toMatchObject({
      messages: [{ content: 'Which berth did the Marguerite get?' }, { metadata: { model: 'model-a' } }],
    })
    const page = await home.cli(['show', 'berths', '--limit', '1'])
    const cursor = /More: --cursor (\S+)/.exec(page.stderr)?.[1] ?? ''
    expect(await output('show', 'berths', '--cursor', cursor)).toContain('berth 14')
  })

  test('search marks the hits', async () => {
    expect(stable(await output('search', 'Marguerite', '--limit', '5', '--role', 'assistant'))).toMatchInlineSnapshot(`
      "<id 1>  mcp  2025-03-01
        [1] Ada (user), 2025-03-01 10:00
          Which berth did the Marguerite get?
      > [2] clerk (assistant), 2025-03-01 10:00
          We decided: the Marguerite gets berth 14.
      "
    `)
    expect(await json('search', '"gets berth"')).toMatchObject({ results: [{ messages: [{}, { hit: { rank: 1 } }] }] })
    expect(await output('search', 'zyzzyva')).toBe('Nothing was found.\n')
  })

  test('summarize quotes with the numbers of the messages', async () => {
    expect(stable(await output('summarize', 'berths'))).toMatchInlineSnapshot(`
      "[1] Ada: Which berth did the Marguerite get?
      [2] clerk: We decided: the Marguerite gets berth 14.
      "
    `)
    expect(await json('summarize', 'berths', '--style', 'handoff')).toMatchObject({
      style: 'handoff',
      made_by: 'extractive',
    })
  })

  test('status counts', async () => {
    const text = await output('status')
    expect(text).toMatch(isOnServer ? /^store +server, postgres:/ : /^store +embedded/)
    expect(text).toMatch(/not yet searchable +0/)
    expect(await json('status')).toMatchObject({
      store: storeKind,
      semantic_search: { state: 'off' },
      index: { messages_behind: 0 },
    })
  })

  test('reindex says what it would take, and makes the index anew with --yes', async () => {
    expect(await output('reindex')).toMatch(/^would make anew: words of \d+ messages\nRun it with --yes to begin\n$/)
    const { messages } = z.looseObject({ messages: z.number() }).parse(await json('status'))
    expect(await json('reindex', '--yes')).toMatchObject({ messages, indexes: ['words'], done: true })
    expect(await json('status')).toMatchObject({ index: { messages_behind: 0, failed_for_good: 0 } })
  })

  test('doctor finds nothing wrong', async () => {
    expect(await output('doctor')).toContain('every message can be found')
  })

  test.runIf(isOnServer)('doctor names the version of the server', async () => {
    expect(await output('doctor')).toMatch(/(?:ok|PROBLEM) +server: PostgreSQL \d+\.\d+/)
  })

  // On a server each process that begins gives the home its mode back.
  test.skipIf(isOnServer)('doctor finds a home that others may read', async () => {
    chmodSync(home.path, 0o755)
    const { code, stdout } = await home.cli(['doctor', '--json'])
    chmodSync(home.path, 0o700)
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ name: 'home', state: 'problem', remedy: expect.stringContaining('chmod 700') }),
    )
  })

  test('doctor says that a key is set, and not which', async () => {
    const { stdout } = await home.cli(['doctor'], { env: { PINECONE_API_KEY: 'pcsk_secret' } })
    expect(stdout).toContain('PINECONE_API_KEY=(set)')
    expect(stdout).not.toContain('pcsk_secret')
  })

  test('export writes JSON, JSONL and Markdown, to stdout or to a new file', async () => {
    const document: unknown = JSON.parse(await output('export', 'berths'))
    expect(document).toMatchObject({
      external_id: 'berths',
      messages: [{ seq: 1 }, { seq: 2 }],
      context_summary: expect.any(String),
    })
    const lines = (await output('export', 'berths', '--format', 'jsonl')).trimEnd().split('\n')
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([{ seq: 1, sender: 'Ada' }, { seq: 2 }])
    const markdown = await output('export', 'berths', '--format', 'markdown')
    expect(markdown).toContain('## 2 · clerk (assistant) · 2025-03-01T10:00:09.000Z\n\nWe decided')
    const file = join(home.directory('exports'), 'berths.md')
    expect(await output('export', 'berths', '--format', 'markdown', '--output', file)).toBe('')
    expect(readFileSync(file, 'utf8')).toBe(markdown)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const again = await home.cli(['export', 'berths', '--output', file])
    expect(again.code).toBe(2)
    expect(again.stderr).toMatch(/^verbatim: Cannot write to .*berths\.md.*\nName a file that does not exist/)
    expect(readFileSync(file, 'utf8')).toBe(markdown)
  })

  test('what export wrote as JSONL is imported again', async () => {
    const file = join(home.directory('exports'), 'berths.jsonl')
    writeFileSync(file, await output('export', 'berths', '--format', 'jsonl'))
    const other = { env: { VERBATIM_HOME: join(home.userHome, 'store') } }
    const { code, stdout } = await home.cli(['import', file, '--json'], other)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject([{ status: 'imported', documents: [{ added: 2 }] }])
  })
})

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
    ['a style that is none', ['summarize', 'berths', '--style', 'long'], /Allowed choices are brief/],
    ['a format that is none', ['export', 'berths', '--format', 'pdf'], /Allowed choices are original, json/],
    ['a client that is none', ['setup', 'emacs'], /Allowed choices are openclaw/],
    ['an unknown session', ['show', 'nowhere'], /No session "nowhere"/],
    ['an unknown session to export', ['export', 'nowhere'], /No session "nowhere"/],
    [
      'a session that was not imported',
      ['export', 'berths', '--format', 'original'],
      /not imported from a file.*json, jsonl or markdown/s,
    ],
    ['a path that is not there', ['import', '/nowhere/at all'], /Cannot read "\/nowhere\/at all"/],
    ['a time that is none', ['search', 'x', '--since', 'soon'], /Cannot read "since" as a time.*ISO 8601/s],
    ['a cursor that is none', ['sessions', '--cursor', 'abc'], /"cursor" is not one that this list gave/],
    ['a query without a word', ['search', '?!'], /no word, number or symbol/],
  ])('%s: code 2, said on stderr, nothing on stdout', async (_, args, message) => {
    const { code, stdout, stderr } = await home.cli(args)
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/ {4}at .*\(|node:internal/)
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
    expect(stderr).toMatch(/^verbatim: internal error, a defect of Verbatim: TypeError ENOTHOME at .*config\.js:\d+/)
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

test('a reader that goes away, as head does, ends a command quietly', async () => {
  await tools.save({ content: 'long line\n'.repeat(100_000), sender: 'Ada', session_id: 'long' })
  for (const command of ['export long --format markdown', 'show long --json', 'export long']) {
    const script = `set -o pipefail; "${process.execPath}" "${home.program}" ${command} | head -n 1 | wc -l`
    const { code, stdout, stderr } = await home.run('bash', ['-c', script])
    expect({ code, stdout: stdout.trim(), stderr }).toEqual({ code: 0, stdout: '1', stderr: '' })
  }
})

const histories = [
  'claude-code/claude-code-log',
  'codex/localpush',
  'codex/polylogue',
  'gemini-cli/entire',
  'chatgpt-export',
  'claude-ai-export/claude-chat-viewer',
  'openclaw/generated-2026.6.11-jsonl',
  'pi',
] as const
const present = sharedData('transcripts') !== undefined

describe.skipIf(!present)('real histories', () => {
  const reportSchema = z.array(
    z.looseObject({
      path: z.string(),
      format: z.string().optional(),
      status: z.enum(['imported', 'unchanged', 'skipped', 'failed']),
      documents: z.array(z.looseObject({ added: z.number() })),
    }),
  )
  let reports: z.infer<typeof reportSchema> = []
  let directory = ''

  beforeAll(async () => {
    directory = home.directory('histories ä')
    for (const history of histories)
      cpSync(sharedData('transcripts', history) ?? '', join(directory, history), { recursive: true })
    reports = reportSchema.parse(await json('import', directory))
  })

  const added = (all: typeof reports) =>
    all.flatMap(({ documents }) => documents).reduce((sum, document) => sum + document.added, 0)

  test('are imported in eight formats, none of them failing', () => {
    const formats = new Set(reports.filter(({ status }) => status === 'imported').map(({ format }) => format))
    expect([...formats]).toEqual(
      expect.arrayContaining(['chatgpt', 'claude-ai', 'claude-code', 'codex', 'gemini-cli', 'openclaw', 'pi']),
    )
    expect(reports.filter(({ status }) => status === 'failed')).toEqual([])
    expect(added(reports)).toBeGreaterThan(500)
  })

  test('imported again add nothing, changed or not', async () => {
    const unchanged = reportSchema.parse(await json('import', directory))
    expect(added(unchanged)).toBe(0)
    expect(unchanged.filter(({ status }) => status === 'imported')).toEqual([])
    expect(added(reportSchema.parse(await json('import', directory, '--again')))).toBe(0)
  })

  test('are exported as the identical file, one of each format', async () => {
    const seen = new Set<string>()
    const sessions = z
      .object({ sessions: z.array(z.object({ session_id: z.string(), source: z.string() })) })
      .parse(await json('sessions', '--limit', '100')).sessions
    for (const { session_id: id, source } of sessions) {
      if (seen.has(source) || source === 'mcp') continue
      const file = join(home.directory('exports'), `${source}.original`)
      const { code, stderr } = await home.cli(['export', id, '--format', 'original', '--output', file])
      // A session that an imported one names as its parent has no file of its own, and says so.
      if (stderr.includes('not imported from a file')) continue
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const bytes = readFileSync(file)
      const original = reports.find(
        ({ path }) => statSync(path).size === bytes.length && readFileSync(path).equals(bytes),
      )
      expect(original, `the export of ${id} (${source}) is one of the imported files`).toBeDefined()
      seen.add(source)
    }
    expect(seen.size).toBeGreaterThanOrEqual(6)
  })

  test('are found by search and shown', async () => {
    expect(await json('search', 'decorator_example.py')).toMatchObject({
      results: expect.arrayContaining([expect.objectContaining({ source: 'claude-code' })]),
    })
  })
})

test('import --dry-run imports nothing, and import without a path looks at the known places', async () => {
  const file = join(home.directory('exports'), 'dry.jsonl')
  writeFileSync(file, '{"session_id":"dry","role":"user","content":"x"}\n')
  expect(await output('import', file, '--dry-run')).toBe(`${file}\n`)
  expect((await home.cli(['show', 'dry'])).code).toBe(2)
  expect(await output('import')).toBe('Nothing to import was found.\n')
})

test('import reports what is no transcript and keeps what is damaged', async () => {
  const directory = home.directory('mixed')
  writeFileSync(join(directory, 'notes.txt'), 'just notes\n')
  writeFileSync(
    join(directory, 'broken.jsonl'),
    '{"session_id":"broken","role":"user","content":"one"}\n{"session_id":"broken","role":\n{"session_id":"broken","role":"user","content":"two"}\n',
  )
  const { stdout, code } = await home.cli(['import', directory])
  expect(code).toBe(0)
  expect(stdout).toMatch(/skipped .*notes\.txt: not a transcript/)
  expect(stdout).toMatch(/damaged .*broken\.jsonl entry 2: .*kept as it is/)
  expect(await output('export', 'broken', '--format', 'original')).toBe(
    readFileSync(join(directory, 'broken.jsonl'), 'utf8'),
  )
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

  test('what it writes starts a server that works', async () => {
    const plan = z.object({ path: z.string() }).parse(await json('setup', 'gemini-cli', '--write'))
    const entry = z
      .object({ mcpServers: z.object({ verbatim: z.object({ command: z.string(), args: z.array(z.string()) }) }) })
      .parse(JSON.parse(readFileSync(plan.path, 'utf8'))).mcpServers.verbatim
    const { code, stdout } = await home.run(entry.command, [...entry.args, 'status', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ store: storeKind })
  })
})

describe('verify', () => {
  let plain: Tools

  // What is altered below is the content itself; encrypted content that is altered is in test/store/tampering.test.ts.
  beforeAll(async () => {
    home.settings = { ...home.settings, VERBATIM_ENCRYPTION: 'off' }
    plain = await home.tools()
  })

  test('finds everything intact', async () => {
    expect(await output('verify')).toMatch(
      /^\d+ messages of \d+ sessions \(\d+ bytes\) and \d+ imported files: all intact\n$/,
    )
    expect(await json('verify')).toMatchObject({ problems: [] })
  })

  test('names the message whose archived payload was changed, or is gone, and reads say so', async () => {
    const saved = await plain.save({ content: 'z'.repeat(2 * 1024 * 1024), sender: 'Ada', session_id: 'archived' })
    const file = join(home.path, 'archive', 'payloads', saved.sha256.slice(0, 2), saved.sha256)
    const bytes = readFileSync(file)
    const damaged = Buffer.from(bytes)
    damaged[1_000_000] = 0x79
    writeFileSync(file, damaged)
    const { code, stdout, stderr } = await home.cli(['verify'])
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    expect(stdout).toContain(`PROBLEM ${saved.session_id} ${saved.message_id}: Cannot read message`)
    expect(stdout).toContain('do not match their SHA-256')
    expect(stdout).toContain('1 problems')
    const { text } = await tools.call('get_session', { session_id: 'archived' })
    expect(text).toContain('do not match their SHA-256. Run \\"verbatim verify\\"')
    writeFileSync(file, bytes)
    expect((await home.cli(['verify'])).code).toBe(0)
    expect(existsSync(file)).toBe(true)
  })

  test('names the message whose row was changed', async () => {
    const saved = await plain.save({ content: 'original words', sender: 'Ada', session_id: 'tampered' })
    const connection = home.database()
    try {
      const set = (content: string) =>
        connection.sql`update messages set payload = ${Buffer.from(JSON.stringify(content))} where id = ${saved.message_id}`
      await set('other words')
      const { code, stdout } = await home.cli(['verify', '--json'])
      expect(code).toBe(1)
      expect(JSON.parse(stdout)).toMatchObject({
        problems: [
          { session_id: saved.session_id, message_id: saved.message_id, problem: expect.stringContaining('SHA-256') },
        ],
      })
      await set('original words')
    } finally {
      await connection.close()
    }
    expect(await json('verify')).toMatchObject({ problems: [] })
  })
})
