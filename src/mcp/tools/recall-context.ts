import { z } from 'zod'

import { limits } from '../../limits.ts'
import { defineTool, readsOnly } from '../define-tool.ts'

export const recallContext = defineTool({
  name: 'recall_context',
  title: 'Recall context',
  description:
    'Recall what past conversations hold that this one will need (memory, facts, decisions, same files and errors), without a query. Call it at the start of a turn.',
  input: z.object({
    session_id: z.string().optional(),
    text: z.string().max(limits.queryCharactersMax).optional().describe('What is being said now'),
    max_tokens: z.number().int().min(300).max(limits.resultTokensMax).default(limits.resultTokensDefault),
    format: z.enum(['text', 'json']).default('text'),
  }),
  annotations: readsOnly,
  run: async ({ verbatim, caller }, { session_id: sessionId, text, max_tokens: maxTokens, format }) => {
    const reply = await verbatim.recallContext(caller, { sessionId, text, maxTokens, format })
    // Loaded with the store, after the tools were listed.
    const { renderRecall } = await import('../../insight/recall/render-recall.ts')
    return format === 'text' ? { text: renderRecall(reply) } : { structured: { ...reply } }
  },
})
