import type { Server } from 'node:net'
import { createServer } from 'node:net'

import { EngineError } from '../engine/engine-error.ts'
import { closeStatements, rollBack, runFrames } from '../engine/engine-session.ts'
import type { Engine } from '../engine/engine.ts'
import { queryFrame, replaceError, statusAtEnd } from '../wire.ts'
import type { WireError } from '../wire.ts'
import { BrokerClient } from './broker-client.ts'
import type { Batch } from './broker-client.ts'
import { brokerDefaults } from './broker-options.ts'
import type { BrokerOptions } from './broker-options.ts'

/**
 * A PostgreSQL server on a local socket in front of the one engine session. Clients take turns batch by batch, first
 * come first served, and the engine belongs to one of them from its first batch until the engine reports idle: this
 * keeps unnamed statements and transactions apart. There is no authentication: the socket's directory is 0700.
 *
 * Shared between clients, as the engine has one session: SET without LOCAL, temporary tables, advisory locks, LISTEN,
 * DEALLOCATE ALL. COPY FROM STDIN makes PGlite give up the session: its data has to come with the statement.
 */
export class Broker {
  readonly #engine: Engine
  readonly #options: BrokerOptions
  readonly #server: Server
  /** For the daemon's own work. */
  readonly #answerMs: number
  readonly #clients = new Set<BrokerClient>()
  #held: BrokerClient[] | undefined = []
  #queue: BrokerClient[] = []
  #tasks: Task[] = []
  /** The client that the engine belongs to, and whether its last batch was flushed and has no ReadyForQuery yet. */
  #pinned: { readonly client: BrokerClient; readonly flushed: boolean } | undefined
  #serving: { readonly client: BrokerClient; readonly end: Batch['end'] } | undefined
  #pumping = false
  #idleTimer: NodeJS.Timeout | undefined
  #refusal: WireError | undefined
  #readOnly: WireError | undefined
  #clientCount = 0
  #onQuiet: (() => void) | undefined

