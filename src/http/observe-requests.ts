import { randomUUID } from 'node:crypto'

import type { MiddlewareHandler } from 'hono'

import type { Log } from '../log.ts'
import type { Observer } from '../ports/observer.ts'

/** What a handler finds in its context. */
export interface RequestVariables {
  Variables: { log: Log }
}

const routes: readonly string[] = ['/mcp', '/healthz', '/readyz', '/metrics']
const methods: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
/** Those of a proxy in front: nothing that could break or fill a log. */
const givenIdPattern = /^[\w.:-]{1,64}$/

/**
 * Counts, traces and logs every request. Each has an id, the one that a proxy in front gave it (`x-request-id`) or its own; it
 * is in every line of the log that belongs to the request, and in the answer.
 */
export function observeRequests(observer: Observer, log: Log): MiddlewareHandler<RequestVariables> {
  return async (context, next) => {
    const { headers } = context.req.raw
    const given = headers.get('x-request-id') ?? ''
    const id = givenIdPattern.test(given) ? given : randomUUID()
    const own = log.with({ request_id: id })
    context.set('log', own)
    // Whatever a client sends becomes one of a few words: there is a counter for each.
    const method = methods.includes(context.req.method) ? context.req.method : 'other'
    const route = routes.includes(context.req.path) ? context.req.path : 'other'
    const traceparent = headers.get('traceparent')
    const tracestate = headers.get('tracestate') ?? undefined
    await observer.during(
      { kind: 'request', method, route },
      async () => {
        await next()
        // `context.header` would make a new answer, with its body as a stream.
        context.res.headers.set('x-request-id', id)
        return context.res.status
      },
      {
        parent: traceparent === null ? undefined : { traceparent, tracestate },
        outcomeOf: String,
        ended: ({ outcome, ms }) => {
          const fields = { method, route, status: Number(outcome), ms: Math.round(ms * 1_000) / 1_000 }
          // What was answered is told by the calls of its tools; here, what was not.
          // A flood that is refused is counted, and does not fill the log.
          if (Number(outcome) >= 400 && Number(outcome) !== 429) own.info('request refused', fields)
          else own.debug('request', fields)
        },
      },
    )
  }
}
