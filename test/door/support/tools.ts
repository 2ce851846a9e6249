import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { z } from 'zod'

const resultSchema = z.looseObject({
  content: z.array(z.object({ type: z.literal('text'), text: z.string() })).length(1),
  structuredContent: z.record(z.string(), z.unknown()).optional(),
  isError: z.boolean().optional(),
})

const savedSchema = z.object({
  message_id: z.string(),
  seq: z.number(),
  sha256: z.string(),
  saved_at: z.string(),
  duplicate: z.boolean(),
})

const sessionSchema = z.object({ session_id: z.string(), external_id: z.string().optional() })

const headSchema = z.looseObject({
  session_id: z.string(),
  source: z.string(),
  title: z.string().optional(),
  closed_at: z.string().nullable(),
  message_count: z.number(),
  total_tokens: z.number(),
  tool_invocations: z.number(),
  context_switches: z.number(),
  participants: z.array(z.string()),
  models_used: z.array(z.string()),
  tags: z.array(z.string()).optional(),
})

const documentSchema = headSchema.extend({
  messages: z.array(
    z.looseObject({
      id: z.string(),
      seq: z.number(),
      timestamp: z.string(),
      sender: z.string(),
      role: z.string(),
      content: z.unknown().optional(),
      content_part: z.object({ offset_bytes: z.number(), total_bytes: z.number(), text: z.string() }).optional(),
      text: z.string().optional(),
      metadata: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
  context_summary: z.string().nullable(),
  next_cursor: z.string().optional(),
})

export const searchSchema = z.object({
  notice: z.string(),
  results: z.array(
    z.looseObject({
      session_id: z.string(),
      messages: z.array(
        z.looseObject({
          id: z.string(),
          seq: z.number(),
          sender: z.string(),
          text: z.string(),
          truncated: z.boolean().optional(),
          hit: z
            .object({
              rank: z.number(),
              score: z.number(),
              why: z.looseObject({ terms: z.array(z.string()), filters: z.array(z.string()) }),
            })
            .optional(),
        }),
      ),
    }),
  ),
  coverage: z.object({
    mode: z.string(),
    messages_searched: z.number(),
    semantic: z.string(),
    ranking: z.string().optional(),
    expansion: z.object({ added: z.array(z.string()), ms: z.number() }).optional(),
  }),
  degraded: z.array(z.string()),
  next_cursor: z.string().optional(),
})

const statusSchema = z.looseObject({
  index: z.object({ messages_behind: z.number(), failed_for_good: z.number() }),
  archive: z.object({ sessions_behind: z.number(), messages_behind: z.number(), files_behind: z.number() }),
})

export type SessionDocument = z.infer<typeof documentSchema>
export type SearchReply = z.infer<typeof searchSchema>

/** Reads the structured reply of get_session. */
export function documentOf(structured: unknown): SessionDocument {
  return documentSchema.parse(structured)
}

export type Arguments = Readonly<Record<string, unknown>>

export interface ToolResult {
  readonly text: string
  readonly structured: Readonly<Record<string, unknown>> | undefined
  readonly isError: boolean
}

/** A client's tools: each call checks the form of its reply, and `save` and its like that it is no error. */
export class Tools {
  readonly client: Client

  constructor(client: Client) {
    this.client = client
  }

  async call(name: string, args: Arguments = {}): Promise<ToolResult> {
    const result = resultSchema.parse(await this.client.callTool({ name, arguments: { ...args } }))
    const text = result.content[0]?.text ?? ''
    // Hosts show one of the two: they must say the same.
    if (result.structuredContent !== undefined && text !== JSON.stringify(result.structuredContent, null, 2))
      throw new Error(`The text of ${name} is not the two-space JSON of its structuredContent`)
    return { text, structured: result.structuredContent, isError: result.isError === true }
  }

  /** The text of an error result; fails where the call did not fail. */
  async refusal(name: string, args: Arguments = {}): Promise<string> {
    const result = await this.call(name, args)
    if (!result.isError) throw new Error(`${name} took what it should refuse: ${result.text.slice(0, 300)}`)
    return result.text
  }

  async save(args: Arguments) {
    return sessionSchema.extend(savedSchema.shape).parse(await this.#structured('save_message', args))
  }

  async saveAll(args: Arguments) {
    return sessionSchema.extend({ messages: z.array(savedSchema) }).parse(await this.#structured('save_messages', args))
  }

  async session(sessionId: string, args: Arguments = {}): Promise<SessionDocument> {
    return documentOf(await this.#structured('get_session', { session_id: sessionId, ...args }))
  }

  /** Every message of a session, page by page. */
  async allMessages(sessionId: string, args: Arguments = {}): Promise<SessionDocument['messages']> {
    const messages: SessionDocument['messages'] = []
    let cursor: string | undefined
    do {
      const page = await this.session(sessionId, { ...args, ...(cursor === undefined ? {} : { cursor }) })
      messages.push(...page.messages)
      cursor = page.next_cursor
    } while (cursor !== undefined)
    return messages
  }

  async search(args: Arguments): Promise<SearchReply> {
    return searchSchema.parse(await this.#structured('search_memory', { format: 'json', ...args }))
  }

  /** The texts of the hits, best first. */
  async hits(args: Arguments): Promise<string[]> {
    return hitsOf(await this.search(args)).map(({ text }) => text)
  }

  async update(sessionId: string, change: Arguments) {
    return headSchema.parse(await this.#structured('update_session', { session_id: sessionId, ...change }))
  }

  async list(args: Arguments = {}) {
    return z
      .object({ sessions: z.array(headSchema), next_cursor: z.string().optional() })
      .parse(await this.#structured('list_sessions', args))
  }

  /** How far the indexes and the archive are: to be asked again and again, which a command is too slow for. */
  async status(): Promise<z.infer<typeof statusSchema>> {
    const { contents } = await this.client.readResource({ uri: 'memory://status' })
    return statusSchema.parse(JSON.parse(z.object({ text: z.string() }).parse(contents[0]).text))
  }

  /** All sessions, page by page. */
  async allSessions(): Promise<z.infer<typeof headSchema>[]> {
    const sessions: z.infer<typeof headSchema>[] = []
    let cursor: string | undefined
    do {
      const page = await this.list({ limit: 100, ...(cursor === undefined ? {} : { cursor }) })
      sessions.push(...page.sessions)
      cursor = page.next_cursor
    } while (cursor !== undefined)
    return sessions
  }

  async #structured(name: string, args: Arguments): Promise<unknown> {
    const result = await this.call(name, args)
    if (result.isError) throw new Error(`${name} failed: ${result.text}`)
    return result.structured
  }
}

/** The messages that matched, best first. */
export function hitsOf(reply: SearchReply): SearchReply['results'][number]['messages'] {
  return reply.results
    .flatMap(({ messages }) => messages)
    .filter(({ hit }) => hit !== undefined)
    .sort((a, b) => (a.hit?.rank ?? 0) - (b.hit?.rank ?? 0))
}
