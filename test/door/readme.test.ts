import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'

import { StoreFixture } from '../embedded/store-fixture.ts'
import { distPath } from '../support/built.ts'
import { sharedData } from '../support/shared-data.ts'

const run = promisify(execFile)
const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8')
const transcripts = sharedData('transcripts')

/** The commands of the README's examples, each with what it says they print. */
function examples(): { command: string; output: string }[] {
  const blocks = [...readme.matchAll(/```console\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .filter((part) => part.trim().length > 0)
      .map((part) => {
        const [command = '', ...output] = part.split('\n')
        return { command: command.replace(/\s+#.*$/, ''), output: output.join('\n') }
      }),
  )
}

/** Until everything that was saved can be found. */
async function untilIndexed(env: NodeJS.ProcessEnv): Promise<void> {
  const behind = async () => {
    const { stdout } = await run(process.execPath, [distPath('cli/main.js'), 'status', '--json'], { env })
    return statusSchema.parse(JSON.parse(stdout)).index.messages_behind
  }
  await expect.poll(behind, { timeout: 60_000, interval: 200 }).toBe(0)
}

const statusSchema = z.looseObject({ index: z.looseObject({ messages_behind: z.number() }) })

const sessionId = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/

describe.skipIf(transcripts === undefined)('the README’s example', () => {
  const home = mkdtempSync(join(tmpdir(), 'verbatim-readme-'))
  const store = new StoreFixture(join(home, '.verbatim'))

  beforeAll(() => {
    const copy = (from: string, match: RegExp, to: (name: string) => string): void => {
      const directory = join(transcripts ?? '', from)
      for (const name of readdirSync(directory).filter((entry) => match.test(entry))) {
        const target = join(home, to(name))
        mkdirSync(join(target, '..'), { recursive: true })
        cpSync(join(directory, name), target)
      }
    }
    copy(
      'claude-code/entire',
      /\.full\.jsonl$/,
      (name) => `.claude/projects/-home-ann-cli/${basename(name, '.full.jsonl')}.jsonl`,
    )
    copy(
      'gemini-cli/entire',
      /\.session\.json$/,
      (name) => `.gemini/tmp/7e8989f7/chats/session-${basename(name, '.session.json')}.json`,
    )
    copy('codex/localpush', /^rollout.*\.jsonl$/, (name) => `.codex/sessions/2026/02/23/${name}`)
  })

  afterAll(async () => {
    await store.dispose()
    rmSync(home, { recursive: true, force: true })
  }, 30_000)

  it('prints what the README says, command by command', async () => {
    const shown = examples().filter(({ command, output }) => command.startsWith('verbatim') && output.trim().length > 0)
    expect(shown.length).toBeGreaterThanOrEqual(4)
    let found = ''
    for (const { command, output } of shown) {
      // The session has another id in every store; the one that a search gave is the one that is exported.
      const line = command.replace(sessionId, found)
      const script = `verbatim() { "${process.execPath}" "${distPath('cli/main.js')}" "$@"; }; ${line}`
      // By words alone: which vectors are there by then depends on the machine.
      const env = { PATH: process.env['PATH'], HOME: home, VERBATIM_EMBEDDER: 'none' }
      // Who reads an answer takes longer than a busy machine takes to index an import.
      await untilIndexed(env)
      const { stdout, stderr } = await run('bash', ['-c', script], { env })
      found = sessionId.exec(stdout)?.[0] ?? found
      // Notes on stderr come before the results in a terminal, or after them as a hint that the README leaves out, as it does what is
      // logged: where the key was made.
      const notes = stderr.split('\n').filter((note) => note.length > 0 && !/^(?:More:|\{)/u.test(note))
      const printed = [...notes, stdout.trimEnd()].filter((part) => part.length > 0).join('\n')
      const normal = (text: string) =>
        text.replaceAll(home, '/home/ann').replaceAll(new RegExp(sessionId, 'g'), '<session>').trimEnd()
      expect(normal(printed)).toBe(normal(output))
    }
  })
})
