import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import { refusal } from '../mcp/http.ts'
import type { InTurn } from '../mcp/protocol.ts'
import type { Observer } from '../ports/observer.ts'
import { LateRefusals } from './late-refusals.ts'
import { Shares } from './shares.ts'
import { TenantRates, type Rate } from './tenant-rates.ts'
import { Turns, type NoTurn } from './turns.ts'

export interface TrafficOptions {
  /** What one tenant may send; undefined for as much as it likes. */
  readonly rate: Rate | undefined
  /** Requests that are worked on at once. */
  readonly concurrency: number
  /** Streams of notices that are open at once. */
  readonly streams: number
  readonly observer: Observer
  readonly log: Log
}

/** Keeps what many clients send within bounds, so that no tenant makes another wait. */
export class Traffic {
  readonly #rates: TenantRates | undefined
  readonly #options: TrafficOptions
  readonly #turns: Turns
  readonly #late: LateRefusals
  readonly #streams: Shares

  constructor(options: TrafficOptions) {
    const { rate, concurrency, streams, observer, log } = options
    this.#options = options
    this.#rates = rate === undefined ? undefined : new TenantRates(rate)
    this.#turns = new Turns({
      concurrency,
      waitingMax: concurrency * limits.waitingRequestsPerPlace,
      waitingBytesMax: limits.waitingRequestBytesMax,
      waitMs: limits.requestWaitMs,
      changed: ({ working, waiting }) => observer.note({ kind: 'turns', working, waiting }),
    })
    this.#streams = new Shares(streams)
    this.#late = new LateRefusals({
      promptPerSecond: limits.promptRefusalsPerSecond,
      lateMs: limits.lateRefusalMs,
      lateMsMax: limits.lateRefusalMsMax,
      heldMax: limits.lateRefusalsMax,
      tell: (tenantId) => log.warn(`tenant ${tenantId} sends far more than its rate: its refusals are answered late`),
    })
  }

  /** Counts a request before it is read. The answer, where the tenant is over its rate: late where it goes on and on. */
  async refuse(tenantId: number, signal: AbortSignal): Promise<Response | undefined> {
    const refused = this.#overRate(this.#rates?.take(tenantId, performance.now()) ?? 0)
    if (refused === undefined) return undefined
    if (!(await this.#late.wait(tenantId, signal))) refused.headers.set('connection', 'close')
    return refused
  }

  /** Counts the further entries of a batch: each is a request. */
  refuseBatch(tenantId: number, parsedBody: unknown): Response | undefined {
    const further = Array.isArray(parsedBody) ? parsedBody.length - 1 : 0
    return further < 1 ? undefined : this.#overRate(this.#rates?.takeMore(tenantId, further, performance.now()) ?? 0)
  }

  /** Answers a request when its turn has come, or says why it has none. */
  async inTurn(
    request: { readonly tenantId: number; readonly sizeBytes: number; readonly signal: AbortSignal },
    answer: (inTurn: InTurn) => Promise<Response>,
  ): Promise<Response> {
    const place = await this.#turns.take(request)
    if (typeof place === 'string') return this.#withoutTurn(place)
    try {
      return await answer((work) => place.run(work))
    } finally {
      place.leave()
    }
  }

  /** What is to be called when a stream of the tenant is over; where it has as many as it may, the answer that says so. */
  openStream(tenantId: number): (() => void) | Response {
    if (this.#streams.take(tenantId, 1)) return () => this.#streams.giveBack(tenantId, 1)
    this.#options.observer.note({ kind: 'turned_away', reason: 'streams' })
    return refusal(
      503,
      'Too many streams of notices of this tenant are open (VERBATIM_HTTP_STREAMS). Close one, and send it again',
      { 'retry-after': String(retrySeconds.full) },
    )
  }

  /** Turns away who waits, as the process leaves. */
  turnAway(): void {
    this.#turns.turnAway()
    this.#late.end()
  }

  #overRate(waitSeconds: number): Response | undefined {
    const { rate, observer } = this.#options
    if (waitSeconds === 0 || rate === undefined) return undefined
    observer.note({ kind: 'turned_away', reason: 'rate' })
    const seconds = Math.ceil(waitSeconds)
    return refusal(
      429,
      `Too many requests: this tenant may send ${rate.perSecond} a second and ${rate.burst} at once (VERBATIM_TENANT_RATE, VERBATIM_TENANT_BURST). Nothing was done: send it again in ${seconds} s`,
      { 'retry-after': String(seconds) },
    )
  }

  #withoutTurn(why: NoTurn): Response {
    if (why !== 'aborted') this.#options.observer.note({ kind: 'turned_away', reason: why })
    return refusal(503, `${reasons[why]}. Nothing was done: send it again in ${retrySeconds[why]} s`, {
      'retry-after': String(retrySeconds[why]),
    })
  }
}

const reasons: Readonly<Record<NoTurn, string>> = {
  full: 'Too many requests of this tenant wait for their turn (VERBATIM_HTTP_CONCURRENCY)',
  late: `The turn of this request did not come within ${limits.requestWaitMs / 1_000} s (VERBATIM_HTTP_CONCURRENCY)`,
  // Nobody reads it.
  aborted: 'The client went away',
  leaving: 'This process is leaving',
}
const retrySeconds: Readonly<Record<NoTurn, number>> = { full: 2, late: 5, aborted: 1, leaving: 1 }
