import { z } from 'zod'

import type { MessageInput } from '../../capture/save.ts'
import { limits } from '../../limits.ts'
import { isJsonObject } from '../../model/json.ts'
import { roleSchema } from '../../model/message.ts'

const count = z.number().int().min(0).max(2_147_483_647)

/** What was read, written and cached. The names are said in words: each property would cost every session its tokens. */
const tokensSchema = z.object({
  input: count.optional(),
  output: count.optional(),
  cache_read: count.optional(),
  cache_write: count.optional(),
})

/**
 * Any JSON is taken. What is announced are the forms that callers send, because some clients refuse a schema that says
 * nothing, and others a list of types.
 */
const contentSchema = z.unknown().meta({
  anyOf: [{ type: 'string' }, { type: 'object' }, { type: 'array', items: { type: 'object' } }],
  description: 'Text or any JSON, kept exactly',
})

/** Not a record of zod's, which leaves out a member called `__proto__`. */
const metadataSchema = z
  .unknown()
  .refine(isJsonObject, { message: 'Invalid input: expected an object' })
  .meta({ type: 'object' })

/** The fields of one message, the same in `save_message` and in each element of `save_messages`. */
export const messageFields = {
  content: contentSchema,
  sender: z.string().max(limits.nameCharactersMax).describe('Name of who said it'),
  role: roleSchema.optional().describe('Default: assistant if model is given, else user'),
  message_id: z.string().optional().describe('Own id; retries with it never double'),
  timestamp: z.string().optional().describe('ISO 8601; default now'),
  model: z.string().optional(),
  tokens: z.looseObject({}).optional().describe('{input, output, cache_read, cache_write}'),
  tools_used: z.array(z.string()).max(1_000).optional(),
  tool_call_id: z.string().optional(),
  parent_id: z.string().optional().describe('Message it follows, if not the last'),
  metadata: metadataSchema.optional(),
}

export const messageSchema = z.object(messageFields)

function usageOf(tokens: unknown): MessageInput['usage'] {
  if (tokens === undefined) return undefined
  const { input, output, cache_read: cacheRead, cache_write: cacheWrite } = tokensSchema.parse(tokens)
  return {
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
    ...(cacheRead === undefined ? {} : { cacheRead }),
    ...(cacheWrite === undefined ? {} : { cacheWrite }),
  }
}

export function toMessageInput(message: z.infer<typeof messageSchema>): MessageInput {
  const role = message.role ?? (message.model === undefined ? 'user' : 'assistant')
  return {
    content: message.content,
    sender: message.sender,
    role,
    messageId: message.message_id,
    timestamp: message.timestamp,
    model: message.model,
    usage: usageOf(message.tokens),
    toolsUsed: message.tools_used,
    toolCallId: message.tool_call_id,
    parentId: message.parent_id,
    metadata: isJsonObject(message.metadata) ? message.metadata : undefined,
  }
}
