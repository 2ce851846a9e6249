import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

import type { Fact, Operation, TurnedAway } from '../ports/observer.ts'
import type { StoreSample } from './store-sample.ts'

export interface MetricsOptions {
  readonly version: string
  /** What the store says of itself; undefined where it does not answer. Asked at each reading. */
  readonly sample: () => Promise<StoreSample | undefined>
}

/** Of calls that wait for a disk, an index or a network. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const reasonsToTurnAway = ['rate', 'full', 'late', 'leaving', 'streams'] as const satisfies readonly TurnedAway[]
const circuitStates = ['closed', 'open', 'half_open'] as const

/** The counts of one process, in the text format of Prometheus. docs/operations.md lists them. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #options: MetricsOptions
  readonly #requests = this.#counter(
    'http_requests',
    'Requests by what they were answered',
    'method',
    'route',
    'status',
  )
  readonly #requestSeconds = this.#histogram('http_request', 'Time until a request was answered', 'route')
  readonly #working = this.#gauge('http_working', 'Requests that are worked on')
  readonly #waiting = this.#gauge('http_waiting', 'Requests that wait for their turn')
  readonly #turnedAway = this.#counter('http_turned_away', 'Requests that were not worked on, by the reason', 'reason')
  readonly #tools = this.#counter('tool_calls', 'Calls of tools by how they ended', 'tool', 'outcome')
  readonly #toolSeconds = this.#histogram('tool_call', 'Time that a call of a tool took', 'tool')
  readonly #messages = this.#counter('messages_saved', 'Messages that were stored')
  readonly #duplicates = this.#counter('messages_duplicate', 'Messages that had been stored before: retries')
  readonly #searches = this.#counter(
    'searches',
    'Searches by mode and by what meaning did for them',
    'mode',
    'semantic',
  )
  readonly #providers = this.#counter('provider_calls', 'Attempts at providers', 'provider', 'call', 'outcome')
  readonly #providerSeconds = this.#histogram('provider_call', 'Time that an attempt took', 'provider', 'call')
  readonly #tokens = this.#counter('provider_tokens', 'Tokens sent to providers, estimated', 'provider', 'call')
  readonly #circuits = this.#gauge('provider_circuit', '1 for the state that the circuit is in', 'provider', 'state')
  readonly #lookups = this.#counter('cache_lookups', 'Look-ups in a cache', 'cache', 'result')
  readonly #cacheBytes = this.#gauge('cache_bytes', 'What a cache holds, estimated', 'cache')
  readonly #reconnects = this.#counter('database_reconnects', 'Times that a lost connection made a call be tried again')
  readonly #databaseSeconds = this.#histogram(
    'database_call',
    'Time that a call of the database took, retries included',
  )
  readonly #connections = this.#gauge('database_connections', 'Connections of the pool for clients that are open')
  readonly #connectionsMax = this.#gauge('database_connections_max', 'Connections that the pool may open')
  readonly #worked = this.#counter('outbox_worked_off', 'Messages that this process has worked off', 'topic')
  readonly #modelFacts = this.#counter(
    'model_facts',
    'Facts that a model wrote by what became of them',
    'provider',
    'outcome',
  )
  readonly #threads = this.#counter('background_threads_ended', 'Threads of the background work that ended by a defect')
  readonly #available = this.#gauge('store_available', '1 where the store answered this reading')
  readonly #pending = this.#gauge('outbox_messages', 'Messages that wait to be worked off', 'topic')
  readonly #oldest = this.#gauge('outbox_oldest_seconds', 'Since the oldest message that waits was saved', 'topic')
  readonly #dead = this.#gauge('outbox_dead', 'Work that has failed for good', 'topic')
  readonly #tokensToday = this.#gauge(
    'provider_tokens_today',
    'Tokens of paid calls of this day in UTC, of the whole store',
  )

  constructor(options: MetricsOptions) {
    this.#options = options
    collectDefaultMetrics({ register: this.#registry })
    this.#gauge('build_info', 'Always 1', 'version').set({ version: options.version }, 1)
    this.#reconnects.inc(0)
    for (const reason of reasonsToTurnAway) this.#turnedAway.inc({ reason }, 0)
    this.#threads.inc(0)
    this.#messages.inc(0)
    this.#duplicates.inc(0)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** Counts a fact. */
  note(fact: Fact): void {
    switch (fact.kind) {
      case 'ended':
        return this.#noteEnd(fact.operation, fact)
      case 'saved':
        this.#duplicates.inc(fact.duplicates)
        return this.#messages.inc(fact.messages - fact.duplicates)
      case 'searched':
        return this.#searches.inc({ mode: fact.mode, semantic: fact.semantic })
      case 'looked_up':
        return this.#lookups.inc({ cache: fact.cache, result: fact.isHit ? 'hit' : 'miss' })
      case 'cached':
        return this.#cacheBytes.set({ cache: fact.cache }, fact.sizeBytes)
      case 'turns':
        this.#working.set(fact.working)
        return this.#waiting.set(fact.waiting)
      case 'turned_away':
        return this.#turnedAway.inc({ reason: fact.reason })
      case 'circuit':
        for (const state of circuitStates)
          this.#circuits.set({ provider: fact.provider, state }, state === fact.state ? 1 : 0)
        return undefined
      case 'reconnected':
        return this.#reconnects.inc()
      case 'connections':
        this.#connections.set(fact.open)
        return this.#connectionsMax.set(fact.max)
      case 'worked_off':
        return this.#worked.inc({ topic: fact.topic }, fact.messages)
      case 'model_facts':
        for (const [outcome, facts] of Object.entries(fact.counts))
          this.#modelFacts.inc({ provider: fact.provider, outcome }, facts)
        return undefined
      case 'thread_ended':
        return this.#threads.inc()
      default:
        return fact satisfies never
    }
  }

  /** Everything, read now. Never fails: where the store does not answer, `verbatim_store_available` says so. */
  async text(): Promise<string> {
    const sample = await this.#options.sample()
    this.#available.set(sample === undefined ? 0 : 1)
    // An old number would look like a new one.
    for (const gauge of [this.#pending, this.#oldest, this.#dead]) gauge.reset()
    for (const { topic, messages, dead, oldestSeconds } of sample?.topics ?? []) {
      this.#pending.set({ topic }, messages)
      this.#oldest.set({ topic }, oldestSeconds)
      this.#dead.set({ topic }, dead)
    }
    if (sample !== undefined) this.#tokensToday.set(sample.tokensToday)
    return await this.#registry.metrics()
  }

  #noteEnd(operation: Operation, { outcome, ms }: { readonly outcome: string; readonly ms: number }): void {
    const seconds = ms / 1_000
    switch (operation.kind) {
      case 'request': {
        const { method, route } = operation
        this.#requests.inc({ method, route, status: outcome })
        return this.#requestSeconds.observe({ route }, seconds)
      }
      case 'tool': {
        const { tool } = operation
        this.#tools.inc({ tool, outcome })
        return this.#toolSeconds.observe({ tool }, seconds)
      }
      case 'provider': {
        const { provider, call, tokens = 0 } = operation
        this.#providers.inc({ provider, call, outcome })
        if (tokens > 0) this.#tokens.inc({ provider, call }, tokens)
        return this.#providerSeconds.observe({ provider, call }, seconds)
      }
      case 'store':
        return this.#databaseSeconds.observe(seconds)
      default:
        return operation satisfies never
    }
  }

  #counter<L extends string>(name: string, help: string, ...labelNames: readonly L[]): Counter<L> {
    return new Counter({ name: `verbatim_${name}_total`, help, labelNames, registers: [this.#registry] })
  }

  #gauge<L extends string>(name: string, help: string, ...labelNames: readonly L[]): Gauge<L> {
    return new Gauge({ name: `verbatim_${name}`, help, labelNames, registers: [this.#registry] })
  }

  #histogram<L extends string>(name: string, help: string, ...labelNames: readonly L[]): Histogram<L> {
    const registers = [this.#registry]
    return new Histogram({ name: `verbatim_${name}_duration_seconds`, help, labelNames, buckets, registers })
  }
}
