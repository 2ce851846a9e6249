import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import {
  context,
  defaultTextMapGetter,
  diag,
  DiagLogLevel,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Tracer,
} from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace'

import type { Log } from '../log.ts'
import { outcomeOfError, type Operation, type Trace } from '../ports/observer.ts'

export interface TracingOptions {
  /** The collector's address for traces. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly serviceName: string
  readonly version: string
  readonly log: Log
}

/** A collector that does not answer must not keep a server from leaving. */
const shutdownMs = 3_000

/** How an operation is called in a trace: https://opentelemetry.io/docs/specs/semconv/ */
interface SpanShape {
  readonly name: string
  readonly kind: SpanKind
  readonly attributes: Attributes
}

function shapeOf(operation: Operation): SpanShape {
  switch (operation.kind) {
    case 'request':
      return {
        name: `${operation.method} ${operation.route}`,
        kind: SpanKind.SERVER,
        attributes: { 'http.request.method': operation.method, 'http.route': operation.route },
      }
    case 'tool':
      return {
        name: `tools/call ${operation.tool}`,
        kind: SpanKind.INTERNAL,
        attributes: { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': operation.tool },
      }
    case 'store':
      return { name: 'database', kind: SpanKind.CLIENT, attributes: { 'db.system.name': 'postgresql' } }
    case 'provider':
      return {
        name: `${operation.call} ${operation.provider}`,
        kind: SpanKind.CLIENT,
        attributes: { 'verbatim.provider': operation.provider, 'verbatim.call': operation.call },
      }
    default:
      return operation satisfies never
  }
}

/** Of a request its status is told, and only the server's own failures are failures of the span. */
function endingOf(
  operation: Operation,
  outcome: string,
): { readonly attributes: Attributes; readonly failed: boolean } {
  if (operation.kind !== 'request') return { attributes: { 'verbatim.outcome': outcome }, failed: outcome !== 'ok' }
  const status = Number(outcome)
  return Number.isNaN(status)
    ? { attributes: { 'error.type': outcome }, failed: true }
    : { attributes: { 'http.response.status_code': status }, failed: status >= 500 }
}

/**
 * Sends what the program does to a collector, as OTLP over HTTP. A trace that a caller began goes on (W3C Trace Context). No
 * span has anything of a message, of an id or of a person in it. Spans that the collector does not take are dropped, in the
 * end; nothing waits for it.
 */
export class Tracing implements AsyncDisposable {
  readonly #provider: TracerProvider
  readonly #tracer: Tracer
  readonly #propagator = new W3CTraceContextPropagator()

  constructor({ url, headers, serviceName, version, log }: TracingOptions) {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    diag.setLogger(logOf(log), DiagLogLevel.WARN)
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({
        'service.name': serviceName,
        'service.version': version,
        'service.instance.id': randomUUID(),
      }),
      // A caller that does not record its own trace wants none of us.
      sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
      spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url, headers: { ...headers } }) })],
    })
    this.#tracer = this.#provider.getTracer('verbatim', version)
  }

  readonly trace: Trace = async (operation, work, { parent, outcomeOf }) => {
    const { name, kind, attributes } = shapeOf(operation)
    // What a caller says goes first: a host may put its trace into a request's `_meta`, and a proxy its own into the headers.
    const within =
      parent === undefined ? context.active() : this.#propagator.extract(context.active(), parent, defaultTextMapGetter)
    const span = this.#tracer.startSpan(name, { kind, attributes }, within)
    const end = (outcome: string) => {
      const { attributes: atEnd, failed } = endingOf(operation, outcome)
      span.setAttributes(atEnd)
      if (failed) span.setStatus({ code: SpanStatusCode.ERROR, message: outcome })
      span.end()
    }
    try {
      const result = await context.with(trace.setSpan(within, span), work)
      end(outcomeOf(result))
      return result
    } catch (error) {
      end(outcomeOfError(error))
      throw error
    }
  }

  /** Sends what is left, for a bounded time. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new AbortController()
    await Promise.race([this.#provider.shutdown(), sleep(shutdownMs, undefined, { signal: ended.signal, ref: false })])
    ended.abort()
  }
}

/** What the library has to say, which is of the collector alone, in one line. */
function logOf(log: Log) {
  const say = (message: string) => log.warn(`traces: ${message.split('\n')[0]?.slice(0, 300)}`)
  return { error: say, warn: say, info: say, debug: say, verbose: say }
}
