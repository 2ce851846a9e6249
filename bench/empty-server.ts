// The baseline of start-up and memory: what the SDK alone costs. It is run as it stands by a plain `node`, as the product
// is, so it must be JavaScript too: no types here.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'

const server = new McpServer({ name: 'empty', version: '1.0.0' })
// Without a tool the server would refuse tools/list.
server.registerTool('nothing', { description: 'Does nothing' }, () => ({ content: [] }))
await server.connect(new StdioServerTransport())
process.stdin.on('end', () => process.exit(0))
