import { z } from 'zod'

import { InputError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { readArguments } from '../arguments.ts'
import { addsOnly, defineTool } from '../define-tool.ts'
import { messageSchema, toMessageInput } from './message-fields.ts'
import { saveMessage, savedMessageSchema } from './save-message.ts'

/** The element schema is said in words: listing it again would cost every session of every client its tokens. */
const messagesSchema = z.array(z.looseObject({ sender: z.string() })).max(limits.batchMessagesMax)

const elementsSchema = z.object({ messages: z.array(messageSchema) })

export const saveMessages = defineTool({
  name: 'save_messages',
  title: 'Save messages',
  description: `Save up to ${limits.batchMessagesMax} messages at once, all or nothing.`,
  input: z.object({
    session_id: z.string().optional(),
    messages: messagesSchema.describe('Each with the fields of save_message'),
  }),
  output: z.object({
    session_id: z.string(),
    messages: z.array(z.object(savedMessageSchema)),
  }),
  annotations: addsOnly,
  run: async ({ verbatim, caller }, args) => {
    const elements = args.messages.map((message) => readArguments(saveMessage.inputSchema, message))
    if (elements.some(({ session_id: id }) => id !== undefined && id !== args.session_id)) {
      throw new InputError('Cannot save messages that name a session of their own', {
        remedy: 'Give "session_id" once, beside "messages", and call once for each session',
      })
    }
    const { messages } = elementsSchema.parse({ messages: elements })
    return {
      structured: {
        ...(await verbatim.saveMessages(caller, {
          sessionId: args.session_id,
          messages: messages.map(toMessageInput),
        })),
      },
    }
  },
})
