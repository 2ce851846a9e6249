import { z } from 'zod'

import { limits } from '../../limits.ts'
import { renderSession } from '../../sessions/render.ts'
import { defineTool, readsOnly } from '../define-tool.ts'

export const getSession = defineTool({
  name: 'get_session',
  title: 'Read a session',
  description: 'Read a past conversation by its id, losslessly, page by page (next_cursor).',
  input: z.object({
    session_id: z.string(),
    from_seq: z.number().int().min(1).optional(),
    limit: z.number().int().min(1).max(limits.pageMessagesMax).default(limits.pageMessagesDefault),
    max_tokens: z.number().int().min(500).max(limits.resultTokensMax).default(limits.resultTokensDefault),
    view: z
      .enum(['full', 'compact', 'redacted', 'pseudonymised'])
      .default('full')
      .describe('redacted, pseudonymised: no personal data'),
    format: z.enum(['json', 'text']).default('json'),
    include_embeddings: z.boolean().optional(),
    cursor: z.string().optional(),
  }),
  annotations: readsOnly,
  run: async ({ verbatim, caller }, args) => {
    const document = await verbatim.getSession(caller, {
      sessionId: args.session_id,
      fromSeq: args.from_seq,
      limit: args.limit,
      maxTokens: args.max_tokens,
      view: args.format === 'text' && args.view === 'full' ? 'compact' : args.view,
      isCompact: args.format === 'text',
      cursor: args.cursor,
    })
    const privateView = args.view === 'redacted' || args.view === 'pseudonymised' ? args.view : undefined
    return args.format === 'text' ? { text: renderSession(document, privateView) } : { structured: { ...document } }
  },
})