  constructor(engine: Engine, options: BrokerOptions) {
    this.#engine = engine
    this.#options = options
    this.#answerMs = options.internalAnswerMs ?? brokerDefaults.internalAnswerMs
    this.#server = createServer({ noDelay: true }, (socket) => {
      const client = new BrokerClient(socket, (this.#clientCount += 1), {
        onStartup: (started) => this.#start(started),
        onBatch: (ready) => this.#enqueue(ready),
        onClose: (closed) => this.#leave(closed),
      })
      this.#clients.add(client)
    })
  }

  /** Clients besides the daemon itself. */
  get clients(): number {
    return [...this.#clients].filter((client) => client.applicationName !== this.#options.internalName).length
  }

  async listen(path: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      // Also kept for later: a connection that could not be accepted is tried again by its client.
      this.#server.on('error', reject)
      this.#server.listen(path, resolve)
    })
  }

  /** Lets in the clients that connected before the migrations were done. */
  admit(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const client of held) this.#start(client)
  }

  /** Runs a statement between two turns of clients; for the daemon's own settings and care. */
  async execute(sql: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const run = async (): Promise<void> => {
        await runFrames(this.#engine, [queryFrame(sql)], this.#answerMs).then(() => resolve(), reject)
      }
      this.#tasks.push({ run, drop: reject })
      void this.#pump()
    })
  }

  /** While set, errors of a read-only transaction are told as this one. */
  tellReadOnlyAs(error: WireError | undefined): void {
    this.#readOnly = error
  }

  /**
   * Takes no new work: what waits and whoever comes is told `error`. Resolves when the engine belongs to nobody, or
   * after `withinMs`, when an open transaction is left to be rolled back.
   */
  async drain(error: WireError, withinMs: number): Promise<void> {
    this.#refusal = error
    this.#server.close()
    for (const client of this.#clients) {
      if (client !== this.#pinned?.client && client !== this.#serving?.client) this.#fail(client, error)
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs)
      this.#onQuiet = () => {
        clearTimeout(timer)
        resolve()
      }
      if (!this.#pumping && this.#pinned === undefined) this.#onQuiet()
    })
    for (const client of this.#clients) this.#fail(client, error)
  }

  #start(client: BrokerClient): void {
    if (this.#refusal !== undefined) {
      client.refuse(this.#refusal)
      return
    }
    const internal = client.applicationName === this.#options.internalName
    if (this.#clients.size > brokerDefaults.clientsMax) {
      client.refuse({
        code: '53300',
        message: `Cannot take another connection as there may be <= ${brokerDefaults.clientsMax}`,
      })
    } else if (this.#held !== undefined && !internal) {
      this.#held.push(client)
    } else {
      const refusal = internal ? undefined : this.#options.onClient?.(client.applicationName)
      if (refusal === undefined) client.greet(this.#engine.greeting)
      else client.refuse(refusal)
    }
  }

  #enqueue(client: BrokerClient): void {
    if (this.#pinned?.client !== client && !client.queued) {
      client.queued = true
      this.#queue.push(client)
    }
    void this.#pump()
  }

  #leave(client: BrokerClient): void {
    this.#clients.delete(client)
    this.#held = this.#held?.filter((held) => held !== client)
    if (this.#pinned?.client !== client && this.#serving?.client !== client && client.statements.length > 0) {
      // Its statements go with the engine where that is lost, so there is nothing to do then.
      this.#tasks.push({ run: async () => this.#release(client), drop: () => undefined })
    }
    void this.#pump()
    if (this.clients === 0) this.#options.onIdle?.()
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    for (let turn = this.#next(); turn !== undefined; turn = this.#next()) {
      try {
        await turn()
      } catch (error) {
        if (!(error instanceof EngineError)) throw error
        this.#failAll(error)
      }
    }
    this.#pumping = false
    if (this.#pinned === undefined) this.#onQuiet?.()
  }

  #next(): (() => Promise<void>) | undefined {
    clearTimeout(this.#idleTimer)
    const pinned = this.#pinned?.client
    if (pinned !== undefined) {
      if (pinned.gone) return async () => this.#release(pinned)
      const batch = pinned.take()
      if (batch !== undefined) return async () => this.#serve(pinned, batch)
      this.#idleTimer = setTimeout(
        () => this.#endIdle(pinned),
        this.#options.idleInTransactionMs ?? brokerDefaults.idleInTransactionMs,
      )
      return undefined
    }
    const task = this.#tasks.shift()
    if (task !== undefined) return task.run
    for (let client = this.#queue.shift(); client !== undefined; client = this.#queue.shift()) {
      client.queued = false
      const batch = client.take()
      const next = client
      if (batch !== undefined) return async () => this.#serve(next, batch)
    }
    return undefined
  }

  async #serve(client: BrokerClient, batch: Batch): Promise<void> {
    this.#serving = { client, end: batch.end }
    const internal = client.applicationName === this.#options.internalName
    const sizeBytes = batch.bytes.length
    if (this.#engine.lastError !== undefined) {
      await this.#engine.ready(this.#options.unavailableMs ?? brokerDefaults.unavailableMs)
    }
    const answer = await this.#engine.run(batch.bytes, internal ? { answerMs: this.#answerMs } : {})
    this.#serving = undefined
    client.send(this.#readOnly === undefined ? answer : replaceError(answer, '25006', this.#readOnly))
    const flushed = batch.end === 'flush'
    // An answer without ReadyForQuery leaves the engine in the middle of this client's business, COPY for example.
    const idle = !flushed && statusAtEnd(answer) === 'I'
    this.#pinned = idle ? undefined : { client, flushed }
    if (idle && client.gone) await this.#release(client)
    else if (idle && this.#refusal !== undefined) this.#fail(client, this.#refusal)
    else if (idle && client.hasBatch) this.#enqueue(client)
    if (!internal) this.#options.onClientBatch?.(client.applicationName)
    this.#options.onServed?.(sizeBytes)
  }

  async #release(client: BrokerClient): Promise<void> {
    await rollBack(this.#engine)
    this.#pinned = undefined
    await closeStatements(this.#engine, client.statements)
  }

  #endIdle(client: BrokerClient): void {
    const idleMs = this.#options.idleInTransactionMs ?? brokerDefaults.idleInTransactionMs
    client.refuse({
      code: '25P03',
      message: `Cannot keep the transaction open as it must not be idle for more than ${idleMs} ms`,
      hint: 'It was rolled back. Do no other work inside a transaction',
    })
    client.gone = true
    void this.#pump()
  }

  #failAll(error: EngineError): void {
    for (const task of this.#tasks.splice(0)) task.drop(error)
    this.#queue = []
    for (const client of this.#clients) this.#fail(client, error.toWire())
    this.#pinned = undefined
    this.#serving = undefined
  }

  #fail(client: BrokerClient, error: WireError): void {
    if (this.#held?.includes(client) === true && this.#refusal === undefined) return
    const serving = this.#serving?.client === client
    const pinned = this.#pinned?.client === client
    client.queued = false
    client.fail(error, { serving, pinned, flushed: serving && this.#serving?.end === 'flush' })
  }
}

interface Task {
  readonly run: () => Promise<void>
  /** Called instead of `run` when the engine was lost. */
  readonly drop: (error: EngineError) => void
}
