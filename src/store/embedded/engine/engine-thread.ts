import { setFlagsFromString } from 'node:v8'
import { parentPort, workerData } from 'node:worker_threads'

import type { PGlite } from '@electric-sql/pglite'
import { z } from 'zod'

import { messageOf } from '../../../errors.ts'
import { startupFrame } from '../wire.ts'
import { openEngine } from './durable-fs.ts'
import type { EngineReply, EngineRequest } from './engine-messages.ts'

/**
 * The thread in which PGlite runs: its calls are synchronous and a heavy query would freeze the daemon's main thread.
 * Nothing is written to stderr here, as PGlite's uncaught errors print 20 kB of its source.
 */
const optionsSchema = z.object({ dataDir: z.string(), image: z.string().optional() })

/** The exit status with which PGlite marks PostgreSQL's ordinary way of leaving a statement after an error. */
const longJumpStatus = 100

/** The last words of PostgreSQL before it gave up; only its own messages about files and memory, never a statement. */
let lastWords: string | undefined
let troubled = false

function readStderr(line: string): void {
  if (/No space left on device|Disk quota exceeded|could not (?:write|extend|fsync|open|create|read) /i.test(line)) {
    troubled = true
  }
  const fatal = /(?:PANIC|FATAL): {2}(.*)/.exec(line)
  if (fatal?.[1] !== undefined) lastWords = fatal[1]
}

/**
 * How many bytes of a function's WebAssembly run before it is compiled for speed. With V8's own number (2 to 13 million) half
 * of the CPU of a start goes into optimizing functions that a start uses and nothing after it; a busy store gets there all the
 * same, within a second or two. A V8 that does not know the flag goes on without.
 */
const tieringBudgetBytes = 100_000_000

async function main(): Promise<void> {
  setFlagsFromString(`--wasm-tiering-budget=${tieringBudgetBytes}`)
  const port = parentPort
  if (port === null) throw new Error('Cannot start the engine as it must run in a worker thread')
  const { image, ...rest } = optionsSchema.parse(workerData)
  const send = (reply: EngineReply, transfer: ArrayBuffer[] = []): void => port.postMessage(reply, transfer)
  const leave = (error: unknown): void => {
    send({ type: 'broken', reason: lastWords ?? messageOf(error).slice(0, 200) })
    port.close()
  }
  try {
    const engine = await openEngine(rest.dataDir, { ...(image === undefined ? {} : { image }), onStderr: readStderr })
    leaveWhenBroken(engine, (error) => {
      leave(error)
      // PGlite's loop would catch this error and start again for ever; only the end of the thread stops it.
      process.exit(1)
    })
    const greeting = await answerOf(engine, startupFrame())
    lastWords = undefined
    send({ type: 'ready', greeting })
    port.on('message', (request: EngineRequest) => {
      serve(engine, request, send).catch(leave)
    })
  } catch (error) {
    leave(error)
  }
}

async function serve(
  engine: PGlite,
  request: EngineRequest,
  send: (reply: EngineReply, transfer?: ArrayBuffer[]) => void,
): Promise<void> {
  switch (request.type) {
    case 'run': {
      const bytes = await answerOf(engine, request.bytes)
      send({ type: 'answer', bytes, troubled }, [bytes.buffer])
      troubled = false
      return
    }
    case 'close': {
      await engine.close()
      send({ type: 'closed' })
      parentPort?.close()
      return
    }
    default:
      request satisfies never
  }
}

/** The engine's whole answer, in a buffer of its own that can be handed to another thread without a copy. */
async function answerOf(engine: PGlite, message: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let sizeBytes = 0
  await engine.execProtocolRawStream(message, {
    syncToFs: false,
    onRawData(view) {
      // The view lies in the engine's memory, which the next message overwrites.
      const chunk = new Uint8Array(view)
      chunks.push(chunk)
      sizeBytes += chunk.length
    },
  })
  const only = chunks[0]
  if (chunks.length === 1 && only !== undefined) return only
  const answer = new Uint8Array(sizeBytes)
  let offset = 0
  for (const chunk of chunks) {
    answer.set(chunk, offset)
    offset += chunk.length
  }
  return answer
}

/**
 * A PANIC (a full disk while WAL is written) aborts the WASM program. PGlite's loop swallows that and calls it again
 * and again: this is the hang. So the loop's step is watched from inside, and the thread leaves at once.
 */
function leaveWhenBroken(engine: PGlite, leave: (error: unknown) => void): void {
  const module = engine.Module
  const step = module._PostgresMainLoopOnce
  module._PostgresMainLoopOnce = () => {
    try {
      step()
    } catch (error) {
      if (!isLongJump(error)) leave(error)
      throw error
    }
  }
}

function isLongJump(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'status' in error && error.status === longJumpStatus
}

await main()
