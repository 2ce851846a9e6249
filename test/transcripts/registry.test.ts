import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'

import { describe, expect, it } from 'vitest'

import { InputError } from '../../src/errors.ts'
import { openclawSqlite } from '../../src/transcripts/openclaw/openclaw-sqlite.ts'
import { detectFormat, findTranscripts, transcriptFormats } from '../../src/transcripts/registry.ts'
import { jsonl, readOne, readTranscript, temporaryDirectory, writeTranscript } from '../support/transcripts.ts'

async function home(files: readonly string[]): Promise<string> {
  const directory = await temporaryDirectory()
  for (const file of files) {
    await mkdir(dirname(join(directory, file)), { recursive: true })
    await writeFile(join(directory, file), '{}\n')
  }
  return directory
}

async function found(directory: string, environment: Record<string, string> = {}): Promise<readonly string[]> {
  const places = await findTranscripts(directory, environment)
  return places
    .flatMap((place) => place.files.map((file) => `${place.format.name}: ${relative(directory, file)}`))
    .toSorted()
}

describe('findTranscripts()', () => {
  it('finds what each client keeps, and nothing beside it', async () => {
    const directory = await home([
      '.openclaw/agents/main/agent/openclaw-agent.sqlite',
      '.openclaw/agents/main/agent/openclaw-agent.sqlite-wal',
      '.clawdbot/agents/main/sessions/sessions.json',
      '.clawdbot/agents/main/sessions/a.jsonl',
      '.clawdbot/agents/main/sessions/a.trajectory.jsonl',
      '.clawdbot/agents/main/sessions/a.jsonl.reset.2026-01-01',
      '.moltbot/agents/x/sessions/b-topic-1.jsonl.deleted.5.zst',
      '.openclaw/agents/main/sessions/cold/c.jsonl.zst',
      '.openclaw/openclaw.json',
      '.claude/projects/-w/s.jsonl',
      '.claude/projects/-w/s/subagents/agent-1.jsonl',
      '.claude/projects/-w/s/subagents/agent-1.meta.json',
      '.claude/history.jsonl',
      '.codex/sessions/2026/02/23/rollout-1.jsonl',
      '.codex/archived_sessions/rollout-2.jsonl.zst',
      '.codex/history.jsonl',
      '.gemini/tmp/abc/chats/session-1.json',
      '.gemini/tmp/abc/chats/session-2.jsonl',
      '.gemini/tmp/abc/logs.json',
      '.pi/agent/sessions/--w--/1_x.jsonl',
    ])
    expect(await found(directory)).toEqual([
      'claude-code: .claude/projects/-w/s.jsonl',
      'claude-code: .claude/projects/-w/s/subagents/agent-1.jsonl',
      'codex: .codex/archived_sessions/rollout-2.jsonl.zst',
      'codex: .codex/sessions/2026/02/23/rollout-1.jsonl',
      'gemini-cli: .gemini/tmp/abc/chats/session-1.json',
      'gemini-cli: .gemini/tmp/abc/chats/session-2.jsonl',
      'openclaw: .clawdbot/agents/main/sessions/a.jsonl',
      'openclaw: .clawdbot/agents/main/sessions/a.jsonl.reset.2026-01-01',
      'openclaw: .clawdbot/agents/main/sessions/sessions.json',
      'openclaw: .moltbot/agents/x/sessions/b-topic-1.jsonl.deleted.5.zst',
      'openclaw: .openclaw/agents/main/agent/openclaw-agent.sqlite',
      'openclaw: .openclaw/agents/main/sessions/cold/c.jsonl.zst',
      'pi: .pi/agent/sessions/--w--/1_x.jsonl',
    ])
  })

  it('follows the variables that move a client`s directory', async () => {
    const directory = await home([
      'oc/agents/main/sessions/a.jsonl',
      'cc/projects/-w/b.jsonl',
      'cx/sessions/rollout-c.jsonl',
    ])
    const environment = {
      OPENCLAW_STATE_DIR: join(directory, 'oc'),
      CLAUDE_CONFIG_DIR: join(directory, 'cc'),
      CODEX_HOME: join(directory, 'cx'),
    }
    expect(await found(directory, environment)).toEqual([
      'claude-code: cc/projects/-w/b.jsonl',
      'codex: cx/sessions/rollout-c.jsonl',
      'openclaw: oc/agents/main/sessions/a.jsonl',
    ])
  })

  it('finds nothing in an empty home', async () => {
    expect(await findTranscripts(await temporaryDirectory(), {})).toEqual([])
  })

  it('says where it cannot look', async () => {
    const directory = await home(['.codex/sessions'])
    expect(await findTranscripts(directory, {})).toMatchObject([
      { format: { name: 'codex' }, files: [], problems: [expect.stringContaining('Cannot read directory')] },
    ])
  })
})

describe('detectFormat()', () => {
  it('takes only the named format where one is named', async () => {
    const path = await writeTranscript('x.jsonl', [{ role: 'user', content: 'a' }])
    expect((await detectFormat(path))?.format.name).toBe('generic')
    expect(await detectFormat(path, 'codex')).toBeUndefined()
    expect((await detectFormat(path, 'generic'))?.format.name).toBe('generic')
  })

  it('tells pi from OpenClaw', async () => {
    const header = { type: 'session', version: 3, id: 'x', timestamp: '2026-01-01T00:00:00Z' }
    const pi = await writeTranscript('2026-01-01T00-00-00-000Z_x.jsonl', [header])
    const openclaw = await writeTranscript('x.jsonl', [header])
    expect((await detectFormat(pi))?.format.name).toBe('pi')
    expect((await detectFormat(openclaw))?.format.name).toBe('openclaw')
    expect((await detectFormat(await writeTranscript('y.jsonl', [{ ...header, version: 4 }])))?.format.name).toBe(
      'openclaw',
    )
  })

  it('refuses a file that is not there, and a directory, by name', async () => {
    const directory = await temporaryDirectory()
    await expect(detectFormat(join(directory, 'none.jsonl'))).rejects.toThrow(InputError)
    await expect(detectFormat(join(directory, 'none.jsonl'))).rejects.toThrow(/none\.jsonl/u)
    await expect(detectFormat(directory)).rejects.toThrow(InputError)
  })
})

describe('every format', () => {
  it.each(transcriptFormats.map((format) => [format.name, format] as const))(
    '%s refuses a missing file as an InputError with a remedy',
    async (_name, format) => {
      const path = join(await temporaryDirectory(), 'openclaw-agent.sqlite')
      await expect(readTranscript(path, format)).rejects.toMatchObject({
        code: 'input',
        remedy: expect.any(String),
        message: expect.stringContaining(path),
      })
    },
  )

  it.each(
    transcriptFormats.filter((format) => format !== openclawSqlite).map((format) => [format.name, format] as const),
  )('%s gives back rows that are not its own', async (_name, format) => {
    const content = `\ufeff \r\n${jsonl([{ a: 1 }, [2], 'three', null])}{"role": \n\n[`
    for (const name of ['x.jsonl', 'x.json']) {
      expect((await readOne(await writeTranscript(name, content), format)).bytes.toString()).toBe(content)
    }
  })
})
