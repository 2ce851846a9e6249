import { createRequire } from 'node:module'
import { join } from 'node:path'

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { z } from 'zod'

/** `node mem0-server.ts INSTALLED STORE EMBEDDINGS`: the library mem0ai behind three tools, so that it is measured like a server. */
const [installed = '', store = '', embeddings = ''] = process.argv.slice(2)
const userId = 'bench'

type Method = (...args: readonly unknown[]) => Promise<unknown>

/** The library has no types here: it is installed apart. */
const librarySchema = z.object({
  Memory: z.custom<new (config: unknown) => object>((value) => typeof value === 'function'),
})
const methodSchema = z.custom<Method>((value) => typeof value === 'function')
const resultsSchema = z.object({ results: z.array(z.object({ metadata: z.object({ ref: z.string() }) })) })

const { Memory } = librarySchema.parse(createRequire(join(installed, 'package.json'))('mem0ai/oss'))
const memory = new Memory({
  embedder: { provider: 'openai', config: { apiKey: 'none', baseURL: embeddings, model: 'local', embeddingDims: 384 } },
  vectorStore: {
    provider: 'memory',
    config: { collectionName: 'bench', dimension: 384, dbPath: join(store, 'vectors.db') },
  },
  llm: { provider: 'openai', config: { apiKey: 'none', baseURL: embeddings, model: 'none' } },
  historyDbPath: join(store, 'history.db'),
})

async function run(name: string, ...args: readonly unknown[]): Promise<unknown> {
  return Reflect.apply(methodSchema.parse(Reflect.get(memory, name)), memory, [...args])
}

const reply = (text: string) => ({ content: [{ type: 'text' as const, text }] })

async function refsOf(name: string, ...args: readonly unknown[]): Promise<string[]> {
  return resultsSchema.parse(await run(name, ...args)).results.map(({ metadata }) => metadata.ref)
}

const countMax = 100_000
const server = new McpServer({ name: 'mem0', version: '1.0.0' })
server.registerTool('add', { inputSchema: { ref: z.string(), text: z.string() } }, async ({ ref, text }) => {
  await run('add', [{ role: 'user', content: text }], { userId, infer: false, metadata: { ref } })
  return reply('added')
})
server.registerTool('search', { inputSchema: { query: z.string(), limit: z.number() } }, async ({ query, limit }) =>
  reply(JSON.stringify(await refsOf('search', query, { filters: { user_id: userId }, topK: limit, threshold: 0 }))),
)
server.registerTool('count', {}, async () =>
  reply(String((await refsOf('getAll', { filters: { user_id: userId }, topK: countMax })).length)),
)
await server.connect(new StdioServerTransport())
process.stdin.on('end', () => process.exit(0))
