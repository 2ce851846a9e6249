import type { Readable } from 'node:stream'

import { ProtocolError, ResourceNotFoundError, Server } from '@modelcontextprotocol/server'
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'

import { describeForLog } from '../errors.ts'
import type { Log } from '../log.ts'
import { Listening } from './listening.ts'
import { noSchemas } from './no-schemas.ts'
import { ProtocolFailure } from './protocol-failure.ts'
import type { ProtocolServer } from './protocol.ts'

const invalidParamsCode = -32_602
const internalErrorCode = -32_603

async function translate<T>(answer: Promise<T>, uri = ''): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof ProtocolFailure)) throw error
    if (error.kind === 'resource_not_found') throw new ResourceNotFoundError(uri, error.message)
    throw new ProtocolError(error.kind === 'internal' ? internalErrorCode : invalidParamsCode, error.message)
  }
}

/** The params of a request whose method the SDK has checked, as our handlers take them. */
type AnyParams = Readonly<Record<string, unknown>> | undefined

/** A server of the SDK for the stateless protocol revisions (2026-07-28). */
export function createModernServer(protocol: ProtocolServer, report: (error: unknown) => void): Server {
  const server = new Server(protocol.info, {
    capabilities: protocol.capabilities,
    instructions: protocol.instructions,
    jsonSchemaValidator: noSchemas,
  })
  const { handlers } = protocol
  const params = (request: { readonly params?: AnyParams }): AnyParams => request.params
  server.setRequestHandler('tools/list', (request) => translate(handlers['tools/list'](params(request))))
  server.setRequestHandler('tools/call', (request) => translate(handlers['tools/call'](request.params)))
  server.setRequestHandler('resources/list', (request) => translate(handlers['resources/list'](request.params)))
  server.setRequestHandler('resources/templates/list', (request) =>
    translate(handlers['resources/templates/list'](request.params)),
  )
  server.setRequestHandler('resources/read', (request) =>
    translate(handlers['resources/read'](request.params), request.params.uri),
  )
  server.setRequestHandler('prompts/list', (request) => translate(handlers['prompts/list'](request.params)))
  server.setRequestHandler('prompts/get', (request) => translate(handlers['prompts/get'](request.params)))
  server.setRequestHandler('completion/complete', (request) =>
    translate(handlers['completion/complete'](request.params)),
  )
  protocol.attach({
    resourceUpdated: (uri) => void server.sendResourceUpdated({ uri }).catch(report),
    resourceListChanged: () => void server.sendResourceListChanged().catch(report),
  })
  return server
}

/** These revisions say with every request who sends it. */
export const clientSchema = z.object({
  params: z.object({
    _meta: z.object({ 'io.modelcontextprotocol/clientInfo': z.object({ name: z.string(), version: z.string() }) }),
  }),
})

/**
 * Serves the stateless protocol revisions (2026-07-28) on stdin and stdout. The SDK answers `subscriptions/listen`
 * itself and passes on only what was asked for; what is asked for is overheard here, so that just that is watched.
 */
export function serveModernStdio(
  protocol: ProtocolServer,
  options: { readonly log: Log; readonly input: Readable; readonly onClose: () => void },
): void {
  const report = (error: unknown) => options.log.warn(`protocol: ${describeForLog(error)}`)
  // The reader passes on whole lines and has bounded them.
  const transport = new StdioServerTransport(options.input, process.stdout, { maxBufferSize: Number.MAX_SAFE_INTEGER })
  const listening = new Listening(protocol, report)
  let tell = (_uri: string): void => undefined
  const serverOf = () => {
    const server = createModernServer(protocol, report)
    tell = (uri) => void server.sendResourceUpdated({ uri }).catch(report)
    protocol.attach({
      resourceUpdated: (uri) => {
        listening.note(uri)
        tell(uri)
      },
      resourceListChanged: () => void server.sendResourceListChanged().catch(report),
    })
    return server
  }
  serveStdio(serverOf, { transport, onerror: report })
  const { onmessage, onclose } = transport
  transport.onmessage = (message) => {
    const sent = clientSchema.safeParse(message)
    if (sent.success) {
      const { name, version } = sent.data.params._meta['io.modelcontextprotocol/clientInfo']
      protocol.setClient(`${name} ${version}`)
    }
    listening.pass(message, { on: () => onmessage?.(message), tell: (uri) => tell(uri) })
  }
  transport.onclose = () => {
    onclose?.()
    options.onClose()
  }
  protocol.warm()
}
