// The baseline of everything that is served: all that `verbatim serve` does with a request, with a tool that does nothing.
import { z } from 'zod'

import { startHttp } from '../../src/compose-http.ts'
import { openServed } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { defineTool, readsOnly } from '../../src/mcp/define-tool.ts'

const config = readConfig()
const log = createLog(config.logLevel)
const { verbatim, observer, metrics, tracing } = await openServed(config, { version: '1.0.0', log })
const nothing = defineTool({
  name: 'nothing',
  title: 'Nothing',
  description: 'Does nothing',
  input: z.object({ content: z.string(), sender: z.string(), session_id: z.string() }),
  annotations: readsOnly,
  run: async () => ({ structured: { done: true } }),
})
const { server } = await startHttp(config, verbatim, {
  host: '127.0.0.1',
  port: 0,
  isOpenToAll: false,
  tools: { readOnly: false },
  offer: () => [nothing],
  log,
  observer,
  metrics,
})
process.stderr.write(`http://127.0.0.1:${server.port}/mcp\n`)
process.once('SIGTERM', () => void leave())

async function leave(): Promise<void> {
  await server.close(1_000)
  await verbatim[Symbol.asyncDispose]()
  await tracing?.[Symbol.asyncDispose]()
}
