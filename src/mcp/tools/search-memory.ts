import { z } from 'zod'

import { limits } from '../../limits.ts'
import { searchModes } from '../../model/search-mode.ts'
import { renderSearch } from '../../search/reply.ts'
import { defineTool, readsOnly } from '../define-tool.ts'

const queries = z.array(z.string()).min(1).max(limits.querySet)
const names = z.array(z.string()).max(100).optional()
const time = z.string().optional()

/** Where a schema has two forms some clients send the list as text. */
function queryOf(query: string | string[]): string | string[] {
  if (typeof query !== 'string' || !/^\s*\[\s*"[^]*"\s*\]\s*$/.test(query)) return query
  try {
    return queries.safeParse(JSON.parse(query)).data ?? query
  } catch (error) {
    if (error instanceof SyntaxError) return query
    throw error
  }
}

export const searchMemory = defineTool({
  name: 'search_memory',
  title: 'Search memory',
  description:
    'Search past conversations of all agents (memory, history, recall) by words, names, "exact phrases", paths or error codes, whenever earlier work, decisions, preferences or facts may matter. get_session reads on.',
  input: z.object({
    query: z.union([z.string(), queries]).describe('Words or a question; of a list all 2-5 must match'),
    limit: z.number().int().min(1).max(limits.searchHitsMax).default(limits.searchHitsDefault),
    max_tokens: z.number().int().min(300).max(limits.resultTokensMax).default(limits.resultTokensDefault),
    mode: z.enum(searchModes).default('hybrid'),
    session_id: z.string().optional(),
    participants: names.describe('"!name" leaves out, in every list'),
    models: names,
    roles: names,
    tools_used: names,
    flags: names.describe('secrets, instructions'),
    since: time.describe('ISO 8601'),
    until: time,
    tags: names,
    context: z
      .number()
      .int()
      .min(0)
      .max(limits.contextNeighboursMax)
      .default(limits.contextNeighboursDefault)
      .describe('Neighbours each side'),
    format: z.enum(['text', 'json']).default('text'),
    cursor: z.string().optional(),
  }),
  annotations: readsOnly,
  run: async ({ verbatim, caller }, args) => {
    const { max_tokens: maxTokens, session_id: sessionId, tools_used: toolsUsed, ...rest } = args
    const query = queryOf(args.query)
    const reply = await verbatim.search(caller, { ...rest, query, maxTokens, sessionId, toolsUsed })
    return args.format === 'text' ? { text: renderSearch(reply) } : { structured: { ...reply } }
  },
})
