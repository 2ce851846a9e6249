import type { RowSeal } from '../crypto/row-seal.ts'
import { ConflictError, describeForLog } from '../errors.ts'
import { sha256 } from '../model/messages/payload.ts'
import { readManifest, saveManifest } from '../store/archive/archive-state.ts'
import type { Transaction } from '../store/rows.ts'
import type { ArchiveDependencies } from './archive-dependencies.ts'
import { DamagedObject, digestOf } from './archive-object.ts'
import { decodeManifest, encodeManifest, manifestKey, manifestsKept, type Subject } from './manifest.ts'
import { recordObject, type Recording } from './record-object.ts'
import { sealOpener } from './seal-opener.ts'

interface ManifestContent extends Pick<Recording, 'isThere'> {
  readonly content: unknown
  readonly version: number
  readonly seal: RowSeal | undefined
}

interface SealedBody extends Pick<ManifestContent, 'seal'> {
  readonly body: Uint8Array
}

/** Writes the numbered manifests of sessions and imported documents, each with its followers. */
export class ManifestWriter {
  readonly #dependencies: ArchiveDependencies

  constructor(dependencies: ArchiveDependencies) {
    this.#dependencies = dependencies
  }

  /** Archives what a subject is now, where its last manifest says something else. */
  async write(subject: Subject, { content, version, seal, isThere }: ManifestContent): Promise<void> {
    const { database } = this.#dependencies
    const { kind, tenantId, id: subjectId } = subject
    const body = Buffer.from(JSON.stringify(content))
    const contentSha256 = digestOf(body, seal)
    const last = await database.run((sql) => readManifest(sql, tenantId, { kind, subjectId }))
    if (last?.version === version && contentSha256.equals(last.contentSha256)) return
    // Another one was faster, and has seen what came since.
    if (kind === 'session' && last !== undefined && last.version > version) return
    const { number, bytes } = await this.#put(subject, (last?.number ?? 0) + 1, { body, seal })
    const location = manifestKey(subject, number)
    const manifest = { kind, subjectId, number, version, location, sha256: sha256(bytes), contentSha256 }
    const write = (sql: Transaction) => saveManifest(sql, tenantId, manifest)
    const about = kind === 'session' ? { tenantId, sessionId: subjectId } : { tenantId }
    await recordObject(this.#dependencies, { location, bytes }, { subject: about, isThere, write })
    // The first one stays: whose database has forgotten the last number finds by it that there is one.
    if (number - manifestsKept > 1) await this.#remove(subject, number - manifestsKept)
  }

  /** Puts a manifest under the first number that is free, from `number` on. */
  async #put(
    subject: Subject,
    number: number,
    content: SealedBody,
  ): Promise<{ readonly number: number; readonly bytes: Uint8Array }> {
    const { archive } = this.#dependencies
    const bytes = await encodeManifest(subject, number, content)
    try {
      await archive.put(manifestKey(subject, number), bytes)
      return { number, bytes }
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
    }
    const existing = await archive.get(manifestKey(subject, number))
    if (existing !== undefined && (await this.#says(subject, existing, content))) return { number, bytes: existing }
    // The database knows of fewer manifests than there are: it is older, or who wrote them died.
    let highest = number
    for await (const key of archive.list(manifestKey(subject, 0).replace(/[^/]*$/, '')))
      highest = Math.max(highest, Number(/\/(\d+)\.vmanifest$/.exec(key)?.[1] ?? 0))
    return await this.#put(subject, highest + 1, content)
  }

  async #says(subject: Subject, bytes: Uint8Array, { body, seal }: SealedBody): Promise<boolean> {
    try {
      const found = await decodeManifest(subject, bytes, sealOpener(this.#dependencies.database))
      return found.body.equals(body) && found.seal?.version === seal?.version
    } catch (error) {
      if (error instanceof DamagedObject) return false
      throw error
    }
  }

  /** A manifest that has its followers is removed; a bucket with a lock or with versions may keep it, which does no harm. */
  async #remove(subject: Subject, number: number): Promise<void> {
    const { archive, log } = this.#dependencies
    try {
      await archive.delete(manifestKey(subject, number))
    } catch (error) {
      log.warn(`the archive keeps the old manifest ${manifestKey(subject, number)}: ${describeForLog(error)}`)
    }
  }
}
