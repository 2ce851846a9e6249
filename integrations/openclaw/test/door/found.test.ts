import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { useHome } from '../../../../test/door/support/home.ts'
import { isOnServer } from '../../../../test/support/test-store.ts'
import plugin from '../../src/plugin.ts'
import { FakeHost } from '../support/fake-host.ts'
import { TranscriptFile } from '../support/transcript-file.ts'

const home = useHome()

/** A directory of the PATH, and what puts a wrapper named verbatim into it, as package managers and users write them. */
function pathDirectory(name: string) {
  const directory = join(home.userHome, name)
  mkdirSync(directory, { recursive: true })
  const install = () => {
    const path = join(directory, 'verbatim')
    writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${home.program}" "$@"\n`)
    chmodSync(path, 0o755)
  }
  return { directory, install }
}

function start(given: { readonly hasNoServer?: boolean; readonly env?: Readonly<Record<string, string>> } = {}) {
  const stateDirectory = home.directory('openclaw-found')
  const pluginConfig = { env: given.env ?? home.env, recallTimeoutMs: 10_000 }
  const host = new FakeHost({ stateDirectory, pluginConfig, ...given })
  plugin.register(host.api)
  onTestFinished(async () => void (await host.call('gateway_stop', {}, {})))
  return { host, stateDirectory }
}

describe.skipIf(isOnServer)('Verbatim on the PATH', () => {
  it('is found as a wrapper, and when it is installed after the plugin was registered', async () => {
    const { directory, install } = pathDirectory('late')
    vi.stubEnv('PATH', directory)
    onTestFinished(() => void vi.unstubAllEnvs())
    const { host, stateDirectory } = start()
    expect(host.logged).toEqual([expect.stringMatching(/^error Verbatim was not found: .*looked for again/u)])
    const session = new TranscriptFile(stateDirectory, 'late')
    session.turn('Which rope holds the lantern?', 'The hemp one.')
    await host.call('agent_end', { messages: [] }, session.context)
    const prompt = { prompt: 'Tell me: which rope holds the lantern, the hemp one?', messages: [] }
    const now = { ...session.context, sessionId: 'now', sessionKey: 'agent:main:now' }
    expect(await host.call('before_prompt_build', prompt, now)).toEqual([undefined])
    install()
    await vi.waitFor(
      async () => expect(JSON.stringify(await host.call('before_prompt_build', prompt, now))).toContain('The hemp one'),
      { timeout: 90_000, interval: 500 },
    )
  })

  it('is the MCP server of the manifest as a wrapper too', async () => {
    const { directory, install } = pathDirectory('served')
    install()
    const client = new Client({ name: 'found', version: '1.0.0' })
    const server = fileURLToPath(new URL('../../dist/server.js', import.meta.url))
    const env = { ...home.env, PATH: directory }
    await client.connect(new StdioClientTransport({ command: process.execPath, args: [server], env, stderr: 'ignore' }))
    onTestFinished(() => client.close())
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('search_memory')
  })
})

describe.skipIf(isOnServer)('a store that only the gateway or the plugin is told of', () => {
  const isSplit = expect.stringMatching(
    /^warn Verbatim: the memory is split, as VERBATIM_HOME .*mcp\.servers\.verbatim/u,
  )
  const command = { PATH: '/usr/bin:/bin' }

  it.each([
    ['by the environment of the gateway', {}, '/memory'],
    ['by the plugin', { VERBATIM_HOME: '/memory' }, undefined],
  ])('is told of: %s', (_, env, inGateway) => {
    vi.stubEnv('VERBATIM_HOME', inGateway)
    onTestFinished(() => void vi.unstubAllEnvs())
    expect(start({ hasNoServer: true, env: { ...command, ...env } }).host.logged).toContainEqual(isSplit)
  })

  it.each([
    ['there is an MCP server of the user', false, '/memory'],
    ['it is the usual one', true, undefined],
  ])('is not told of where %s', (_, hasNoServer, inGateway) => {
    vi.stubEnv('VERBATIM_HOME', inGateway)
    onTestFinished(() => void vi.unstubAllEnvs())
    expect(start({ hasNoServer, env: command }).host.logged).not.toContainEqual(isSplit)
  })
})
