import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

import { reasonOf } from './files.ts'
import type { HostLogger } from './host.ts'
import { howToInstall, type FindVerbatim } from './verbatim-command.ts'

export interface RecallServerOptions {
  readonly find: FindVerbatim
  readonly env: Readonly<Record<string, string>>
  readonly log: HostLogger
}

/** A Verbatim that is being started or that was, and the names of its tools. */
interface Connection {
  readonly client: Client
  readonly tools: Promise<ReadonlySet<string>>
}

/** Verbatim answers, and says that it cannot do what was asked. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

/** A Verbatim of the plugin's own that only reads, started when it is first needed, and anew once it gave no answer. */
export class RecallServer {
  readonly #options: RecallServerOptions
  #connection: Connection | undefined

  constructor(options: RecallServerOptions) {
    this.#options = options
  }

  /** Whether it has a tool. Errors: what keeps it from being started. */
  async has(tool: string): Promise<boolean> {
    const connection = this.#connected()
    return await this.#answerOf(connection, async () => (await connection.tools).has(tool))
  }

  /** What a tool answers, as `format: 'json'` has it. Errors: RefusedError; else it gave no answer in time, and was ended. */
  async call(name: string, args: Readonly<Record<string, unknown>>, timeoutMs: number): Promise<unknown> {
    const connection = this.#connected()
    const answer = await this.#answerOf(connection, async () => {
      await connection.tools
      return await connection.client.callTool({ name, arguments: args }, { timeout: timeoutMs })
    })
    if (answer.isError === true) throw new RefusedError(`Verbatim refused ${name}`)
    return answer.structuredContent
  }

  async close(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    await connection?.client.close()
  }

  async #answerOf<Answer>(connection: Connection, ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await ask()
    } catch (error) {
      this.#drop(connection)
      throw error
    }
  }

  #connected(): Connection {
    if (this.#connection !== undefined) return this.#connection
    const client = new Client({ name: 'verbatim-openclaw', version: '0.1.0' })
    const [program, ...args] = this.#options.find() ?? []
    if (program === undefined) throw new Error(`Verbatim was not found: ${howToInstall}`)
    // Not with --tools: one that lacks a tool would not start.
    const transport = new StdioClientTransport({
      command: program,
      args: [...args, '--read-only'],
      env: this.#options.env,
      stderr: 'ignore',
    })
    const connection: Connection = { client, tools: toolsOf(client, transport) }
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
}

async function toolsOf(client: Client, transport: StdioClientTransport): Promise<ReadonlySet<string>> {
  await client.connect(transport)
  const { tools } = await client.listTools()
  return new Set(tools.map(({ name }) => name))
}
