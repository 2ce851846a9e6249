import { z } from 'zod'

import { addsOnly, defineTool } from '../define-tool.ts'
import { messageFields, toMessageInput } from './message-fields.ts'

export const savedMessageSchema = {
  message_id: z.string(),
  seq: z.number(),
  duplicate: z.boolean(),
}

export const saveMessage = defineTool({
  name: 'save_message',
  title: 'Save a message',
  description:
    'Save (remember, record, store) a message in long-term memory, word for word. Without session_id it opens a session; pass the returned id, or your own, with the next.',
  input: z.object({
    ...messageFields,
    session_id: z.string().optional(),
  }),
  output: z.object({ session_id: z.string(), ...savedMessageSchema }),
  annotations: addsOnly,
  run: async ({ verbatim, caller }, args) => {
    const saved = await verbatim.saveMessages(caller, { sessionId: args.session_id, messages: [toMessageInput(args)] })
    const { messages, ...session } = saved
    return { structured: { ...session, ...messages[0] } }
  },
})
