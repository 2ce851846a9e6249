import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import type { ToolDefinition } from '../mcp/define-tool.ts'
import { answerHttp, refusal } from '../mcp/http.ts'
import { neededScopes } from '../mcp/needed-scopes.ts'
import { selectTools, type ToolSelection } from '../mcp/tool-list.ts'
import type { Observer } from '../ports/observer.ts'
import type { Verbatim } from '../verbatim.ts'
import { endWithToken } from './end-with-token.ts'
import type { Admitted, Gate } from './gate.ts'
import { readBody } from './read-body.ts'
import type { Traffic } from './traffic.ts'

export interface McpRouteOptions {
  readonly version: string
  readonly verbatim: Verbatim
  readonly gate: Gate
  readonly traffic: Traffic
  readonly tools: ToolSelection
  /** The tools that there are; the product's own where absent. */
  readonly offer?: ((selection: ToolSelection) => readonly ToolDefinition[]) | undefined
  readonly observer?: Observer | undefined
}

/** What is at /mcp: lets a request in, reads it, and has it answered on behalf of who sent it. */
export class McpRoute {
  readonly #options: McpRouteOptions

  constructor(options: McpRouteOptions) {
    this.#options = options
  }

  /** `log` is that of the request. */
  async answer(request: Request, log: Log): Promise<Response> {
    const admitted = await this.#options.gate.admit(request)
    if (admitted instanceof Response) return admitted
    const refused = await this.#options.traffic.refuse(admitted.caller.tenantId, request.signal)
    if (refused !== undefined) return refused
    const body = await readBody(request, limits.requestBytesMax)
    if (body === undefined)
      return refusal(
        413,
        `Cannot take the request as its size in bytes must be <= ${limits.requestBytesMax}. Send it in several messages, or import it from a file with "verbatim import"`,
      )
    const open = () => this.#options.traffic.openStream(admitted.caller.tenantId)
    const answer = await this.#answerFor(admitted, request, { body, log })
    return await endWithToken(answer, { isStillGood: admitted.isStillGood, open })
  }

  async #answerFor(
    { caller, scopes, stepUp }: Admitted,
    request: Request,
    { body, log }: { readonly body: Uint8Array; readonly log: Log },
  ): Promise<Response> {
    const { version, tools, verbatim, observer, traffic, offer = selectTools } = this.#options
    const { tenantId } = caller
    return await answerHttp(request, body, {
      version,
      tools: async () => offer({ ...tools, scopes }),
      readOnly: tools.readOnly,
      open: async () => verbatim,
      caller: (client) => ({ ...caller, client }),
      log,
      observer,
      scopes,
      refuse(parsedBody) {
        const refused = traffic.refuseBatch(tenantId, parsedBody)
        if (refused !== undefined || stepUp === undefined) return refused
        const missing = [...neededScopes(parsedBody, offer(tools))].filter((scope) => !scopes.includes(scope))
        if (missing.length === 0) return undefined
        verbatim.noteDenied({ ...caller, client: 'unknown' }, { action: 'call.request', tool: 'step up' }, 'scope')
        return stepUp(missing)
      },
      wait: (answer) => traffic.inTurn({ tenantId, sizeBytes: body.byteLength, signal: request.signal }, answer),
    })
  }
}
