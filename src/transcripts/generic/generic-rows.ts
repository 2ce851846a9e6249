import { isJsonObject } from '../../model/json/json.ts'
import type { ContextSwitch, Role, TokenUsage } from '../../model/messages/message.ts'
import { callText, contentMeaning, joinTexts, toolCallsMeaning } from '../content-text.ts'
import type { EntryDraft } from '../entry-builder.ts'
import { countField, field, firstText, idField, isoTime, textField } from '../fields.ts'

const times = [
  'timestamp',
  'ts',
  'time',
  'created_at',
  'createdAt',
  'create_time',
  'date',
  'created',
  'saved_at',
] as const
const ids = ['id', 'uuid', 'message_id', 'messageId'] as const
const parents = ['parent_id', 'parentId', 'parentUuid', 'parent'] as const
const contents = ['content', 'text', 'message', 'parts', 'body', 'prompt', 'value', 'output', 'result'] as const
const inputs = ['arguments', 'input', 'parameters', 'args'] as const
const models = ['model', 'model_name', 'modelId', 'model_id'] as const
const switches: readonly ContextSwitch[] = ['model', 'compaction', 'reset', 'branch']
const speakers = ['role', 'sender', 'from', 'speaker', 'source', 'type'] as const

const words = new Map<string, Role>([
  ['user', 'user'],
  ['human', 'user'],
  ['customer', 'user'],
  ['assistant', 'assistant'],
  ['ai', 'assistant'],
  ['model', 'assistant'],
  ['agent', 'assistant'],
  ['bot', 'assistant'],
  ['gemini', 'assistant'],
  ['gpt', 'assistant'],
  ['system', 'system'],
  ['developer', 'developer'],
  ['tool', 'tool'],
  ['function', 'tool'],
  ['toolresult', 'tool'],
])

/** Understands one value by the names that most tools use for a message's parts. */
export function genericEntry(value: unknown): EntryDraft {
  if (!isJsonObject(value)) return { kind: 'unknown', text: contentMeaning(value).text }
  const inner = [value['message'], value['data'], value['payload']].find((candidate) => isJsonObject(candidate))
  const layers = inner === undefined ? [value] : [inner, value]
  // What `verbatim export` writes has there what is known of a message beside its content.
  const known = [...layers, field(value, 'metadata')]
  const role = firstOf(layers, roleOf)
  const call = isCall(value) ? callOf(value) : undefined
  const meaning = meaningOf(layers)
  const model = firstOf(known, (layer) => firstText(layer, models))
  const tools = call === undefined ? meaning.toolsUsed : [call.name]
  return {
    kind: role === undefined && call === undefined ? 'unknown' : 'message',
    id: firstOf([value, ...layers], (layer) => firstId(layer, ids)),
    parentId: firstOf([value, ...known], (layer) => firstId(layer, parents)),
    timestamp: firstOf([value, ...layers], timeOf),
    role: call === undefined ? role : 'assistant',
    sender: firstOf(layers, senderOf) ?? (role === 'assistant' ? model : undefined),
    model,
    text: call?.text ?? meaning.text,
    usage: firstOf(known, usageOf),
    toolsUsed: tools,
    toolCallId:
      firstOf(known, (layer) => firstId(layer, ['tool_call_id', 'toolCallId', 'call_id'])) ?? onlyOne(meaning.callIds),
    contextSwitch: switches.find((name) => name === field(value, 'metadata', 'context_switch')),
  }
}

/** The session that a row names. */
export function genericSession(value: unknown): string | undefined {
  return firstId(value, ['session_id', 'sessionId', 'conversation_id', 'conversationId', 'thread_id'])
}

/** Tells whether a value looks like a message: it says who speaks, and what. */
export function isMessageLike(value: unknown): boolean {
  return (
    isJsonObject(value) &&
    roleOf(value) !== undefined &&
    [...contents, 'tool_calls', 'data'].some((name) => name in value)
  )
}

/** Whether something is said by somebody: by a member that is for that, or as its kind is a word for who speaks, and no other. */
export function saysWhoSpeaks(value: unknown): boolean {
  const named = ['role', 'sender', 'from', 'speaker', 'author'].map((name) => [name, field(value, name)])
  const kinds = [textField(value, 'type'), textField(value, 'source')]
  return roleOf(Object.fromEntries(named)) !== undefined || kinds.some((kind) => words.has(kind?.toLowerCase() ?? ''))
}

