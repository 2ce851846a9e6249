import type { AddressInfo } from 'node:net'

import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { z } from 'zod'

import { Gate } from '../../../src/http/gate.ts'
import { readBody } from '../../../src/http/read-body.ts'
import { limits } from '../../../src/limits.ts'
import { createLog } from '../../../src/log.ts'
import { defineTool, readsOnly, type ToolDefinition } from '../../../src/mcp/define-tool.ts'
import { answerHttp } from '../../../src/mcp/http.ts'
import type { Params } from '../../../src/mcp/protocol-answers.ts'
import { ProtocolServer } from '../../../src/mcp/protocol.ts'
import { firstTenantId } from '../../../src/model/access.ts'
import type { Verbatim } from '../../../src/verbatim.ts'

/** One red pixel, and one sample of silence. */
const image = {
  type: 'image',
  data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
  mimeType: 'image/png',
}
const audio = {
  type: 'audio',
  data: 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQIAAAAAAA==',
  mimeType: 'audio/wav',
}

function embedded(uri: string) {
  return { type: 'resource', resource: { uri, mimeType: 'text/plain', text: 'Words of a resource.' } }
}

/** Contents that no tool of the product gives, by the tools that the suite calls. */
const contents: Readonly<Record<string, readonly unknown[]>> = {
  test_image_content: [image],
  test_audio_content: [audio],
  test_embedded_resource: [embedded('test://embedded-resource')],
  test_multiple_content_types: [{ type: 'text', text: 'Several:' }, image, embedded('test://mixed-content-resource')],
}

function tool(name: string, run: ToolDefinition['run']): ToolDefinition {
  const about = { name, title: name, description: `The suite's ${name}`, annotations: readsOnly }
  return defineTool({ ...about, input: z.object({}), run })
}

/** As text, since an object with a member "then" would be taken for a promise. */
const conditional = z
  .record(z.string(), z.unknown())
  .parse(
    JSON.parse(
      '{"if":{"properties":{"contactMethod":{"const":"phone"}},"required":["contactMethod"]},"then":{"required":["phone"]},"else":{"required":["email"]}}',
    ),
  )

/** Its schema goes to clients as it stands; those of the product are made from zod and hold fewer keywords. */
const anySchema: ToolDefinition = {
  ...tool('json_schema_2020_12_tool', async () => ({ text: 'called' })),
  inputSchema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: {
      address: {
        $anchor: 'addressDef',
        type: 'object',
        properties: { street: { type: 'string' }, city: { type: 'string' } },
      },
    },
    properties: {
      name: { type: 'string' },
      address: { $ref: '#/$defs/address' },
      contactMethod: { type: 'string', enum: ['phone', 'email'] },
      phone: { type: 'string' },
      email: { type: 'string' },
    },
    allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
    ...conditional,
    additionalProperties: false,
  },
}

const tools: readonly ToolDefinition[] = [
  tool('test_simple_text', async () => ({ text: 'This is a simple text response for testing.' })),
  tool('test_error_handling', async () => {
    throw new Error('This tool intentionally returns an error for testing')
  }),
  anySchema,
  ...Object.keys(contents).map((name) => tool(name, async () => ({ text: name }))),
]

const message = (content: unknown) => [{ role: 'user', content }]

const prompts: Readonly<Record<string, (args: Readonly<Record<string, unknown>>) => unknown>> = {
  test_simple_prompt: () => message({ type: 'text', text: 'This is a simple prompt for testing.' }),
  test_prompt_with_arguments: ({ arg1, arg2 }) =>
    message({ type: 'text', text: `Prompt with arguments: arg1='${String(arg1)}', arg2='${String(arg2)}'` }),
  test_prompt_with_embedded_resource: ({ resourceUri }) => message(embedded(String(resourceUri))),
  test_prompt_with_image: () => message(image),
}

function readFixture(uri: string): unknown {
  if (uri === 'test://static-text')
    return { uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }
  if (uri === 'test://static-binary') return { uri, mimeType: 'image/png', blob: image.data }
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1]
  return id === undefined ? undefined : { uri, mimeType: 'application/json', text: JSON.stringify({ id }) }
}

/** Takes it for what the handlers of the product give: those give text alone, and the kits pass on what they are given. */
function asAnswer<T>(value: unknown, _like: (params: Params) => Promise<T> | T): T {
  return JSON.parse(JSON.stringify(value))
}

/** The product's side of the protocol, with what the suite calls for in place of the product's tools and texts. */
class FixtureProtocol extends ProtocolServer {
  override get handlers() {
    const own = super.handlers
    const named = (params: Params) => z.object({ name: z.string() }).parse(params).name
    return {
      ...own,
      'tools/call': async (params: Params) => {
        const content = contents[named(params)]
        return content === undefined ? await own['tools/call'](params) : asAnswer({ content }, own['tools/call'])
      },
      'resources/read': async (params: Params) => {
        const found = readFixture(z.object({ uri: z.string() }).parse(params).uri)
        return found === undefined
          ? await own['resources/read'](params)
          : asAnswer({ contents: [found] }, own['resources/read'])
      },
      'prompts/get': async (params: Params) => {
        const write = prompts[named(params)]
        const args = z.object({ arguments: z.record(z.string(), z.unknown()).default({}) }).parse(params)
        return write === undefined
          ? await own['prompts/get'](params)
          : asAnswer({ messages: write(args.arguments) }, own['prompts/get'])
      },
    }
  }
}

/** A server of what the suite calls for, behind the product's gate, transport and kits. */
export async function startFixture(verbatim: Verbatim): Promise<{ readonly url: string } & AsyncDisposable> {
  const log = createLog('silent')
  const gate = new Gate({ tenantId: firstTenantId, hosts: ['localhost', '127.0.0.1'], origins: [], log })
  const app = new Hono()
  app.all('/mcp', async ({ req: { raw } }) => {
    const refused = gate.checkOrigin(raw)
    if (refused !== undefined) return refused
    const body = await readBody(raw, limits.requestBytesMax)
    if (body === undefined) throw new Error('The suite sends nothing so large')
    return await answerHttp(raw, body, {
      version: '1.0.0',
      tools: async () => tools,
      readOnly: false,
      open: async () => verbatim,
      caller: (client) => ({ tenantId: firstTenantId, principal: 'conformance', client }),
      log,
      makeProtocol: (options) => new FixtureProtocol(options),
    })
  })
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    url: `http://127.0.0.1:${portOf(server.address())}/mcp`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('The server is not listening')
  return address.port
}
