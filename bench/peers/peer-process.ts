import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import { z } from 'zod'

import { repositoryRoot } from '../machine.ts'
import type { CallTool, Peer } from './peer.ts'

const resultSchema = z.looseObject({
  content: z.array(z.looseObject({ type: z.literal('text'), text: z.string() })).min(1),
  isError: z.boolean().optional(),
})

export interface PeerPlace {
  readonly installed: string
  readonly store: string
  readonly embeddings: string
}

/** What of this environment a peer gets: enough to run, and nothing that leads it out of its store. */
function baseEnvironment(store: string): Record<string, string> {
  const kept = Object.entries(process.env).flatMap(([name, value]) =>
    value !== undefined && ['PATH', 'LANG', 'TMPDIR'].includes(name) ? [[name, value] as const] : [],
  )
  return { ...Object.fromEntries(kept), HOME: store }
}

/** Replies of some peers hold every message that matches. */
const replyBytesMax = 64 * 1024 * 1024
const callMsMax = 120_000

/** One process of a peer, and a client of it. */
export class PeerProcess implements AsyncDisposable {
  readonly call: CallTool
  readonly #client: Client

  private constructor(client: Client) {
    this.#client = client
    this.call = async (name, args) => {
      const result = resultSchema.parse(
        await client.callTool({ name, arguments: { ...args } }, undefined, { timeout: callMsMax }),
      )
      const text = result.content.map((part) => part.text).join('')
      if (result.isError === true) throw new Error(`The tool ${name} failed: ${text.slice(0, 300)}`)
      return text
    }
  }

  static async start(peer: Peer, place: PeerPlace): Promise<PeerProcess> {
    const { args, env } = peer.command(place)
    const client = new Client({ name: 'bench', version: '1.0.0' })
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [...args],
        env: { ...baseEnvironment(place.store), ...env },
        cwd: repositoryRoot,
        stderr: 'ignore',
        maxBufferSize: replyBytesMax,
      }),
    )
    return new PeerProcess(client)
  }

  /** Tokens of the tool definitions as `tools/list` gives them. */
  async toolTokens(): Promise<{ readonly tools: number; readonly tokens: number }> {
    const { tools } = await this.#client.listTools()
    return {
      tools: tools.length,
      tokens: tools.reduce((total, tool) => total + encode(JSON.stringify(tool)).length, 0),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close()
  }
}
