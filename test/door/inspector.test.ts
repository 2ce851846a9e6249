import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, test } from 'vitest'

import { allTools } from '../../src/mcp/tool-list.ts'
import { useHome } from './support/home.ts'
import { OAuthHome } from './support/oauth-home.ts'

const home = useHome()
const root = fileURLToPath(new URL('../..', import.meta.url))
const inspector = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/inspector/package.json')),
  'clients/launcher/build/index.js',
)

/** The Inspector's command line on the server that `mcp.json` names, on this file's store. */
function inspect(...args: readonly string[]) {
  const config = ['--cli', '--config', 'mcp.json', '--server', 'verbatim', '-e', `VERBATIM_HOME=${home.path}`]
  return home.run(process.execPath, [inspector, ...config, ...args], {
    cwd: root,
    env: { MCP_INSPECTOR_SECRET_STORE: 'memory' },
  })
}

function call(tool: string, args: Readonly<Record<string, unknown>>) {
  return inspect('--method', 'tools/call', '--tool-name', tool, '--tool-args-json', JSON.stringify(args))
}

test.each(['legacy', 'modern'])('tools/list --strict finds nothing to complain of in the %s era', async (era) => {
  const { code, stdout, stderr } = await inspect('--method', 'tools/list', '--strict', '--protocol-era', era)
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ tools: allTools.map(({ name }) => ({ name })) })
  expect(stderr.replaceAll(/^\[mcp-inspector\].*$/gm, '').trim()).toBe('')
})

describe('tools/call', () => {
  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['save_message', { content: 'We decided to moor at berth 14.', sender: 'Ada', session_id: 'inspected' }],
    ['save_messages', { session_id: 'inspected', messages: [{ content: { ok: true }, sender: 'clerk' }] }],
    ['search_memory', { query: 'berth' }],
    ['get_session', { session_id: 'inspected' }],
    ['list_sessions', {}],
    ['summarize', { session_id: 'inspected' }],
    ['recall_context', { text: 'berth 14' }],
    ['update_session', { session_id: 'inspected', title: 'Inspected' }],
  ])('%s works', async (tool, args) => {
    const { code, stdout } = await call(tool, args)
    expect(code).toBe(0)
    const result: unknown = JSON.parse(stdout)
    expect(result).toMatchObject({ content: [{ type: 'text', text: expect.any(String) }] })
    expect(result).not.toHaveProperty('isError')
  })

  test('an error result gives the Inspector’s exit code 5 and says what to do', async () => {
    const { code, stdout } = await call('get_session', { session_id: 'nowhere' })
    expect(code).toBe(5)
    expect(stdout).toContain('Call list_sessions')
  })

  test('--tool-arg values that arrive as strings are taken', async () => {
    const args = ['--tool-name', 'get_session', '--tool-arg', 'session_id=inspected', 'limit=1', 'format=text']
    const { code, stdout } = await inspect('--method', 'tools/call', ...args)
    expect(code).toBe(0)
    expect(stdout).toContain('berth 14')
  })
})

test('resources and prompts are read', async () => {
  expect(await inspect('--method', 'resources/read', '--uri', 'session://inspected/transcript')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('berth 14'),
  })
  expect(await inspect('--method', 'prompts/list')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('handoff'),
  })
})

test('tools/list and a call work over HTTP with a token of an authorization server', async () => {
  await using door = await OAuthHome.start(home)
  const overHttp = (...args: readonly string[]) => {
    const target = ['--cli', door.audience, '--transport', 'http']
    const header = ['--header', `Authorization: Bearer ${door.issuer.token()}`]
    return home.run(process.execPath, [inspector, ...target, ...header, ...args], {
      env: { MCP_INSPECTOR_SECRET_STORE: 'memory' },
    })
  }
  expect(await overHttp('--method', 'tools/list', '--strict')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('save_message'),
  })
  const args = JSON.stringify({ content: 'Over HTTP.', sender: 'Ada', session_id: 'inspected over HTTP' })
  const called = await overHttp('--method', 'tools/call', '--tool-name', 'save_message', '--tool-args-json', args)
  expect(called).toMatchObject({ code: 0, stdout: expect.stringContaining('message_id') })
})
