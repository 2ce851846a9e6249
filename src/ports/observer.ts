import { VerbatimError } from '../errors.ts'
import type { CacheName } from '../model/caches.ts'
import { ProviderError } from './provider-error.ts'

/** What a provider is asked for. */
export type ProviderCall = 'embed' | 'generate' | 'vectors' | 'objects'

/**
 * Something that takes time. Every member is one of few words: never an id, a name of a tenant or of a person, or content, as
 * all of it becomes names of metrics and attributes of traces.
 */
export type Operation =
  | { readonly kind: 'request'; readonly method: string; readonly route: string }
  | { readonly kind: 'tool'; readonly tool: string }
  | { readonly kind: 'store' }
  | {
      readonly kind: 'provider'
      readonly provider: string
      readonly call: ProviderCall
      /** Of the texts that are sent: an estimate. */
      readonly tokens?: number | undefined
    }

export type CircuitState = 'closed' | 'open' | 'half_open'

/** Why a request was not worked on: its tenant was over its rate, too many waited, its turn came too late, or the process leaves. */
export type TurnedAway = 'rate' | 'full' | 'late' | 'leaving' | 'streams'

/** What became of the facts that a model wrote in one answer: some were found by patterns too, some are not what its source says. */
export type ModelFactCounts = Readonly<Record<'taken' | 'known' | 'unsupported' | 'malformed', number>>

/** What is counted. The same rule as for operations; all of it can be sent from one thread to another. */
export type Fact =
  | { readonly kind: 'ended'; readonly operation: Operation; readonly outcome: string; readonly ms: number }
  | { readonly kind: 'saved'; readonly messages: number; readonly duplicates: number }
  | { readonly kind: 'searched'; readonly mode: string; readonly semantic: string }
  | { readonly kind: 'looked_up'; readonly cache: CacheName; readonly isHit: boolean }
  | { readonly kind: 'cached'; readonly cache: CacheName; readonly sizeBytes: number }
  | { readonly kind: 'turns'; readonly working: number; readonly waiting: number }
  | { readonly kind: 'turned_away'; readonly reason: TurnedAway }
  | { readonly kind: 'circuit'; readonly provider: string; readonly state: CircuitState }
  | { readonly kind: 'reconnected' }
  | { readonly kind: 'connections'; readonly open: number; readonly max: number }
  | { readonly kind: 'worked_off'; readonly topic: string; readonly messages: number }
  | { readonly kind: 'model_facts'; readonly provider: string; readonly counts: ModelFactCounts }
  | { readonly kind: 'thread_ended' }

/** Where a caller's trace goes on: the W3C headers, as they came. */
export interface TraceParent {
  readonly traceparent: string
  readonly tracestate?: string | undefined
}

export interface Ending {
  /** `ok`, the code of a VerbatimError, a ProviderFailure, `aborted` or `defect`; of a request its status. */
  readonly outcome: string
  readonly ms: number
}

export interface OperationOptions<T> {
  /** Absent where the operation belongs to the one that it is called from. */
  readonly parent?: TraceParent | undefined
  /** What a result that was not thrown means; default: `ok`. */
  readonly outcomeOf?: (result: T) => string
  readonly ended?: (ending: Ending) => void
}

/** Who is told what the program does, to count it or to trace it. It never fails, and nobody waits for it. */
export interface Observer {
  note(fact: Fact): void
  /** Runs `work`, and notes how it ended and how long it took. What it throws is thrown. */
  during<T>(operation: Operation, work: () => Promise<T>, options?: OperationOptions<T>): Promise<T>
}

/** Runs the work of an operation inside of a span. */
export type Trace = <T>(
  operation: Operation,
  work: () => Promise<T>,
  span: { readonly parent?: TraceParent | undefined; readonly outcomeOf: (result: T) => string },
) => Promise<T>

const untraced: Trace = (_operation, work) => work()

/** An observer that gives every fact to `note`. */
export function observerOf(note: (fact: Fact) => void, trace: Trace = untraced): Observer {
  return {
    note,
    async during(operation, work, { parent, outcomeOf = () => 'ok', ended } = {}) {
      const startedAt = performance.now()
      const end = (outcome: string) => {
        const ms = performance.now() - startedAt
        note({ kind: 'ended', operation, outcome, ms })
        ended?.({ outcome, ms })
      }
      try {
        const result = await trace(operation, work, { parent, outcomeOf })
        end(outcomeOf(result))
        return result
      } catch (error) {
        end(outcomeOfError(error))
        throw error
      }
    },
  }
}

/** Counts nothing. */
export const unobserved: Observer = observerOf(() => undefined)

const outcomesByName: Readonly<Record<string, string>> = {
  ZodError: 'input',
  AbortError: 'aborted',
  TimeoutError: 'aborted',
}

/** An error in one word. */
export function outcomeOfError(error: unknown): string {
  if (error instanceof ProviderError) return error.failure
  if (error instanceof VerbatimError) return error.code
  return (error instanceof Error ? outcomesByName[error.name] : undefined) ?? 'defect'
}
