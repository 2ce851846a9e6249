import { z } from 'zod'

import { defineTool, erases } from '../define-tool.ts'

const name = z.string().optional()

export const forget = defineTool({
  name: 'forget',
  title: 'Forget',
  description:
    'Erase or anonymise for good what meets all arguments: first a preview, then, agreed by the user, again with its confirm.',
  input: z.object({
    session_id: name,
    message_id: name,
    participant: name,
    since: name,
    until: name,
    action: z.enum(['erase', 'anonymise']).optional(),
    confirm: name,
  }),
  output: z.object({ status: z.string() }),
  annotations: erases,
  run: async ({ verbatim, caller }, args) => {
    const { session_id: sessionId, message_id: messageId, ...rest } = args
    return { structured: { ...(await verbatim.erasures.forget(caller, { sessionId, messageId, ...rest })) } }
  },
})
