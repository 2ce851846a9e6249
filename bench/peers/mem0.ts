import { fileURLToPath } from 'node:url'

import { z } from 'zod'

import { lineOf, wantedHits, type Peer } from './peer.ts'

const wrapper = fileURLToPath(new URL('mem0-server.ts', import.meta.url))
const refsSchema = z.array(z.string())

/**
 * The open-source library without a language model: texts are kept as they are, and searched with the vectors of the
 * local model. It has no MCP server of its own that runs without its cloud.
 */
export const mem0: Peer = {
  name: 'mem0ai/oss',
  // Its own range would take a version of the native module that Node 20 cannot load.
  packages: ['mem0ai@3.3.1', 'better-sqlite3@12.11.1'],
  tools: 'add with infer: false, search; a wrapper of this bench; vectors of all-MiniLM-L6-v2',
  hasOwnTools: false,
  isAskedByWords: false,
  needsVectors: true,
  command: ({ installed, store, embeddings }) => ({
    args: ['--import', 'tsx', wrapper, installed, store, embeddings],
    env: { MEM0_TELEMETRY: 'false', MEM0_DIR: store },
  }),
  save: async (call, message) => {
    await call('add', { ref: message.ref, text: lineOf(message) })
  },
  search: async (call, query) => {
    const reply = await call('search', { query, limit: wantedHits })
    return { refs: refsSchema.parse(JSON.parse(reply)), reply }
  },
  count: async (call) => Number(await call('count', {})),
}
