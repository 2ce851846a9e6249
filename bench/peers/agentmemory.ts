import { join } from 'node:path'

import { z } from 'zod'

import { lineOf, wantedHits, type Peer } from './peer.ts'

const resultsSchema = z.object({ results: z.array(z.object({ concepts: z.array(z.string()) })) })
const exportSchema = z.object({ memories: z.array(z.unknown()) })

/** The npm package alone. Its full server needs a program that it downloads, which cannot be had here. */
export const agentmemory: Peer = {
  name: 'agentmemory',
  packages: ['@agentmemory/mcp@0.9.29'],
  tools: 'memory_save, memory_recall',
  hasOwnTools: true,
  isAskedByWords: true,
  needsVectors: false,
  command: ({ installed, store }) => ({
    args: [join(installed, 'node_modules', '@agentmemory', 'mcp', 'bin.mjs')],
    // Nothing listens at port 9, so that it does not find a full server of whoever runs the bench.
    env: { STANDALONE_PERSIST_PATH: join(store, 'memory.json'), AGENTMEMORY_URL: 'http://127.0.0.1:9' },
  }),
  save: async (call, message) => {
    await call('memory_save', { content: lineOf(message), type: 'fact', concepts: message.ref })
  },
  search: async (call, query) => {
    const reply = await call('memory_recall', { query, limit: wantedHits })
    return { refs: resultsSchema.parse(JSON.parse(reply)).results.flatMap(({ concepts }) => concepts), reply }
  },
  count: async (call) => exportSchema.parse(JSON.parse(await call('memory_export', {}))).memories.length,
}
