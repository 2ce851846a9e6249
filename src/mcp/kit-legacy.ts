import type { Readable } from 'node:stream'

import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'

import { describeForLog } from '../errors.ts'
import type { Log } from '../log.ts'
import { noSchemas } from './no-schemas.ts'
import { ProtocolFailure } from './protocol-failure.ts'
import type { ProtocolServer } from './protocol.ts'

/** The code that protocol revisions up to 2025-11-25 give an unknown resource. */
const resourceNotFoundCode = -32_002

const codes: Readonly<Record<ProtocolFailure['kind'], number>> = {
  invalid_params: ErrorCode.InvalidParams,
  resource_not_found: resourceNotFoundCode,
  internal: ErrorCode.InternalError,
}

async function translate<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw error instanceof ProtocolFailure ? new McpError(codes[error.kind], error.message) : error
  }
}

/** A server of the SDK for the protocol revisions up to 2025-11-25, which begin with `initialize`. */
export function createLegacyServer(protocol: ProtocolServer): Server {
  const server = new Server(protocol.info, {
    capabilities: protocol.capabilities,
    instructions: protocol.instructions,
    jsonSchemaValidator: noSchemas,
  })
  const { handlers } = protocol
  server.setRequestHandler(ListToolsRequestSchema, (request) => translate(handlers['tools/list'](request.params)))
  server.setRequestHandler(CallToolRequestSchema, (request) => translate(handlers['tools/call'](request.params)))
  server.setRequestHandler(ListResourcesRequestSchema, (request) =>
    translate(handlers['resources/list'](request.params)),
  )
  server.setRequestHandler(ListResourceTemplatesRequestSchema, (request) =>
    translate(handlers['resources/templates/list'](request.params)),
  )
  server.setRequestHandler(ReadResourceRequestSchema, (request) =>
    translate(handlers['resources/read'](request.params)),
  )
  if (protocol.canSubscribe) {
    server.setRequestHandler(SubscribeRequestSchema, (request) =>
      translate(handlers['resources/subscribe'](request.params)),
    )
    server.setRequestHandler(UnsubscribeRequestSchema, (request) =>
      translate(handlers['resources/unsubscribe'](request.params)),
    )
  }
  server.setRequestHandler(ListPromptsRequestSchema, (request) => translate(handlers['prompts/list'](request.params)))
  server.setRequestHandler(GetPromptRequestSchema, (request) => translate(handlers['prompts/get'](request.params)))
  server.setRequestHandler(CompleteRequestSchema, (request) =>
    translate(handlers['completion/complete'](request.params)),
  )
  return server
}

/** Serves the protocol revisions up to 2025-11-25 (those that begin with `initialize`) on stdin and stdout. */
export async function serveLegacyStdio(
  protocol: ProtocolServer,
  options: { readonly log: Log; readonly input: Readable; readonly onClose: () => void },
): Promise<void> {
  const server = createLegacyServer(protocol)
  const report = (error: unknown) => options.log.warn(`protocol: ${describeForLog(error)}`)
  protocol.attach({
    resourceUpdated: (uri) => void server.sendResourceUpdated({ uri }).catch(report),
    resourceListChanged: () => void server.sendResourceListChanged().catch(report),
  })
  server.oninitialized = () => {
    const client = server.getClientVersion()
    if (client !== undefined) protocol.setClient(`${client.name} ${client.version}`)
    protocol.warm()
  }
  server.onerror = report
  server.onclose = options.onClose
  // The reader passes on whole lines and has bounded them.
  await server.connect(
    new StdioServerTransport(options.input, process.stdout, { maxBufferSize: Number.MAX_SAFE_INTEGER }),
  )
}
