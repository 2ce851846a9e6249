import { InputError, VerbatimError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import { refusal } from '../mcp/http.ts'
import type { Caller, Scope } from '../model/access.ts'
import { LocalPeer } from '../sync/local-peer.ts'
import { parseAsked, questions, type Question } from '../sync/peer.ts'
import { decodeWire, encodeWire, wireMediaType } from '../sync/wire.ts'
import type { Verbatim } from '../verbatim.ts'
import type { Gate } from './gate.ts'
import { readBody } from './read-body.ts'
import type { Traffic } from './traffic.ts'

export interface SyncRouteOptions {
  readonly version: string
  readonly verbatim: Verbatim
  readonly gate: Gate
  readonly traffic: Traffic
  readonly readOnly: boolean
}

/** Whoever exchanges a whole history reads all of it, writes to it, and erases what was erased elsewhere. */
const neededScopes: readonly Scope[] = ['memory:read', 'memory:write', 'memory:delete', 'memory:export', 'memory:admin']

const writing: ReadonlySet<Question> = new Set(['learn', 'write', 'recount', 'edit'])

/** What shows anything that was said; the rest is ids, numbers and hashes. */
const showing: ReadonlySet<Question> = new Set(['read', 'edits'])

const statuses = { input: 400, not_found: 404, forbidden: 403, limit: 413, conflict: 409, unavailable: 503 } as const

/** What is below /sync/v1: answers another store that exchanges its history with this one, a question at a time. */
export class SyncRoute {
  readonly #options: SyncRouteOptions

  constructor(options: SyncRouteOptions) {
    this.#options = options
  }

  async answer(request: Request, name: string, log: Log): Promise<Response> {
    const { gate, traffic, verbatim, readOnly } = this.#options
    const admitted = await gate.admit(request)
    if (admitted instanceof Response) return admitted
    const { tenantId } = admitted.caller
    const refused = await traffic.refuse(tenantId, request.signal)
    if (refused !== undefined) return refused
    const caller: Caller = { ...admitted.caller, client: 'sync' }
    const missing = neededScopes.filter((scope) => !admitted.scopes.includes(scope))
    if (missing.length > 0) {
      verbatim.noteDenied(caller, { action: 'call.request', tool: 'sync' }, 'scope')
      return refusal(403, `This access token may not exchange a whole history: it lacks ${missing.join(', ')}`)
    }
    if (!isQuestion(name)) return refusal(404, 'There is no such question')
    if (readOnly && writing.has(name)) return refusal(403, 'This server was started to be read only')
    const body = await readBody(request, limits.syncRequestBytesMax)
    if (body === undefined)
      return refusal(413, `Cannot take the request as its size in bytes must be <= ${limits.syncRequestBytesMax}`)
    return await traffic.inTurn({ tenantId, sizeBytes: body.byteLength, signal: request.signal }, (inTurn) =>
      inTurn(() => this.#answer(caller, name, { body, log })),
    )
  }

  async #answer(
    caller: Caller,
    name: Question,
    { body, log }: { readonly body: Uint8Array; readonly log: Log },
  ): Promise<Response> {
    try {
      const bytes = await this.#ask(caller, name, body)
      return new Response(new Uint8Array(bytes), { headers: { 'content-type': wireMediaType } })
    } catch (error) {
      if (!(error instanceof VerbatimError)) {
        log.error(`http: the question "${name}" of another store failed`, error)
        return refusal(500, 'Internal error')
      }
      const { code, message, remedy } = error
      return Response.json({ error: { code, message, remedy } }, { status: statuses[code] })
    }
  }

  async #ask(caller: Caller, name: Question, body: Uint8Array): Promise<Buffer> {
    const { verbatim, version } = this.#options
    const { json, messages } = decodeWire(body)
    const asked = parseAsked(name, json)
    if (asked === undefined)
      throw new InputError(`Cannot answer the question "${name}" as it is not in the form that this version knows`, {
        remedy: 'Let both stores run the same version',
      })
    const answer = async (as: Caller) => {
      const { database, archive } = verbatim.stores
      const peer = new LocalPeer({ database, archive, erasures: verbatim.erasures, caller: as, version })
      const answered = await peer.ask(name, asked, messages)
      return encodeWire(answered.answer, answered.messages ?? [])
    }
    if (!writing.has(name) && !showing.has(name)) return await answer(caller)
    const call = { action: 'call.request', tool: `sync ${name}`, writes: writing.has(name) } as const
    return await verbatim.recorded(caller, call, answer)
  }
}

function isQuestion(name: string): name is Question {
  return Object.hasOwn(questions, name)
}
