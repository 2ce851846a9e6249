import { chmodSync, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { sharedData } from '../support/shared-data.ts'
import { isOnServer, storeKind } from '../support/test-store.ts'
import { untilIndexed } from './support/archived.ts'
import { saveDecision } from './support/berth.ts'
import { outputOf } from './support/cli-output.ts'
import { useHome } from './support/home.ts'
import type { Tools } from './support/tools.ts'

const home = useHome()
let tools: Tools

beforeAll(async () => {
  tools = await home.tools()
  await saveDecision(tools, 'berths')
})

const output = (...args: readonly string[]) => outputOf(home, args)

async function json(...args: readonly string[]): Promise<unknown> {
  return JSON.parse(await output(...args, '--json'))
}

describe('commands', () => {
  test('status counts', async () => {
    await untilIndexed(home, tools)
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
    const { messages } = await tools.status()
    expect(await json('reindex', '--yes')).toMatchObject({ messages, indexes: ['words'], done: true })
    expect(await tools.status()).toMatchObject({ index: { messages_behind: 0, failed_for_good: 0 } })
  })

  test('doctor finds nothing wrong, and names the version of a server', async () => {
    const text = await output('doctor')
    expect(text).toContain('every message can be found')
    expect(text).toMatch(isOnServer ? /(?:ok|PROBLEM) +server: PostgreSQL \d+\.\d+/ : /every message/)
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
      documents: z.array(z.looseObject({ added: z.number(), sessionIds: z.array(z.string()) })),
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
    const ofFormats = new Map(reports.map(({ format, documents }) => [format, documents[0]?.sessionIds[0]]))
    const ids = [...ofFormats.values()].filter((id) => id !== undefined)
    expect(ids.length).toBeGreaterThanOrEqual(6)
    // Of files of which one begins as another does, the longer one is meant.
    const files = reports.map(({ path }) => readFileSync(path, 'utf8')).toSorted((a, b) => b.length - a.length)
    let rest = await output('export', ...ids, '--format', 'original')
    for (const id of ids) {
      const exported = files.find((text) => rest.startsWith(text)) ?? ''
      expect(exported, `the export of ${id} is one of the imported files`).not.toBe('')
      rest = rest.slice(exported.length)
    }
    expect(rest).toBe('')
  })

  test('are found by search and shown', async () => {
    expect(await json('search', 'decorator_example.py')).toMatchObject({
      results: expect.arrayContaining([expect.objectContaining({ source: 'claude-code' })]),
    })
  })
})

describe('setup', () => {
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
      /^(Of \d+ messages? the content alone is proven, .*\n)?\d+ messages of \d+ sessions \(\d+ bytes\) and \d+ imported documents: all intact\n$/,
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
    expect(stdout).toContain('1 problem')
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
