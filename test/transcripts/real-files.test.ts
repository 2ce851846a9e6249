import { readFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'

import { describe, expect, it } from 'vitest'

import { textField } from '../../src/transcripts/fields.ts'
import { detectFormat } from '../../src/transcripts/registry.ts'
import { sharedData } from '../support/shared-data.ts'
import { filesBelow, readOne, readTranscript, tally } from '../support/transcripts.ts'

const root = sharedData('transcripts')
const files =
  root === undefined ? [] : (await filesBelow(root)).map((path) => relative(root, path).replaceAll('\\', '/'))

/** Folders whose files are of one format; the first that fits counts. `undefined`: no transcript. */
const expectations: readonly (readonly [RegExp, string | undefined])[] = [
  [/\.(?:md|txt|sql|db)$|\/migration$/u, undefined],
  [/vibe\/session_empty\//u, undefined],
  [/(?:metadata|manifest|meta)\.json$/u, 'generic'],
  [/^claude-code\/.*\.jsonl$/u, 'claude-code'],
  [/agents\/claude\/.*\.jsonl$/u, 'claude-code'],
  [/testdata\/(?:claude|iflow)\//u, 'claude-code'],
  [/ccusage\/claude\//u, 'claude-code'],
  [/agents\/codex\/schema_drift/u, 'generic'],
  [/^codex\/.*\.jsonl$/u, 'codex'],
  [/agents\/codex\//u, 'codex'],
  [/agent-sessions\/codex_\d+/u, 'codex'],
  [/testdata\/(?:codex|traex)\//u, 'codex'],
  [/ccusage\/codex\//u, 'codex'],
  [/agents\/gemini\/schema_drift/u, 'generic'],
  [/^gemini-cli\//u, 'gemini-cli'],
  [/agents\/gemini\//u, 'gemini-cli'],
  [/testdata\/gemini\//u, 'gemini-cli'],
  [/native-browser-capture/u, 'generic'],
  [/^chatgpt-export\//u, 'chatgpt'],
  [/simple-invalid\.json$/u, 'generic'],
  [/^claude-ai-export\//u, 'claude-ai'],
  [/agents\/openclaw\//u, 'openclaw'],
  [/^openclaw\/.*(?:openclaw-agent\.sqlite|events-[^/]*\.jsonl|sessions\.json|\/c011cac6[^./]*\.jsonl)$/u, 'openclaw'],
  [/^pi\/.*\.jsonl$/u, 'pi'],
  [/agents\/pi\//u, 'pi'],
  [/testdata\/pi\//u, 'pi'],
  [/./u, 'generic'],
]

function expectedFormat(file: string): string | undefined {
  return expectations.find(([pattern]) => pattern.test(file))?.[1]
}

function missing(file: string): boolean {
  return sharedData('transcripts', file) === undefined
}

describe.skipIf(root === undefined)('real files', () => {
  it.each(files)('detectFormat() knows %s', async (file) => {
    expect((await detectFormat(join(root ?? '', file)))?.format.name).toBe(expectedFormat(file))
  })

  const accepted = files.filter((file) => expectedFormat(file) !== undefined && !file.endsWith('.sqlite'))
  it.each(accepted)('documents() gives back %s', async (file) => {
    const path = join(root ?? '', file)
    const document = await readOne(path)
    expect(document.bytes.equals(await readFile(path))).toBe(true)
    for (const entry of document.entries) {
      expect(entry.bytes.length).toBeGreaterThan(0)
      expect(entry.timestamp ?? '2026-01-01T00:00:00.000Z').toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/u)
      expect(entry.text).not.toMatch(/base64,[A-Za-z0-9+/]{200}/u)
    }
    const ids = document.entries.flatMap((entry) => (entry.id === undefined ? [] : [`${entry.session} ${entry.id}`]))
    expect(new Set(ids).size).toBe(ids.length)
  })
})

const fixtures = 'multi-agent-fixtures/agent-sessions/stage0/agents'
const parsers = 'multi-agent-fixtures/agentsview/internal/parser/testdata'

/** What entries of real files add up to. Token counts were checked against the files' own totals where there are any. */
const tallies: readonly (readonly [string, Record<string, number>])[] = [
  [
    'claude-code/entire/5a_c45bc32212_0.full.jsonl',
    {
      message: 201,
      event: 41,
      user: 6,
      assistant: 139,
      tool: 55,
      custom: 1,
      calls: 55,
      'switch:model': 1,
      input: 631,
      output: 1991,
      cacheRead: 3334164,
      cacheWrite: 330249,
    },
  ],
  [
    'claude-code/entire/ca_fca7ea73ac_0.full.jsonl',
    {
      message: 79,
      event: 6,
      user: 1,
      assistant: 54,
      tool: 23,
      custom: 1,
      calls: 23,
      'switch:compaction': 1,
      input: 164,
      output: 3653,
      cacheRead: 2038052,
      cacheWrite: 199247,
    },
  ],
  [
    'codex/localpush/rollout-2026-02-23T20-34-25-019c8bfe-ec25-79e0-97d7-bda6a9c575ff.jsonl',
    {
      message: 29,
      event: 34,
      user: 3,
      developer: 4,
      assistant: 17,
      tool: 5,
      calls: 5,
      input: 59525,
      output: 1123,
      cacheRead: 238848,
    },
  ],
  [
    'codex/polylogue/interleaved_stream.jsonl',
    { message: 8, event: 5, user: 2, assistant: 4, tool: 2, calls: 2, 'switch:compaction': 1, input: 120, output: 40 },
  ],
  [
    'pi/before-compaction.jsonl',
    {
      message: 990,
      event: 13,
      user: 55,
      assistant: 484,
      tool: 451,
      calls: 454,
      'switch:compaction': 2,
      'switch:model': 5,
      input: 3689,
      output: 187895,
      cacheRead: 54693675,
      cacheWrite: 1685320,
    },
  ],
  [
    'chatgpt-export/chatgpt2graph/conversations.json',
    { message: 42, event: 3, user: 8, assistant: 23, tool: 11, calls: 11 },
  ],
  [
    'chatgpt-export/polylogue/native-conversation-v1.json',
    { message: 8, event: 1, system: 1, user: 1, assistant: 5, tool: 1, calls: 1, 'switch:branch': 1 },
  ],
  [
    'claude-ai-export/claude-chat-viewer/conversations-multiple-errors.json',
    { message: 4, unknown: 1, user: 3, assistant: 1 },
  ],
  [
    'gemini-cli/entire/12_cbfeaa512b_0.session.json',
    { message: 6, user: 2, assistant: 4, calls: 2, input: 13635, output: 302, cacheRead: 35330 },
  ],
  [
    `${fixtures}/gemini/jsonl_v040.jsonl`,
    { message: 3, event: 2, user: 1, assistant: 2, calls: 1, input: 12422, output: 228, cacheRead: 11502 },
  ],
  [
    'openclaw/generated-2026.6.11-jsonl/c011cac6-5dd5-4e65-a465-a9d045f1b84c.jsonl',
    { message: 12, event: 4, user: 4, assistant: 6, tool: 2, calls: 2, input: 5541, output: 120, cacheRead: 600 },
  ],
  [`${parsers}/claude/truncated.jsonl`, { message: 2, damaged: 1, user: 1, assistant: 1, input: 10, output: 5 }],
  [
    `${parsers}/pi/session.jsonl`,
    {
      message: 5,
      event: 4,
      damaged: 1,
      unknown: 1,
      user: 2,
      assistant: 2,
      tool: 1,
      calls: 1,
      'switch:compaction': 1,
      input: 300,
      output: 60,
    },
  ],
  [`${fixtures}/qwen/019f0000-0000-7000-8000-000000000005.jsonl`, { message: 2, user: 1, assistant: 1 }],
]

describe('tallies of real files', () => {
  for (const [file, expected] of tallies) {
    it.skipIf(missing(file))(`counts ${file}`, async () => {
      expect(tally((await readOne(join(root ?? '', file))).entries)).toEqual(expected)
    })
  }
})

describe('totals that the files state themselves', () => {
  for (const name of ['28_a8bc758709_0', 'ec_38b74f08e3_0']) {
    const file = `claude-code/entire/${name}.full.jsonl`
    it.skipIf(missing(file))(`Claude Code usage is the publisher's own count: ${name}`, async () => {
      const metadata: unknown = JSON.parse(
        await readFile(join(root ?? '', `claude-code/entire/${name}.metadata.json`), 'utf8'),
      )
      const { input, output, cacheRead, cacheWrite } = tally((await readOne(join(root ?? '', file))).entries)
      expect(metadata).toMatchObject({
        token_usage: {
          input_tokens: input,
          output_tokens: output,
          cache_read_tokens: cacheRead,
          cache_creation_tokens: cacheWrite,
        },
      })
    })
  }

  const rollouts = files.filter((file) => /^codex\/localpush\/.*\.jsonl$/u.test(file))
  it.skipIf(rollouts.length === 0)('Codex differences add up to the last total', async () => {
    for (const file of rollouts) {
      const text = await readFile(join(root ?? '', file), 'utf8')
      const [input, cached, output] =
        [
          ...text.matchAll(
            /"total_token_usage":\{"input_tokens":(\d+),"cached_input_tokens":(\d+),"output_tokens":(\d+)/gu,
          ),
        ]
          .at(-1)
          ?.slice(1)
          .map(Number) ?? []
      const sums = tally((await readOne(join(root ?? '', file))).entries)
      expect([(sums['input'] ?? 0) + (sums['cacheRead'] ?? 0), sums['cacheRead'], sums['output']]).toEqual([
        input,
        cached,
        output,
      ])
    }
  })
})

describe('several sessions in one file', () => {
  const file = `${fixtures}/claude/small.jsonl`
  it.skipIf(missing(file))('gives each row to the session it names', async () => {
    const { entries, sessions } = await readOne(join(root ?? '', file))
    expect(sessions.size).toBe(3)
    for (const entry of entries) {
      const row: unknown = JSON.parse(Buffer.from(entry.bytes).toString())
      expect(entry.session).toBe(textField(row, 'sessionId') ?? entry.session)
    }
  })

  const subagent = `${fixtures}/claude/subagent/0a1b2c3d-4e5f-4061-8071-2a3b4c5d6e7f/subagents/agent-a0ad4f44468bdf20d.jsonl`
  it.skipIf(missing(subagent))('makes a subagent`s file a session below its parent', async () => {
    const { sessions } = await readOne(join(root ?? '', subagent))
    const parent = basename(dirname(dirname(subagent)))
    expect([...sessions.values()]).toMatchObject([{ id: `${parent}/agent-a0ad4f44468bdf20d`, parent }])
  })
})

describe('the OpenClaw database', () => {
  const file = 'openclaw/generated-2026.9.6-sqlite/openclaw-agent.sqlite'
  it.skipIf(missing(file))('gives each session as the JSONL of its events, byte for byte', async () => {
    const documents = await readTranscript(join(root ?? '', file))
    expect(documents.map((document) => document.name)).toHaveLength(3)
    for (const { name, bytes } of documents) {
      expect(bytes.equals(await readFile(join(root ?? '', dirname(file), `events-${name}.jsonl`)))).toBe(true)
    }
  })

  it.skipIf(missing(file))('sums assistant rows, counts nested calls, and counts a fork`s copies nowhere', async () => {
    const documents = await readTranscript(join(root ?? '', file))
    expect(documents.map(({ entries }) => tally(entries))).toEqual([
      {
        message: 24,
        event: 15,
        user: 8,
        assistant: 11,
        tool: 5,
        calls: 3,
        'switch:model': 1,
        'switch:compaction': 1,
        'switch:reset': 1,
        input: 10036,
        output: 220,
        cacheRead: 1100,
      },
      {
        message: 24,
        event: 15,
        user: 8,
        assistant: 11,
        tool: 5,
        copied: 38,
        'switch:model': 1,
        'switch:compaction': 1,
        'switch:reset': 1,
      },
      { message: 2, event: 4, user: 1, assistant: 1, input: 920, output: 20, cacheRead: 100 },
    ])
    const calls = documents[0]?.entries.flatMap((entry) => entry.toolsUsed)
    expect(calls).toEqual(['session-vault__search_memory', 'session-vault__big_result', 'exec'])
    expect([...(documents[1]?.sessions.values() ?? [])]).toMatchObject([
      {
        id: 'main/97b84db7-a4b6-4743-b8d7-fbacb2fa4f39',
        parent: 'main/17da8aa8-e498-4d99-ad13-e896934a97de',
        title: 'forked',
      },
    ])
  })
})
