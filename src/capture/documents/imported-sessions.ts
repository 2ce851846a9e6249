import { ErasedError } from '../../errors.ts'
import type { Caller } from '../../model/access.ts'
import { newId } from '../../model/ids.ts'
import type { ArchiveStore } from '../../ports/archive-store.ts'
import type { Database } from '../../store/database.ts'
import { readErasures, readErasuresOf } from '../../store/erasure/keep-from-erasure.ts'
import type { Numbering } from '../../store/imports/import-files.ts'
import { sessionIdOf } from '../../store/imports/imported-sessions.ts'
import type { NewMessage, SaveResult, SaveTarget } from '../../store/saving/save-messages.ts'
import { leavingLatePuts, removeOrLeaveUnused, saveHeld } from '../held-payloads.ts'
import { placePayload, type PreparedMessage } from '../large-payload.ts'
import { saveSealed } from '../save-sealed.ts'
import { cleanId, idOfBytes } from './entry-fields.ts'
import type { ErasedSessions } from './erased-sessions.ts'

export interface ImportDependencies {
  readonly database: Database
  readonly archive: ArchiveStore
}

export interface ImportedMessage {
  /** Without its id where that follows from its hash, which is another one in a sealed session. */
  readonly message: PreparedMessage
  /** Which of several entries with the same bytes; undefined where the entry has an id. */
  readonly occurrence: number | undefined
}

/** Where the entries of a document go: the sessions of an earlier import, or new ones. */
export class ImportedSessions {
  readonly #dependencies: ImportDependencies
  readonly #caller: Caller
  readonly #format: string
  readonly #tombstones: ErasedSessions
  readonly #targets = new Map<string, SaveTarget>()
  readonly #numbering: Map<string, number>

  constructor(
    dependencies: ImportDependencies,
    caller: Caller,
    to: { readonly format: string; readonly tombstones: ErasedSessions; readonly numbering?: Numbering | undefined },
  ) {
    this.#numbering = new Map(to.numbering)
    this.#dependencies = dependencies
    this.#caller = caller
    this.#format = to.format
    this.#tombstones = to.tombstones
  }

  async save(
    session: { readonly id: string; readonly createdAt: string | undefined },
    imported: readonly ImportedMessage[],
  ): Promise<SaveResult> {
    const { database, archive } = this.#dependencies
    const { tenantId, principal: actor, client, call } = this.#caller
    const to = { tenantId, session: this.#targets.get(session.id) ?? (await this.#find(session)) }
    if (!to.session.create) await this.#noteNumbering(to.session.id)
    let messages: NewMessage[] = []
    const saved = await saveSealed(database, to, async (target) => {
      const held = { archive, given: imported.map(({ message }) => message), seal: target.seal }
      const key = { tenantId, sessionId: target.session.id }
      return await leavingLatePuts({ database, key }, held, async () => {
        messages = []
        for (const { message, occurrence } of imported) {
          const placed = await placePayload(archive, message, target.seal)
          const hash = target.seal === undefined ? message.sha256 : target.seal.mask(message.sha256)
          messages.push(occurrence === undefined ? placed : { ...placed, externalId: idOfBytes(hash, occurrence) })
        }
        const request = { tenantId, actor, client, call, ...target, messages, revise: true }
        return await saveHeld({ kind: database.kind, run: (work) => database.run(work) }, held, request)
      })
    }).catch(async (error: unknown) => {
      // It is being erased since it was looked up.
      if (error instanceof ErasedError) {
        const placed = messages.flatMap(({ payload }) => ('location' in payload ? [payload.location] : []))
        const key = { tenantId, sessionId: to.session.id }
        await Promise.allSettled([removeOrLeaveUnused(this.#dependencies, key, placed)])
      }
      throw error
    })
    // What was erased is not stored again, nor are its bytes, if they are many, left in the archive.
    const unstored = messages.flatMap(({ payload }, index) =>
      saved.messages[index]?.erased === true && 'location' in payload ? [payload.location] : [],
    )
    await removeOrLeaveUnused(this.#dependencies, { tenantId, sessionId: saved.sessionId }, unstored)
    // It is new, or another one has made it meanwhile: as if nothing of it had been erased yet.
    if (!this.#numbering.has(saved.sessionId)) this.#numbering.set(saved.sessionId, 0)
    this.#targets.set(session.id, { id: saved.sessionId, source: this.#format, create: false })
    return saved
  }

  /** What the numbers hold by that messages were stored under, and those of the known part. */
  get numbering(): Numbering {
    return this.#numbering
  }

  /** Whether they hold still. */
  async areNumbersKept(): Promise<boolean> {
    const things = [...this.#numbering.keys()].map((sessionId) => ({ sessionId }))
    const now = await this.#dependencies.database.run((sql) => readErasuresOf(sql, this.#caller.tenantId, things))
    return [...this.#numbering].every(([id, erasures]) => now.get(id) === erasures)
  }

  /** Before the first messages get their numbers. */
  async #noteNumbering(sessionId: string): Promise<void> {
    if (this.#numbering.has(sessionId)) return
    const key = { tenantId: this.#caller.tenantId, sessionId }
    this.#numbering.set(sessionId, await this.#dependencies.database.run((sql) => readErasures(sql, key)))
  }

  async #find(session: { readonly id: string; readonly createdAt: string | undefined }): Promise<SaveTarget> {
    const about = { source: this.#format, externalId: cleanId(session.id) }
    const id = await this.#dependencies.database.run((sql) => sessionIdOf(sql, this.#caller.tenantId, about))
    if (id !== undefined) return { id, source: about.source, create: false }
    const tombstones = await this.#tombstones.marksOf(about.externalId)
    return { id: newId(), ...about, create: true, createdAt: session.createdAt, tombstones }
  }
}
