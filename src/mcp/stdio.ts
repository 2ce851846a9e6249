import { LimitError } from '../errors.ts'
import { limits } from '../limits.ts'
import { isJsonObject } from '../model/json/json.ts'
import { LineReader, requestIdOf, type DroppedLine } from './line-reader.ts'
import { ProtocolServer, type ProtocolOptions } from './protocol.ts'

const invalidRequestCode = -32_600

/** How long requests that were being worked on when the client left may take to end. */
const settleMs = 10_000

/** Whether a client's first message belongs to the revisions that begin with `initialize`. Anything unreadable does. */
function isLegacy(line: string): boolean {
  try {
    const message: unknown = JSON.parse(line)
    if (!isJsonObject(message)) return true
    const params = isJsonObject(message['params']) ? message['params'] : {}
    // The stateless revisions send their version with every request.
    return message['method'] === 'initialize' || !isJsonObject(params['_meta'])
  } catch (error) {
    if (error instanceof SyntaxError) return true
    throw error
  }
}

/** Refuses a line that is too long by the limit, where it can be told which request it was. */
function refuseLine(line: DroppedLine, options: ProtocolOptions): void {
  const { message } = new LimitError('take the request', {
    what: 'its size in bytes',
    limit: limits.requestBytesMax,
    actual: line.sizeBytes,
  })
  const id = requestIdOf(line)
  if (id === undefined) return options.log.warn(`protocol: ${message}`)
  const text = `${message}. Send it in several messages, or import it from a file with "verbatim import"`
  process.stdout.write(
    `${JSON.stringify({ jsonrpc: '2.0', id, error: { code: invalidRequestCode, message: text } })}\n`,
  )
}

/**
 * Serves MCP on stdin and stdout until the client goes away; resolves then. Only the SDK of the client's protocol era is
 * loaded: a process is started for every session of some hosts and must stay light.
 */
export async function serveStdio(options: ProtocolOptions): Promise<void> {
  const protocol = new ProtocolServer(options)
  // The common case is loaded while the client's first line is on its way.
  const legacyKit = import('./kit-legacy.ts')
  const input = new LineReader(process.stdin, {
    lineBytesMax: limits.requestBytesMax,
    onDropped: (line) => refuseLine(line, options),
  })
  const line = await input.first
  if (line === undefined) return
  let leave: () => void = () => undefined
  const closed = new Promise<void>((resolve) => {
    leave = resolve
  })
  // A client that closed its end of stdout has gone; nothing more can be told it.
  process.stdout.on('error', leave)
  const settings = { log: options.log, input, onClose: leave }
  if (isLegacy(line)) await (await legacyKit).serveLegacyStdio(protocol, settings)
  else (await import('./kit-modern.ts')).serveModernStdio(protocol, settings)
  await Promise.race([input.ended, closed])
  await protocol.settle(settleMs)
  // The last answers are handed to the pipe before the process ends.
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()))
}
