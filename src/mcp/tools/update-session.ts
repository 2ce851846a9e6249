import { z } from 'zod'

import { addsOnly, defineTool } from '../define-tool.ts'

export const updateSession = defineTool({
  name: 'update_session',
  title: 'Update a session',
  description:
    'Close or reopen a conversation, set title, tags or your summary, hide it from search and lists (restricted), or put it on legal hold.',
  input: z.object({
    session_id: z.string(),
    closed: z.boolean().optional(),
    title: z.string().optional(),
    tags: z.array(z.string()).optional().describe('Replaces all'),
    restricted: z.boolean().optional(),
    legal_hold: z.boolean().optional(),
    summary: z.string().optional(),
    model: z.string().optional(),
  }),
  output: z.object({ session_id: z.string() }),
  annotations: addsOnly,
  run: async ({ verbatim, caller }, args) => {
    const { session_id: sessionId, legal_hold: legalHold, ...change } = args
    return { structured: { ...(await verbatim.updateSession(caller, { sessionId, legalHold, ...change })) } }
  },
})
