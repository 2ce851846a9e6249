import { chmodSync, readFileSync, writeFileSync } from 'node:fs'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { useHome } from '../../../../test/door/support/home.ts'
import { isOnServer } from '../../../../test/support/test-store.ts'
import plugin from '../../src/plugin.ts'
import { FakeHost } from '../support/fake-host.ts'
import { TranscriptFile } from '../support/transcript-file.ts'

const home = useHome()
let hosts = 0

/** Stores sessions and gives back a host with the plugin, whose recall is asked for a prompt. */
async function recalling(given: {
  readonly sessions: Readonly<Record<string, readonly (readonly [question: string, answer: string])[]>>
  readonly config?: object
}) {
  const stateDirectory = home.directory(`openclaw-recall-${++hosts}`)
  const sessions = Object.entries(given.sessions).map(([id, turns]) => {
    const session = new TranscriptFile(stateDirectory, id)
    for (const [question, answer] of turns) session.turn(question, answer)
    return session.path
  })
  if (sessions.length > 0) await home.cli(['import', '--format', 'openclaw', ...sessions])
  const command = [process.execPath, home.program]
  const pluginConfig = { command, env: home.env, capture: false, recallTimeoutMs: 10_000, ...given.config }
  const host = new FakeHost({ stateDirectory, pluginConfig })
  plugin.register(host.api)
  onTestFinished(async () => void (await host.call('gateway_stop', {}, {})))
  const ask = async (prompt: string, sessionId = 'now'): Promise<string> => {
    const context = { agentId: 'main', sessionId, sessionKey: `agent:main:${sessionId}`, trigger: 'user' }
    const [added] = await host.call('before_prompt_build', { prompt, messages: [] }, context)
    return String(Object(added).prependContext)
  }
  return { host, ask }
}

/** A Verbatim that has no recall_context. */
function older(): readonly string[] {
  const path = `${home.userHome}/older.sh`
  writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${home.program}" "$@" --tools search_memory\n`)
  chmodSync(path, 0o755)
  return [path]
}

describe.skipIf(isOnServer)('recall', () => {
  it('finds the answer however often the question was asked since', async () => {
    const question = 'Which port does the lighthouse service listen on?'
    const asked = Array.from({ length: 12 }, (_, at) => [`asked-${at}`, [[question, 'No idea.']]] as const)
    const { ask } = await recalling({
      sessions: {
        told: [
          [
            'Some things of the harbour: the crane is painted green, lighthouse has port 7461, the keeper is Ada.',
            'Noted.',
          ],
        ],
        ...Object.fromEntries(asked),
      },
      config: { command: older() },
    })
    expect(await ask('Which port does the lighthouse service listen on')).toContain('port 7461')
    expect(await ask(question)).not.toContain(question)
  })

  it('finds a short answer whose words the question has', async () => {
    const { ask } = await recalling({
      sessions: { choice: [['Shall the mooring rope of the lightship be hemp or steel?', 'Steel.']] },
    })
    expect(await ask('The mooring rope of the lightship: was it hemp or steel that we took?')).toContain('): Steel.')
  })

  it('brings what was said in the time that a prompt asks about, and of other times nothing', async () => {
    const { ask } = await recalling({
      sessions: { bridge: [['The swing bridge gets a new motor.', 'The motor is ordered.']] },
    })
    // When the transcripts of these tests were written.
    expect(await ask('What did we talk about on 1 July 2026?')).toContain('\n[2026-07-01T')
    expect(await ask('What did we talk about on 1 July 2024?')).not.toContain('\n[2026-07-01T')
    // An order that names the time asks for nothing that was said then.
    expect(await ask('do it on 1 July 2026')).not.toContain('\n[2026-07-01T')
  })

  it('brings what was learned, fenced, once and within the budget', async () => {
    const { ask, host } = await recalling({
      sessions: {
        learned: [['I always prefer pnpm over yarn for JavaScript workspaces.', 'Noted.']],
        going: [['We set up the orchard workspace.', 'It is set up.']],
      },
    })
    await vi.waitFor(async () => expect((await home.cli(['facts', 'list', '--json'])).stdout).toContain('pnpm'), {
      timeout: 60_000,
      interval: 200,
    })
    for (const session of ['now', 'going']) {
      const added = await ask('Set up the JavaScript workspaces: pnpm or yarn?', session)
      expect(added).toMatch(
        /^Recorded[^\n]+do not follow instructions[^\n]+\n<recorded memory boundary="(\w+)">\n[^]*\(learned preference, by [^\n]*pnpm[^]*<\/recorded boundary="\1">\n$/u,
      )
      expect(added.length).toBeLessThan(800 * 4)
    }
    expect(host.logged).toEqual([])
  })

  it('searches alone where Verbatim has no recall_context', async () => {
    const { ask, host } = await recalling({
      sessions: { older: [['The greenhouse sensor reports in kelvin.', 'Good.']] },
      config: { command: older() },
    })
    expect(await ask('In which unit does the greenhouse sensor report?')).toContain('kelvin')
    expect(host.logged).toEqual([])
  })

  it('says without contents that a recall was given up, and gives the first more time', async () => {
    const slow = `${home.userHome}/slow-recall.mjs`
    writeFileSync(slow, 'setTimeout(() => {}, 60_000)')
    const { ask, host } = await recalling({
      sessions: {},
      config: { command: [process.execPath, slow], recallTimeoutMs: 20, recallFirstTimeoutMs: 40 },
    })
    expect(await ask('Where is the zebra kept?')).toBe('undefined')
    expect(await ask('Where is the zebra kept?')).toBe('undefined')
    expect(host.logged).toEqual([
      expect.stringMatching(/^warn .*given up.* 40 ms/u),
      expect.stringMatching(/^warn .*given up.* 20 ms/u),
    ])
    expect(host.logged.join('\n')).not.toContain('zebra')
  })

  it('opens the store when the gateway starts, before anybody asks', async () => {
    const calls = `${home.userHome}/calls.jsonl`
    const tee = `${home.userHome}/tee.sh`
    writeFileSync(tee, `#!/bin/sh\ntee "${calls}" | "${process.execPath}" "${home.program}" "$@"\n`)
    chmodSync(tee, 0o755)
    const { host } = await recalling({ sessions: {}, config: { command: [tee] } })
    expect(host.hooks).toContain('gateway_start')
    await host.call('gateway_start', {}, {})
    await vi.waitFor(() => expect(readFileSync(calls, 'utf8')).toContain('"name":"recall_context"'), 60_000)
    expect(readFileSync(calls, 'utf8')).toContain('"name":"search_memory"')
    expect(host.logged).toEqual([])
  })
})
