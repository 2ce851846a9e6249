import { setTimeout as sleep } from 'node:timers/promises'

import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { z } from 'zod'

import { Tools } from '../../test/door/support/tools.ts'
import { repositoryRoot } from '../machine.ts'
import type { ServerCommand } from '../server-process.ts'

const statusSchema = z.looseObject({
  messages: z.number(),
  index: z.looseObject({ messages_behind: z.number() }),
  semantic_search: z.looseObject({ state: z.string() }),
})

type MemoryStatus = z.infer<typeof statusSchema>

/** Whether every saved message can be found, in each way that the server searches. */
export function isCaughtUp(status: MemoryStatus): boolean {
  return status.index.messages_behind === 0 && ['on', 'off'].includes(status.semantic_search.state)
}

/** Embedding BEAM with the local model takes about half an hour on two cores. */
const catchUpMsMax = 3 * 3_600_000
const pollMs = 250

/** A server of the product over stdio, and a client of it. */
export class MemoryProcess implements AsyncDisposable {
  readonly tools: Tools

  private constructor(tools: Tools) {
    this.tools = tools
  }

  static async start(command: ServerCommand): Promise<MemoryProcess> {
    const client = new Client({ name: 'bench', version: '1.0.0' })
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [...command.args],
        env: { ...command.env },
        cwd: repositoryRoot,
        stderr: 'inherit',
      }),
    )
    return new MemoryProcess(new Tools(client))
  }

  async status(): Promise<MemoryStatus> {
    const { contents } = await this.tools.client.readResource({ uri: 'memory://status' })
    const first = z.object({ text: z.string() }).parse(contents[0])
    return statusSchema.parse(JSON.parse(first.text))
  }

  /** Returns the milliseconds that it took. Throws after three hours. */
  async waitUntilCaughtUp(): Promise<number> {
    const startedAt = performance.now()
    while (!isCaughtUp(await this.status())) {
      if (performance.now() - startedAt > catchUpMsMax)
        throw new Error(`The index did not catch up within ${catchUpMsMax} ms`)
      await sleep(pollMs)
    }
    return performance.now() - startedAt
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tools.client.close()
  }
}
