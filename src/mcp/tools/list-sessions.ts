import { z } from 'zod'

import { limits } from '../../limits.ts'
import { defineTool, readsOnly } from '../define-tool.ts'

const time = z.string().optional()

export const listSessions = defineTool({
  name: 'list_sessions',
  title: 'List sessions',
  description: 'List past conversations, newest first, by participant, model, time or tag.',
  input: z.object({
    participant: z.string().optional(),
    model: z.string().optional(),
    source: z.string().optional().describe('openclaw, codex…'),
    since: time,
    until: time,
    tag: z.string().optional(),
    open: z.boolean().optional(),
    limit: z.number().int().min(1).max(limits.pageSessionsMax).default(limits.pageSessionsDefault),
    cursor: z.string().optional(),
  }),
  output: z.object({ sessions: z.array(z.object({ session_id: z.string() })), next_cursor: z.string().optional() }),
  annotations: readsOnly,
  run: async ({ verbatim, caller }, args) => ({
    structured: { ...(await verbatim.listSessions(caller, { ...args, maxTokens: limits.resultTokensDefault })) },
  }),
})
