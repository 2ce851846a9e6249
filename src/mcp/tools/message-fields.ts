import { z } from 'zod'

import type { MessageInput } from '../../capture/prepare-message.ts'
import { InputError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { isJsonObject } from '../../model/json/json.ts'
import { roleSchema } from '../../model/messages/message.ts'

/** Providers send null for what they did not count. */
const count = z.number().int().min(0).max(2_147_483_647).nullish()

/**
 * What was read, written and cached, by our names and by those of Anthropic's and OpenAI's APIs, whose usage is often
 * passed on as it is. The names are said in words: each property would cost every session its tokens.
 */
const tokensSchema = z.object({
  input: count,
  input_tokens: count,
  prompt_tokens: count,
  output: count,
  output_tokens: count,
  completion_tokens: count,
  cache_read: count,
  cache_read_input_tokens: count,
  cache_write: count,
  cache_creation_input_tokens: count,
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
  sender: z.string().max(limits.nameCharactersMax),
  role: roleSchema.optional().describe('Default: assistant with model, else user'),
  message_id: z.string().optional().describe('Own id; retries never double'),
  timestamp: z.string().optional().describe('ISO 8601; default now'),
  model: z.string().optional(),
  tokens: z.looseObject({}).optional().describe('{input, output, cache_read, cache_write}'),
  tools_used: z.array(z.string()).max(1_000).optional(),
  tool_call_id: z.string().optional(),
  parent_id: z.string().optional().describe('What it follows, if not the last'),
  metadata: metadataSchema.optional(),
}

export const messageSchema = z.object(messageFields)

/** One count under any of its names. Two names that say different numbers are refused. */
function oneOf(counts: Readonly<Record<string, number | null | undefined>>): number | undefined {
  const given = Object.entries(counts).filter(([, value]) => value !== null && value !== undefined)
  const [first, other] = new Map(given.map(([name, value]) => [value, name])).entries()
  if (first !== undefined && other !== undefined) {
    throw new InputError(`Cannot save "tokens" as "${first[1]}" is ${first[0]} and "${other[1]}" is ${other[0]}`, {
      remedy: 'They are two names of one count: give one of them',
    })
  }
  return first?.[0] ?? undefined
}

function usageOf(tokens: Readonly<Record<string, unknown>> | undefined): MessageInput['usage'] {
  if (tokens === undefined) return undefined
  const unknown = Object.keys(tokens).find((name) => !Object.hasOwn(tokensSchema.shape, name))
  if (unknown !== undefined) {
    throw new InputError(
      `Cannot save "tokens" as it holds the unknown count "${unknown.slice(0, 50).toWellFormed()}"`,
      {
        remedy: 'Use input, output, cache_read and cache_write; put further counts into "metadata"',
      },
    )
  }
  const { tokens: counts } = z.object({ tokens: tokensSchema }).parse({ tokens })
  const input = oneOf({
    input: counts.input,
    input_tokens: counts.input_tokens,
    prompt_tokens: counts.prompt_tokens,
  })
  const output = oneOf({
    output: counts.output,
    output_tokens: counts.output_tokens,
    completion_tokens: counts.completion_tokens,
  })
  const cacheRead = oneOf({
    cache_read: counts.cache_read,
    cache_read_input_tokens: counts.cache_read_input_tokens,
  })
  const cacheWrite = oneOf({
    cache_write: counts.cache_write,
    cache_creation_input_tokens: counts.cache_creation_input_tokens,
  })
  return {
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
    ...(cacheRead === undefined ? {} : { cacheRead }),
    ...(cacheWrite === undefined ? {} : { cacheWrite }),
  }
}

/** Metadata that can be written as JSON unchanged: not nested thousands of levels deep, no number that was too large. */
function writableMetadata(metadata: unknown): MessageInput['metadata'] {
  if (!isJsonObject(metadata)) return undefined
  const refuse = (what: string, cause?: unknown): never => {
    throw new InputError(`Cannot save a message whose "metadata" ${what}`, {
      remedy: 'Send it as a string inside "metadata", or leave it out',
      cause,
    })
  }
  try {
    JSON.stringify(metadata, (_name, value: unknown) =>
      typeof value === 'number' && !Number.isFinite(value) ? refuse('holds a number beyond 1.8e308') : value,
    )
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return refuse('nests thousands of levels deep', error)
  }
  return metadata
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
    metadata: writableMetadata(message.metadata),
  }
}
