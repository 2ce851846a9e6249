import { z } from 'zod'

import { productCommand } from '../server-process.ts'
import { wantedHits, type Peer } from './peer.ts'

const session = 'bench'
const replySchema = z.object({
  results: z.array(
    z.object({
      messages: z.array(z.object({ id: z.string(), hit: z.object({ rank: z.number() }) })),
    }),
  ),
})
const savedSchema = z.object({ message_id: z.string() })
const statusSchema = z.object({ message_count: z.number() })

/** The product, used like the others. It gives ids of its own, so that those of the benchmark are kept beside it. */
export function makeVerbatimPeer(): Peer {
  const refs = new Map<string, string>()
  return {
    name: 'verbatim',
    packages: [],
    tools: 'save_message, search_memory',
    hasOwnTools: true,
    isAskedByWords: false,
    needsVectors: false,
    command: ({ store }) => productCommand({ VERBATIM_HOME: store }),
    save: async (call, { ref, sender, timestamp, text }) => {
      const reply = await call('save_message', { session_id: session, content: text, sender, timestamp, role: 'user' })
      refs.set(savedSchema.parse(JSON.parse(reply)).message_id, ref)
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
