import type { Readable } from 'node:stream'

import { isJsonObject } from '../model/json.ts'
import { ProtocolServer, type ProtocolOptions } from './protocol.ts'

/** A first line longer than this is left to the SDK, which has its own bound and its own error. */
const firstLineBytesMax = 1024 * 1024

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

/** Reads up to the end of the first line and puts everything back. Undefined where the input ends before. */
async function peekLine(input: Readable): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const finish = (line: string | undefined) => {
      input.off('readable', onReadable).off('end', onEnd).off('error', reject)
      if (size > 0) input.unshift(Buffer.concat(chunks))
      resolve(line)
    }
    const onReadable = () => {
      for (;;) {
        const bytes: unknown = input.read()
        if (!Buffer.isBuffer(bytes)) return
        chunks.push(bytes)
        size += bytes.length
        if (!bytes.includes(10) && size <= firstLineBytesMax) continue
        const text = Buffer.concat(chunks).toString('utf8')
        finish(text.split('\n', 1)[0] ?? '')
        return
      }
    }
    const onEnd = () => finish(undefined)
    input.on('readable', onReadable).on('end', onEnd).on('error', reject)
  })
}

/**
 * Serves MCP on stdin and stdout until the client goes away; resolves then. Only the SDK of the client's protocol era is
 * loaded: a process is started for every session of some hosts and must stay light.
 */
export async function serveStdio(options: ProtocolOptions): Promise<void> {
  const protocol = new ProtocolServer(options)
  // The common case is loaded while the client's first line is on its way.
  const legacyKit = import('./kit-legacy.ts')
  const line = await peekLine(process.stdin)
  if (line === undefined) return
  await new Promise<void>((resolve, reject) => {
    const settings = { log: options.log, onClose: resolve }
    // The v1 transport does not notice the end of its input.
    process.stdin.once('end', resolve).once('close', resolve)
    const serving = isLegacy(line)
      ? legacyKit.then(({ serveLegacyStdio }) => serveLegacyStdio(protocol, settings))
      : import('./kit-modern.ts').then(({ serveModernStdio }) => serveModernStdio(protocol, settings))
    serving.catch(reject)
  })
  await protocol.settle(settleMs)
  // The last answers are handed to the pipe before the process ends.
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()))
}
