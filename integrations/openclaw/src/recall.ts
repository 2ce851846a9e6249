import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { z } from 'zod'

import { reasonOf } from './files.ts'
import type { HostLogger, PromptAdditions, PromptEvent } from './host.ts'
import type { Command } from './verbatim-command.ts'

export interface RecallOptions {
  readonly command: Command
  readonly env: Readonly<Record<string, string>>
  readonly log: HostLogger
  readonly maxTokens: number
  readonly timeoutMs: number
  /** How long prompts are left alone after a failure, unless the usual time. */
  readonly restMs?: number
}

/** A Verbatim that is being started or that was. */
interface Connection {
  readonly client: Client
  readonly ready: Promise<void>
}

const hitsMax = 5
/** On each side: an answer comes after the tools that it took. */
const neighbours = 3
const queryCharactersMax = 2_000
/** Too little to tell what is meant: "yes", "go on". */
const queryCharactersMin = 8
/** A text is in the prompt already where this much of its beginning is. */
const comparedCharacters = 160
const usualRestMs = 30_000

const replySchema = z.object({
  notice: z.string(),
  results: z.array(
    z.object({
      session_id: z.string(),
      messages: z.array(
        z.object({
          id: z.string(),
          timestamp: z.string(),
          sender: z.string(),
          role: z.string(),
          trust: z.string(),
          text: z.string(),
          hit: z
            .object({
              rank: z.number(),
              why: z.object({ semantic_rank: z.number().optional(), terms: z.array(z.string()) }),
            })
            .optional(),
        }),
      ),
    }),
  ),
})
type Reply = z.infer<typeof replySchema>

/** Verbatim answers, and says that it cannot search. */
class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

/**
 * What the memory holds about a prompt, to be put before it. It asks a Verbatim of its own, which is started once and only
 * reads. A prompt never waits longer than the settings say: it goes without then.
 */
export class Recall {
  readonly #options: RecallOptions
  #connection: Connection | undefined
  #restsUntil = 0

  constructor(options: RecallOptions) {
    this.#options = options
  }

  /** Starts Verbatim, so that the first prompt finds it there. */
  warm(): void {
    const connection = this.#connected()
    connection.ready.catch((error: unknown) => {
      this.#drop(connection)
      this.#rest(error)
    })
  }

  async before(event: PromptEvent): Promise<PromptAdditions | undefined> {
    const query = (event.currentUserMessage ?? event.prompt).slice(0, queryCharactersMax).trim()
    if (query.length < queryCharactersMin || performance.now() < this.#restsUntil) return undefined
    // Behind an answer that came in time it ends by itself, and keeps nothing from ending.
    const late = sleep(this.#options.timeoutMs, undefined, { ref: false })
    const found = this.#search(query).catch((error: unknown) => {
      this.#rest(error)
      return undefined
    })
    const reply = await Promise.race([found, late])
    return reply === undefined ? undefined : additions(reply, query, event)
  }

  async close(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    await connection?.client.close()
  }

  async #search(query: string): Promise<Reply> {
    const answer = await this.#ask({
      // A quote would be read as a phrase that a result must hold.
      query: query.replaceAll('"', ' '),
      limit: hitsMax,
      max_tokens: this.#options.maxTokens,
      context: neighbours,
      format: 'json',
    })
    if (answer.isError === true) throw new RefusedError('Verbatim refused to search')
    return replySchema.parse(answer.structuredContent)
  }

  /** Who gives no answer at all is started anew. */
  async #ask(search: Readonly<Record<string, unknown>>): ReturnType<Client['callTool']> {
    const connection = this.#connected()
    try {
      await connection.ready
      const call = { name: 'search_memory', arguments: search }
      return await connection.client.callTool(call, { timeout: this.#options.timeoutMs * 4 })
    } catch (error) {
      this.#drop(connection)
      throw error
    }
  }

  #connected(): Connection {
    if (this.#connection !== undefined) return this.#connection
    const client = new Client({ name: 'verbatim-openclaw', version: '0.1.0' })
    const [program, ...args] = this.#options.command
    const transport = new StdioClientTransport({
      command: program,
      args: [...args, '--read-only', '--tools', 'search_memory'],
      env: this.#options.env,
      stderr: 'ignore',
    })
    const connection: Connection = { client, ready: client.connect(transport) }
    client.onclose = () => this.#forget(connection)
    this.#connection = connection
    return connection
  }

  #forget(connection: Connection): void {
    if (this.#connection === connection) this.#connection = undefined
  }

  /** Ends the process of a connection, and no newer one. Nobody waits for it. */
  #drop(connection: Connection): void {
    this.#forget(connection)
    connection.client
      .close()
      .catch((error: unknown) =>
        this.#options.log.warn(`Verbatim: a process of recall could not be ended (${reasonOf(error)})`),
      )
  }

  #rest(error: unknown): void {
    const restMs = this.#options.restMs ?? usualRestMs
    this.#restsUntil = performance.now() + restMs
    this.#options.log.warn(
      `Verbatim: nothing is recalled for ${restMs / 1000} s, as the memory did not answer (${reasonOf(error)})`,
    )
  }
}

/** The hits that say more than the prompt does and what was said around them, as text that is marked as recorded. */
function additions(reply: Reply, query: string, event: PromptEvent): PromptAdditions | undefined {
  const present = [query, ...event.messages.map((message) => JSON.stringify(message))].join('\n')
  const lines = reply.results
    .filter(({ messages }) => messages.some(({ hit }) => hit !== undefined && tells(hit.why)))
    .flatMap(({ session_id: session, messages }) =>
      messages.filter((message) => isSaid(message) && !present.includes(start(message))).map(render(session)),
    )
  if (lines.length === 0) return undefined
  const mark = randomBytes(6).toString('hex')
  const recorded = lines.join('\n')
  return {
    prependContext: `${reply.notice}\n<recorded memory boundary="${mark}">\n${recorded}\n</recorded boundary="${mark}">\n`,
  }
}

type Said = Reply['results'][number]['messages'][number]

/** What stands between a question and its answer, tool calls and their output, is left out unless it was found itself. */
function isSaid({ role, text, hit }: Said): boolean {
  return text.trim() !== '' && (hit !== undefined || role === 'user' || role === 'assistant')
}

/** As it stands in JSON, where a message of the prompt has it. */
function start({ text }: Said): string {
  return JSON.stringify(text.slice(0, comparedCharacters)).slice(1, -1)
}

function render(session: string): (message: Said) => string {
  return ({ id, timestamp, sender, role, trust, text }) =>
    `[${timestamp}] ${sender} (${role}, trust: ${trust}, session ${session}, message ${id}): ${text}`
}

/** One word in common is chance, unless the meaning is near as well. */
function tells(why: { readonly semantic_rank?: number | undefined; readonly terms: readonly string[] }): boolean {
  return why.terms.length > (why.semantic_rank === undefined ? 1 : 0)
}
