import { z } from 'zod'

import type { MessageInput } from '../../capture/save.ts'
import { limits } from '../../limits.ts'
import { roleSchema, type Role } from '../../model/message.ts'

const count = z.number().int().min(0).max(2_147_483_647)

/** Tokens as callers count them: one number, or what was read, written and cached. */
const tokensSchema = z.union([
  count,
  z.object({
    input: count.optional(),
    output: count.optional(),
    cache_read: count.optional(),
    cache_write: count.optional(),
  }),
])

/** The fields of one message, the same in `save_message` and in each element of `save_messages`. */
export const messageFields = {
  content: z.unknown().describe('The message: a string or any JSON, kept exactly'),
  sender: z.string().max(limits.nameCharactersMax).describe('Who said it: a name'),
  role: roleSchema.optional().describe('Default: assistant if model is given, else user'),
  message_id: z.string().optional().describe('Your id; a retry with it never doubles'),
  timestamp: z.union([z.string(), z.number()]).optional().describe('ISO 8601; default now'),
  model: z.string().optional(),
  tokens: tokensSchema.optional(),
  tools_used: z.array(z.string()).max(1_000).optional(),
  tool_call_id: z.string().optional(),
  parent_id: z.string().optional().describe('Message it answers, if not the previous one'),
  metadata: z.record(z.string(), z.unknown()).optional(),
}

export const messageSchema = z.object(messageFields)

function usageOf(tokens: z.infer<typeof tokensSchema>, role: Role): NonNullable<MessageInput['usage']> {
  if (typeof tokens === 'number') return role === 'assistant' ? { output: tokens } : { input: tokens }
  return {
    input: tokens.input ?? 0,
    output: tokens.output ?? 0,
    cacheRead: tokens.cache_read ?? 0,
    cacheWrite: tokens.cache_write ?? 0,
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
    usage: message.tokens === undefined ? undefined : usageOf(message.tokens, role),
    toolsUsed: message.tools_used,
    toolCallId: message.tool_call_id,
    parentId: message.parent_id,
    metadata: message.metadata,
  }
}
