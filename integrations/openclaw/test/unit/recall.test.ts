import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, it, onTestFinished } from 'vitest'

import { Recall } from '../../src/recall.ts'

/** An MCP server that notes its process, and then answers to each search as it is told, or not at all. */
const serverSource = `
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
const [pids, answer] = process.argv.slice(2)
appendFileSync(pids, process.pid + '\\n')
const say = (id, result) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result }) + '\\n')
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line)
  if (method === 'initialize')
    say(id, { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } })
  if (method === 'tools/list') say(id, { tools: [] })
  if (method === 'tools/call' && answer !== 'nothing') say(id, JSON.parse(answer))
}
`

async function recalling(answer: string) {
  const directory = await mkdtemp(join(tmpdir(), 'verbatim-recall-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const [script, pids] = [join(directory, 'server.mjs'), join(directory, 'pids')]
  await writeFile(script, serverSource)
  const said: string[] = []
  const isFailure = (message: string) => message.includes('nothing is recalled for')
  const recall = new Recall({
    find: () => [process.execPath, script, pids, answer],
    env: {},
    log: { info: () => undefined, warn: (message) => isFailure(message) && said.push(message), error: () => undefined },
    maxTokens: 800,
    timeoutMs: 50,
    firstTimeoutMs: 50,
    restMs: 0,
    startMs: 200,
  })
  onTestFinished(() => recall.close())
  /** Asks until so many searches have failed. */
  const fail = async (times: number) => {
    for (let failures = said.length + 1; failures <= times; failures++) {
      await recall.before({ prompt: 'What did we say of the cat?', messages: [], sessionId: 'main/now' })
      await expect.poll(() => said.length, { timeout: 20_000 }).toBe(failures)
    }
  }
  const started = async () => (await readFile(pids, 'utf8')).trim().split('\n').map(Number)
  return { recall, said, fail, started, alive: async () => (await started()).filter(isAlive).length }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    // No such process.
    return false
  }
}

it('Recall ends a Verbatim that does not answer, each time', async () => {
  const { fail, started, alive } = await recalling('nothing')
  await fail(3)
  await expect.poll(alive, { timeout: 20_000 }).toBe(0)
  expect(await started()).toHaveLength(3)
})

it('Recall keeps a Verbatim that refuses to search, and ends it when it is closed', async () => {
  const { recall, said, fail, started, alive } = await recalling('{"content":[],"isError":true}')
  await fail(3)
  expect(said[0]).toContain('RefusedError')
  expect(await started()).toHaveLength(1)
  expect(await alive()).toBe(1)
  await recall.close()
  await expect.poll(alive, { timeout: 20_000 }).toBe(0)
})