function meaningOf(layers: readonly unknown[]): {
  readonly text: string
  readonly toolsUsed: readonly string[]
  readonly callIds: readonly string[]
} {
  const content = contentMeaning(firstOf(layers, contentOf))
  const calls = firstOf(layers, (layer) => {
    const found = toolCallsMeaning(layer)
    return found.toolsUsed.length === 0 ? undefined : found
  })
  const thinking = firstOf(layers, (layer) => firstText(layer, ['thinking', 'reasoning', 'reasoning_content']))
  const named = firstOf(layers, (layer) => {
    const found = field(layer, 'metadata', 'tools_used') ?? field(layer, 'tools_used')
    return Array.isArray(found) ? found.filter((name) => typeof name === 'string') : undefined
  })
  const tools = [...content.toolsUsed, ...(calls?.toolsUsed ?? [])]
  return {
    text: joinTexts([thinking, content.text, calls?.text]),
    toolsUsed: tools.length === 0 ? (named ?? []) : tools,
    callIds: [...content.callIds, ...(calls?.callIds ?? [])],
  }
}

function contentOf(layer: unknown): unknown {
  for (const name of contents) {
    const found = field(layer, name)
    // An envelope's `message` object is a layer of its own, not content.
    if (found !== undefined && found !== null && !(name === 'message' && isJsonObject(found))) return found
  }
  return undefined
}

function roleOf(layer: unknown): Role | undefined {
  for (const name of speakers) {
    const written = textField(layer, name) ?? textField(layer, name, 'role')
    const word = /^[a-z]+/u.exec(written?.toLowerCase() ?? '')?.[0]
    const role = word === undefined ? undefined : words.get(word)
    if (role !== undefined) return role
  }
  const author = textField(layer, 'author', 'role')
  return author === undefined ? undefined : words.get(author.toLowerCase())
}

function senderOf(layer: unknown): string | undefined {
  const sender = textField(layer, 'sender')
  if (sender !== undefined && !words.has(sender.toLowerCase())) return sender
  return firstText(layer, ['name', 'username', 'toolName', 'tool_name']) ?? textField(layer, 'author', 'name')
}

function isCall(value: unknown): boolean {
  const type = textField(value, 'type')
  return type === 'tool_call' || type === 'function_call' || type === 'tool_use'
}

function callOf(value: unknown): { readonly name: string; readonly text: string } {
  const name =
    textField(value, 'function', 'name') ?? firstText(value, ['name', 'toolName', 'tool_name', 'tool']) ?? 'tool'
  const input =
    inputs.map((key) => field(value, key)).find((found) => found !== undefined) ?? field(value, 'function', 'arguments')
  return { name, text: callText(name, input) }
}

function usageOf(layer: unknown): TokenUsage | undefined {
  const usage = field(layer, 'usage') ?? field(layer, 'tokens') ?? field(layer, 'token_usage')
  if (!isJsonObject(usage)) return undefined
  const input = firstCount(usage, ['input_tokens', 'inputTokens', 'prompt_tokens', 'promptTokens', 'input'])
  const output = firstCount(usage, ['output_tokens', 'outputTokens', 'completion_tokens', 'completionTokens', 'output'])
  const cacheRead = firstCount(usage, ['cache_read_input_tokens', 'cacheReadTokens', 'cache_read', 'cacheRead'])
  const cacheWrite = firstCount(usage, ['cache_creation_input_tokens', 'cacheWriteTokens', 'cache_write', 'cacheWrite'])
  if ([input, output, cacheRead, cacheWrite].every((count) => count === undefined)) return undefined
  return { input: input ?? 0, output: output ?? 0, cacheRead: cacheRead ?? 0, cacheWrite: cacheWrite ?? 0 }
}

function timeOf(layer: unknown): string | undefined {
  return times.map((name) => isoTime(field(layer, name))).find((found) => found !== undefined)
}

function firstId(layer: unknown, names: readonly string[]): string | undefined {
  return names.map((name) => idField(layer, name)).find((found) => found !== undefined)
}

function firstCount(layer: unknown, names: readonly string[]): number | undefined {
  return names.map((name) => countField(layer, name)).find((found) => found !== undefined)
}

function firstOf<Found>(layers: readonly unknown[], read: (layer: unknown) => Found | undefined): Found | undefined {
  for (const layer of layers) {
    const found = read(layer)
    if (found !== undefined && found !== null) return found
  }
  return undefined
}

function onlyOne(values: readonly string[]): string | undefined {
  return values.length === 1 ? values[0] : undefined
}
