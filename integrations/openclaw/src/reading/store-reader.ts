import { stat } from 'node:fs/promises'
import { join } from 'node:path'

import { codeOf } from '../files.ts'
import type { Session } from '../session.ts'
import { readDatabase } from './database-rows.ts'
import { readTranscript } from './file-rows.ts'
import type { ReadFrom, RowPage, RowReader } from './row-reader.ts'

/** Reads what OpenClaw keeps on disk, which is never written to: its database, or before 2026.8 its files. */
export class StoreReader implements RowReader {
  readonly name = 'store'
  readonly #stateDirectory: () => string

  constructor(stateDirectory: () => string) {
    this.#stateDirectory = stateDirectory
  }

  async read(session: Session, { position }: ReadFrom): Promise<RowPage | undefined> {
    const agent = join(this.#stateDirectory(), 'agents', session.agentId)
    const database = join(agent, 'agent', 'openclaw-agent.sqlite')
    if (await exists(database)) return await readDatabase(database, session.sessionId, position)
    return await readTranscript(join(agent, 'sessions'), session, position)
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}
