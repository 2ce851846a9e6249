import { isJsonObject } from '../model/json/json.ts'
import type { TraceParent } from '../ports/observer.ts'
import { text, type Params } from './protocol-answers.ts'

/** The trace's number, where it is one. */
export function traceIdOf(params: Params): string | undefined {
  return /^[\da-f]{2}-([\da-f]{32})-/.exec(traceOf(params)?.traceparent ?? '')?.[1]
}

/** The trace that a request belongs to, where its `_meta` says so (`traceparent` and `tracestate`, as in W3C's headers). */
export function traceOf(params: Params): TraceParent | undefined {
  const meta = isJsonObject(params?.['_meta']) ? params['_meta'] : undefined
  const traceparent = text(meta, 'traceparent')
  return traceparent === undefined ? undefined : { traceparent, tracestate: text(meta, 'tracestate') }
}
