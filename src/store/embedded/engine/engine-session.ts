import { closeStatementFrame, queryFrame, statusAtEnd, syncFrame } from '../wire.ts'
import type { Frame } from '../wire.ts'
import type { Engine } from './engine.ts'

/** Ends whatever transaction or half-sent query the engine's session is in. */
export async function rollBack(engine: Engine): Promise<void> {
  const status = statusAtEnd(await runFrames(engine, [syncFrame]))
  if (status !== 'I') await runFrames(engine, [queryFrame('rollback')])
}

/** Frees prepared statements of a client that left, by the engine's names for them. */
export async function closeStatements(engine: Engine, names: readonly string[]): Promise<void> {
  if (names.length > 0) await runFrames(engine, [...names.map(closeStatementFrame), syncFrame])
}

export async function runFrames(engine: Engine, frames: readonly Frame[], answerMs?: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(Buffer.concat([...frames]))
  return await engine.run(bytes, answerMs === undefined ? {} : { answerMs })
}
