import { join } from 'node:path'

import { lineOf, wantedHits, type Peer } from './peer.ts'

/** Between a key and its value it puts a colon, by which its own reply takes them apart again. */
const keyOf = (ref: string) => ref.replaceAll(':', '-')
const refOf = (key: string) => key.replaceAll('-', ':')

export const memoryKeeper: Peer = {
  name: 'mcp-memory-keeper',
  packages: ['mcp-memory-keeper@0.14.1'],
  tools: 'context_save, context_semantic_search with minSimilarity 0',
  hasOwnTools: true,
  isAskedByWords: false,
  needsVectors: false,
  command: ({ installed, store }) => ({
    args: [join(installed, 'node_modules', 'mcp-memory-keeper', 'dist', 'index.js')],
    env: { DATA_DIR: store },
  }),
  save: async (call, message) => {
    const reply = await call('context_save', { key: keyOf(message.ref), value: lineOf(message) })
    if (!reply.startsWith('Saved')) throw new Error('mcp-memory-keeper did not acknowledge a message')
  },
  search: async (call, query) => {
    const reply = await call('context_semantic_search', { query, topK: wantedHits, minSimilarity: 0 })
    return { refs: [...reply.matchAll(/^ {3}Key: (.+)$/gmu)].map(([, key = '']) => refOf(key)), reply }
  },
  count: async (call) => {
    const reply = await call('context_search_all', { query: 'message of process', limit: 1 })
    return Number(/\((\d+) total across sessions\)/u.exec(reply)?.[1] ?? 0)
  },
}
