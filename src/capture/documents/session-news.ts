import { limits } from '../../limits.ts'
import type { Database } from '../../store/database.ts'
import { describeSession } from '../../store/imports/imported-sessions.ts'
import type { TranscriptSession } from '../../transcripts/format.ts'
import { cleanId, cleanName } from './entry-fields.ts'
import type { ErasedSessions } from './erased-sessions.ts'

function isBare({ title, metadata, parent, createdAt }: TranscriptSession): boolean {
  return title === undefined && metadata === undefined && parent === undefined && createdAt === undefined
}

/** What a document says of its sessions, and which of it the store has not been told yet. */
export class SessionNews {
  readonly #sessions = new Map<string, TranscriptSession>()
  readonly #untold = new Set<string>()
  readonly #erased = new Set<string>()

  add(event: TranscriptSession): void {
    this.#sessions.set(event.id, { ...this.#sessions.get(event.id), ...event })
    this.#untold.add(event.id)
  }

  /** Entries of a session were passed over: its title and metadata may be of them. */
  noteErased(id: string): void {
    this.#erased.add(id)
  }

  createdAt(id: string): string | undefined {
    return this.#sessions.get(id)?.createdAt
  }

  /** Tells the store, after the sessions' entries are there. */
  async tell(
    database: Database,
    to: { readonly tenantId: number; readonly source: string; readonly tombstones: ErasedSessions },
  ): Promise<void> {
    let isNew = false
    for (const id of this.#untold) {
      const about = this.#sessions.get(id)
      // Of most conversations in a file of many nothing is known but what is said.
      if (about === undefined || isBare(about)) continue
      const { metadata, title } = this.#erased.has(id) ? {} : about
      const parent = about.parent === undefined ? undefined : cleanId(about.parent)
      const hasParent = parent !== undefined && !(await to.tombstones.has(parent))
      const isAdded = await describeSession(database, to.tenantId, {
        source: to.source,
        externalId: cleanId(about.id),
        title: title === undefined || title.length === 0 ? undefined : cleanName(title, limits.titleCharactersMax),
        metadata: metadata === undefined || Object.keys(metadata).length === 0 ? undefined : JSON.stringify(metadata),
        parentExternalId: hasParent ? parent : undefined,
        createdAt: about.createdAt,
      })
      isNew ||= isAdded
    }
    this.#untold.clear()
    // What was learned may be of a project that is known now.
    if (isNew) database.needWork?.()
  }
}
