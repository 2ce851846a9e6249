import { z } from 'zod'

import { JsonServer, Refusal, type Reply, type SeenRequest } from './json-server.ts'

const value = z
  .strictObject({ stringValue: z.string() })
  .or(z.strictObject({ intValue: z.union([z.number(), z.string()]) }))
const attributes = z.array(z.strictObject({ key: z.string(), value: z.looseObject({}).pipe(value) }))
const span = z.looseObject({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .optional(),
  name: z.string(),
  kind: z.number().int(),
  attributes,
  status: z.looseObject({ code: z.number().int().optional() }),
})
const tracesRequest = z.strictObject({
  resourceSpans: z.array(
    z.looseObject({
      resource: z.looseObject({ attributes }),
      scopeSpans: z.array(z.looseObject({ spans: z.array(span) })),
    }),
  ),
})

export type CollectedSpan = z.infer<typeof span>

/** A stand-in of an OpenTelemetry collector: OTLP 1.x over HTTP, in JSON. */
export class CollectorStandIn extends JsonServer {
  static async start(): Promise<CollectorStandIn> {
    const standIn = new CollectorStandIn()
    await standIn.listen()
    return standIn
  }

  get #taken(): z.infer<typeof tracesRequest>['resourceSpans'] {
    return this.requests.flatMap(({ text }) => tracesRequest.parse(JSON.parse(text)).resourceSpans)
  }

  get spans(): CollectedSpan[] {
    return this.#taken.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
  }

  /** What they say of who made them. */
  get resources(): Record<string, unknown>[] {
    return this.#taken.map(({ resource }) => valuesOf(resource.attributes))
  }

  protected answer({ method, path, headers, text }: SeenRequest): Reply {
    if (method !== 'POST' || path !== '/v1/traces') throw new Refusal(404, { message: 'no such path' })
    if (headers['content-type'] !== 'application/json') throw new Refusal(415, { message: 'JSON only' })
    tracesRequest.parse(JSON.parse(text))
    return { status: 200, body: { partialSuccess: {} } }
  }
}

/** The attributes of a span, by their names. */
export function valuesOf(list: z.infer<typeof attributes>): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value: given }) => [key, Object.values(given)[0]]))
}
