import { join } from 'node:path'

import { z } from 'zod'

import { lineOf, type Peer } from './peer.ts'

const graphSchema = z.object({ entities: z.array(z.object({ name: z.string() })) })

/** The reference server of the protocol: a graph of entities with observations, in one file. */
export const serverMemory: Peer = {
  name: 'server-memory',
  packages: ['@modelcontextprotocol/server-memory@2026.8.31'],
  tools: 'create_entities with one observation, search_nodes',
  hasOwnTools: true,
  isAskedByWords: true,
  needsVectors: false,
  command: ({ installed, store }) => ({
    args: [join(installed, 'node_modules', '@modelcontextprotocol', 'server-memory', 'dist', 'index.js')],
    env: { MEMORY_FILE_PATH: join(store, 'memory.jsonl') },
  }),
  save: async (call, message) => {
    await call('create_entities', {
      entities: [{ name: message.ref, entityType: 'message', observations: [lineOf(message)] }],
    })
  },
  search: async (call, query) => {
    const reply = await call('search_nodes', { query })
    return { refs: graphSchema.parse(JSON.parse(reply)).entities.map(({ name }) => name), reply }
  },
  count: async (call) => graphSchema.parse(JSON.parse(await call('read_graph', {}))).entities.length,
}
