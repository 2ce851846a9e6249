import { isJsonObject } from '../model/json/json.ts'
import { field, firstText, idField, listField, textField } from './fields.ts'
import { inlineMedia, mediaBlock, readableJson, withoutDataUrls } from './media.ts'

/** Tool results hold blocks, which may hold blocks; real ones are two deep. */
const depthMax = 16

/** What the content of a message says. */
export interface ContentMeaning {
  /** Prose, thinking, tool names with their input and tool output, in the order of the blocks. */
  readonly text: string
  /** Names of the tools that the content calls, one for each call. */
  readonly toolsUsed: readonly string[]
  readonly callIds: readonly string[]
  /** Ids of the calls that the content answers. */
  readonly resultIds: readonly string[]
}

/** Reads content in any of the shapes that agents write: a string, blocks (Anthropic, OpenAI, pi, Vercel), parts (Gemini). */
export function contentMeaning(content: unknown): ContentMeaning {
  const reader = new ContentReader()
  reader.read(content, 0)
  return {
    text: joinTexts(reader.texts),
    toolsUsed: reader.tools,
    callIds: reader.callIds,
    resultIds: reader.resultIds,
  }
}

/** A tool call as text: its name, then its input. */
export function callText(name: string, input: unknown): string {
  const shown = readableJson(parsedIfJson(input))
  return shown === '' ? name : `${name} ${shown}`
}

export function joinTexts(texts: readonly (string | undefined)[]): string {
  return texts.filter((text) => text !== undefined && text !== '').join('\n\n')
}

class ContentReader {
  readonly texts: string[] = []
  readonly tools: string[] = []
  readonly callIds: string[] = []
  readonly resultIds: string[] = []

  read(content: unknown, depth: number): void {
    if (typeof content === 'string') {
      this.texts.push(withoutDataUrls(content))
    } else if (depth > depthMax) {
      this.texts.push(readableJson(content))
    } else if (Array.isArray(content)) {
      for (const block of content) this.read(block, depth + 1)
    } else if (isJsonObject(content)) {
      this.#block(content, depth)
    } else if (typeof content === 'number' || typeof content === 'boolean') {
      this.texts.push(String(content))
    }
  }

  #block(block: Readonly<Record<string, unknown>>, depth: number): void {
    switch (field(block, 'type')) {
      case 'text':
      case 'input_text':
      case 'output_text':
      case 'summary_text':
      case 'reasoning_text':
        this.#text(textField(block, 'text'))
        break
      case 'thinking':
        this.#text(firstText(block, ['thinking', 'text']))
        break
      case 'redacted_thinking':
        break
      case 'tool_use':
      case 'server_tool_use':
      case 'mcp_tool_use':
      case 'toolCall':
      case 'tool-call':
      case 'tool_call':
      case 'function_call':
      case 'function':
        this.#call(block)
        break
      case 'tool_result':
      case 'mcp_tool_result':
      case 'toolResult':
      case 'tool-result':
      case 'web_search_tool_result':
      case 'code_execution_tool_result':
        this.#result(block, depth)
        break
      case 'image':
      case 'input_image':
      case 'image_url':
      case 'audio':
      case 'input_audio':
      case 'video':
      case 'document':
      case 'input_file':
        this.#text(
          textField(block, 'source', 'type') === 'text'
            ? textField(block, 'source', 'data')
            : mediaBlock(block, String(block['type'])),
        )
        break
      default:
        this.#other(block, depth)
    }
  }

  #other(block: Readonly<Record<string, unknown>>, depth: number): void {
    const gemini = block['functionCall'] ?? block['functionResponse'] ?? block['inlineData']
    if (isJsonObject(block['functionCall'])) this.#call(block['functionCall'])
    else if (isJsonObject(block['functionResponse'])) this.read(field(block, 'functionResponse', 'response'), depth + 1)
    else if (isJsonObject(gemini)) this.#text(mediaBlock(gemini, 'media'))
    else if (textField(block, 'text') !== undefined) this.#text(textField(block, 'text'))
    else if (Array.isArray(block['content'])) this.read(block['content'], depth + 1)
    else this.#text(inlineMedia(block) ?? readableJson(block))
  }

  #text(text: string | undefined): void {
    if (text !== undefined) this.texts.push(withoutDataUrls(text))
  }

  #call(block: Readonly<Record<string, unknown>>): void {
    const name = firstText(block, ['name', 'toolName', 'tool_name']) ?? textField(block, 'function', 'name')
    const id = idField(block, 'id') ?? idField(block, 'toolCallId') ?? idField(block, 'call_id')
    const input = block['input'] ?? block['arguments'] ?? block['args'] ?? field(block, 'function', 'arguments')
    if (name !== undefined) this.tools.push(name)
    if (id !== undefined) this.callIds.push(id)
    this.texts.push(callText(name ?? 'tool', input))
  }

  #result(block: Readonly<Record<string, unknown>>, depth: number): void {
    const id = idField(block, 'tool_use_id') ?? idField(block, 'toolCallId') ?? idField(block, 'call_id')
    if (id !== undefined) this.resultIds.push(id)
    this.read(block['content'] ?? block['output'] ?? block['result'], depth + 1)
  }
}

/** The calls of an OpenAI-style `tool_calls` list, in the same terms as content. */
export function toolCallsMeaning(message: unknown): ContentMeaning {
  const calls = [...listField(message, 'tool_calls'), ...listField(message, 'toolCalls')]
  return contentMeaning(calls.map((call) => (isJsonObject(call) ? { ...call, type: 'tool_call' } : call)))
}

/** OpenAI writes a call's input as JSON inside a string; reading it back puts media markers in their place. */
function parsedIfJson(input: unknown): unknown {
  if (typeof input !== 'string' || !input.includes('base64')) return input
  try {
    const parsed: unknown = JSON.parse(input)
    return parsed
  } catch {
    // Input that is no JSON is plain text, which is shown as it is.
    return input
  }
}
