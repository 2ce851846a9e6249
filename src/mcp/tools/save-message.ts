import { z } from 'zod'

import { addsOnly, defineTool } from '../define-tool.ts'
import { messageFields, toMessageInput } from './message-fields.ts'

export const savedMessageSchema = {
  message_id: z.string(),
  seq: z.number(),
  sha256: z.string(),
  saved_at: z.string(),
  duplicate: z.boolean(),
}

export const saveMessage = defineTool({
  name: 'save_message',
  title: 'Save a message',
  description:
    'Save (remember, record, store) one message of the conversation in long-term memory, word for word. Without session_id a session is opened; pass the returned one, or your own, for the next messages.',
  input: z.object({
    ...messageFields,
    session_id: z.string().optional(),
  }),
  output: z.object({ session_id: z.string(), external_id: z.string().optional(), ...savedMessageSchema }),
  annotations: addsOnly,
  run: async ({ verbatim, caller }, args) => {
    const saved = await verbatim.saveMessages(caller, { sessionId: args.session_id, messages: [toMessageInput(args)] })
    const { messages, ...session } = saved
    return { structured: { ...session, ...messages[0] } }
  },
})
