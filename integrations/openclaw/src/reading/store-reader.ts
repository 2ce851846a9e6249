import { exists } from '../files.ts'
import type { Session } from '../session.ts'
import { readDatabase } from './database-rows.ts'
import { readTranscript } from './file-rows.ts'
import type { ReadFrom, RowPage, RowReader } from './row-reader.ts'
import { placesOf } from './store-places.ts'

/** Reads what OpenClaw keeps on disk, which is never written to: its database, or before 2026.8 its files. */
export class StoreReader implements RowReader {
  readonly name = 'store'
  readonly #stateDirectory: () => string

  constructor(stateDirectory: () => string) {
    this.#stateDirectory = stateDirectory
  }

  async read(session: Session, { position }: ReadFrom): Promise<RowPage | undefined> {
    const { database, files } = placesOf(this.#stateDirectory(), session.agentId)
    if (await exists(database)) return await readDatabase(database, session.sessionId, position)
    return await readTranscript(files, session, position)
  }
}
