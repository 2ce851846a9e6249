import { isJsonObject } from '../json/json.ts'
import { readableJson } from '../json/readable-json.ts'

/** Stands in a message's text for binary data, which is kept in the payload and is not worth reading. */
function binaryMarker(mediaType: unknown, base64: string): string {
  const type = typeof mediaType === 'string' && mediaType.length > 0 ? mediaType : 'binary data'
  return `[${type}, ${Math.floor((base64.length * 3) / 4)} bytes]`
}

function textOfToolInput(input: unknown): string {
  if (input === undefined || input === null) return ''
  return typeof input === 'string' ? input : readableJson(input)
}

/** Nesting beyond this is kept in the payload and not read: no real content is so deep, and recursion must end. */
const depthMax = 100

function textOfBlock(block: Readonly<Record<string, unknown>>, depth: number): string {
  const source = isJsonObject(block['source']) ? block['source'] : block
  const data = source['data'] ?? source['blob']
  if (typeof data === 'string') {
    return binaryMarker(source['media_type'] ?? source['mimeType'] ?? block['type'], data)
  }
  const name = block['name']
  if (typeof name === 'string') {
    const input = block['input'] ?? block['arguments'] ?? block['args'] ?? block['parameters']
    return `${name} ${textOfToolInput(input)}`.trim()
  }
  for (const key of ['text', 'thinking', 'refusal', 'input_text', 'output_text']) {
    const value = block[key]
    if (typeof value === 'string') return value
  }
  for (const key of ['content', 'resource', 'output', 'result', 'parts', 'function']) {
    if (block[key] !== undefined) return textAt(block[key], depth + 1)
  }
  return readableJson(block)
}

/**
 * What there is to read in a message's content: a string as it is; of blocks (text, thinking, tool use, tool result,
 * image, audio, resource, unknown) their words, one block a paragraph. The content itself stays the truth.
 */
export function textOfContent(content: unknown): string {
  return textAt(content, 0)
}

function textAt(content: unknown, depth: number): string {
  if (typeof content === 'string') return content
  if (depth > depthMax) return ''
  if (Array.isArray(content)) {
    return content
      .map((block) => textAt(block, depth + 1))
      .filter((text) => text.length > 0)
      .join('\n\n')
  }
  if (isJsonObject(content)) return textOfBlock(content, depth)
  return content === null || content === undefined ? '' : JSON.stringify(content)
}

/** The names of the tools that a content calls, in order, for callers that do not name them. */
export function toolsOfContent(content: unknown): string[] {
  if (!Array.isArray(content)) return []
  const names: string[] = []
  for (const block of content) {
    if (!isJsonObject(block)) continue
    const { type, name } = block
    if (typeof name === 'string' && (type === 'tool_use' || type === 'toolCall' || type === 'tool_call'))
      names.push(name)
  }
  return names
}
