import { setTimeout as sleep } from 'node:timers/promises'

import { z } from 'zod'

import { productCommand } from '../server-process.ts'
import { wantedHits, type Peer } from './peer.ts'

const session = 'bench'
const replySchema = z.object({
  coverage: z.object({ semantic: z.string() }),
  results: z.array(
    z.object({
      messages: z.array(z.object({ id: z.string(), hit: z.object({ rank: z.number() }) })),
    }),
  ),
})
const savedSchema = z.object({ message_id: z.string() })
const statusSchema = z.object({ message_count: z.number() })

const settleMs = 250

/**
 * The product, used like the others: as it comes, with the model on this machine, or by words alone. It gives ids of its own, so
 * that those of the benchmark are kept beside it.
 */
export function makeVerbatimPeer(embedder: 'local' | 'none'): Peer {
  const refs = new Map<string, string>()
  return {
    name: embedder === 'local' ? 'verbatim' : 'verbatim-words',
    packages: [],
    tools: embedder === 'local' ? 'save_message, search_memory' : 'the same, with VERBATIM_EMBEDDER=none',
    hasOwnTools: true,
    isAskedByWords: false,
    needsVectors: false,
    command: ({ store }) => productCommand({ VERBATIM_HOME: store, VERBATIM_EMBEDDER: embedder }),
    save: async (call, { ref, sender, timestamp, text }) => {
      const reply = await call('save_message', { session_id: session, content: text, sender, timestamp, role: 'user' })
      refs.set(savedSchema.parse(JSON.parse(reply)).message_id, ref)
    },
    settle: async (call) => {
      if (embedder === 'none') return
      const isBehind = async () => {
        const reply = await call('search_memory', { query: 'settled', limit: 1, context: 0, format: 'json' })
        return replySchema.parse(JSON.parse(reply)).coverage.semantic !== 'on'
      }
      while (await isBehind()) await sleep(settleMs)
    },
    search: async (call, query) => {
      const reply = await call('search_memory', { query, limit: wantedHits, context: 0, format: 'json' })
      const messages = replySchema.parse(JSON.parse(reply)).results.flatMap((result) => result.messages)
      const ranked = messages.toSorted((a, b) => a.hit.rank - b.hit.rank)
      return { refs: ranked.map(({ id }) => refs.get(id) ?? id), reply }
    },
    count: async (call) =>
      statusSchema.parse(JSON.parse(await call('get_session', { session_id: session, limit: 1 }))).message_count,
  }
}
