// The baseline of everything that is served: the product's gate, transport and protocol, with a tool that does nothing.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { z } from 'zod'

import { BearerVerifier } from '../../src/access/bearer-verifier.ts'
import { ensureFirstToken } from '../../src/access/first-token.ts'
import { TokenVerifier } from '../../src/access/token-verifier.ts'
import { openVerbatim } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import { Gate } from '../../src/http/gate.ts'
import { readBody } from '../../src/http/read-body.ts'
import { limits } from '../../src/limits.ts'
import { createLog } from '../../src/log.ts'
import { defineTool, readsOnly } from '../../src/mcp/define-tool.ts'
import { answerHttp, refusal } from '../../src/mcp/http.ts'
import { localCaller, firstTenantId } from '../../src/model/access.ts'
import { prepareHome } from '../../src/store/embedded/home.ts'

const config = readConfig()
const log = createLog(config.logLevel)
const verbatim = await openVerbatim(config)
prepareHome(config.home)
await ensureFirstToken(verbatim.stores.database, localCaller('bench'), config.home)
const tokens = new BearerVerifier(new TokenVerifier(verbatim.stores.database, log))
const gate = new Gate({ tokens, tenantId: firstTenantId, hosts: ['localhost', '127.0.0.1'], origins: [], log })
const tool = defineTool({
  name: 'nothing',
  title: 'Nothing',
  description: 'Does nothing',
  input: z.object({ content: z.string(), sender: z.string(), session_id: z.string() }),
  annotations: readsOnly,
  run: async () => ({ structured: { done: true } }),
})

const app = new Hono()
app.all('/mcp', async ({ req: { raw } }) => {
  const admitted = gate.checkOrigin(raw) ?? (await gate.admit(raw))
  if (admitted instanceof Response) return admitted
  const body = await readBody(raw, limits.requestBytesMax)
  if (body === undefined) return refusal(413, 'Too large')
  return await answerHttp(raw, body, {
    version: '1.0.0',
    tools: async () => [tool],
    readOnly: false,
    open: async () => verbatim,
    caller: (client) => ({ ...admitted.caller, client }),
    log,
    scopes: admitted.scopes,
  })
})
const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
  process.stderr.write(`http://127.0.0.1:${port}/mcp\n`)
})
process.once('SIGTERM', () => {
  server.close()
  if ('closeAllConnections' in server) server.closeAllConnections()
  void verbatim[Symbol.asyncDispose]()
})
