import { isJsonObject } from '../model/json.ts'
import type { TraceParent } from '../ports/observer.ts'
import { text, type Params } from './protocol-answers.ts'

/** The trace that a request belongs to, where its `_meta` says so (`traceparent` and `tracestate`, as in W3C's headers). */
export function traceOf(params: Params): TraceParent | undefined {
  const meta = isJsonObject(params?.['_meta']) ? params['_meta'] : undefined
  const traceparent = text(meta, 'traceparent')
  return traceparent === undefined ? undefined : { traceparent, tracestate: text(meta, 'tracestate') }
}
