import type { RowSeal } from '../crypto/row-seal.ts'
import { ConflictError, messageOf } from '../errors.ts'
import { sha256 } from '../model/messages/payload.ts'
import { readGrants } from '../store/access/session-access.ts'
import { insertSegment, isFileThere, readSegments, type ArchivedSegment } from '../store/archive/archive-state.ts'
import { readFactRecords } from '../store/archive/archived-facts.ts'
import { readUnarchivedFiles, type UnarchivedFile } from '../store/archive/archived-files.ts'
import { archivedMessage } from '../store/archive/archived-messages.ts'
import { readSessionRecord, readSummaryRecords, type SessionRecord } from '../store/archive/archived-session.ts'
import { wholeFile } from '../store/imports/import-files.ts'
import type { SessionKey } from '../store/messages.ts'
import { pagedMessages } from '../store/page-messages.ts'
import type { Transaction } from '../store/rows.ts'
import type { ArchiveDependencies } from './archive-dependencies.ts'
import { archiveKeysOf } from './archive-keys.ts'
import { DamagedObject } from './archive-object.ts'
import { forgotten, goesOn } from './goes-on.ts'
import { ManifestWriter } from './manifest-writer.ts'
import type { SessionManifest } from './manifest.ts'
import { recordObject } from './record-object.ts'
import { sealOpener } from './seal-opener.ts'
import { chainAfter, chainStart, decodeSegment, SegmentBuilder, segmentKey, type SegmentStart } from './segment.ts'

/** Each holds its layout. */
const filesAtOnce = 10

export interface FileProblem {
  readonly id: string
  readonly path: string
  readonly problem: string
}

interface FilesOptions {
  readonly isOver?: () => boolean
  /** Resolves when some of many may be archived. */
  readonly turn?: () => Promise<void>
}

export interface FilesArchived {
  readonly archived: number
  readonly problems: readonly FileProblem[]
}

/**
 * Brings sessions and imported documents into the archive. A manifest always describes a whole state of its session, and is
 * written after all segments that it names.
 *
 * An object is put first and recorded in the database after that. Who dies in between leaves an object that nobody knows of:
 * the next one finds it under the key that it wants to write, sees that it says what the store says, and records it.
 */
export class Archiver {
  readonly #dependencies: ArchiveDependencies
  readonly #manifests: ManifestWriter

  constructor(dependencies: ArchiveDependencies) {
    this.#dependencies = dependencies
    this.#manifests = new ManifestWriter(dependencies)
  }

  /** Archives all that a session holds now. Throws ConflictError where the archive says something else than the store. */
  async archiveSession(key: SessionKey): Promise<void> {
    const { database } = this.#dependencies
    const session = await readSessionRecord(database, key, 'archive')
    if (session === undefined) return
    // As it is by now: where another process has changed it since, the session has changed too, and nothing is recorded.
    database.vault.forget(key.tenantId, key.sessionId)
    const seal = await database.vault.sealOf(key.tenantId, key.sessionId, 'archive')
    // First of all: nothing is in the archive whose key is not.
    if (seal !== undefined) await archiveKeysOf(this.#dependencies, key)
    let written: number | undefined
    // Each turn that does not end it has found one segment more than the last.
    while (written === undefined) written = await this.#writeSegments(key, session, seal)
    const summaries = await readSummaryRecords(database, key)
    const facts = await readFactRecords(database, key)
    const [segments, isShared] = await database.run(async (sql) => [
      await readSegments(sql, key),
      (await readGrants(sql, key.tenantId, key.sessionId)).length > 0,
    ])
    const manifest: SessionManifest = {
      session,
      summaries,
      ...(facts.length === 0 ? {} : { facts }),
      ...(isShared ? { shared: true } : {}),
      // What another one has archived meanwhile is for a later manifest.
      segments: segments.filter(({ lastSeq }) => lastSeq <= session.last_seq).map(segmentEntry),
    }
    const subject = { kind: 'session', tenantId: key.tenantId, id: key.sessionId } as const
    const last = segments.at(-1)
    if ((last?.number ?? 0) < written) throw forgotten(key)
    const isThere = (sql: Transaction) => goesOn(sql, key, { erasures: session.erasures, after: last })
    await this.#manifests.write(subject, { content: manifest, version: session.version, seal, isThere })
  }

  /**
   * Archives the imported documents of a tenant that are not yet. What is wrong with one is in the answer, and the others go
   * on. Throws UnavailableError where the archive does not answer.
   */
  async archiveFiles(tenantId: number, { isOver = () => false, turn }: FilesOptions = {}): Promise<FilesArchived> {
    const problems: FileProblem[] = []
    let archived = 0
    let after: string | undefined
    do {
      const files = await readUnarchivedFiles(this.#dependencies.database, tenantId, { after, limit: filesAtOnce })
      if (files.some(({ content }) => content?.seal !== undefined))
        await archiveKeysOf(this.#dependencies, { tenantId })
      // There are many, as after an import.
      if (files.length === filesAtOnce) await turn?.()
      if (isOver()) break
      for (const file of files) {
        const problem = await this.#archiveFile(tenantId, file)
        if (problem === undefined) archived += file.content?.file.document === wholeFile ? 0 : 1
        else problems.push({ id: file.id, path: file.path, problem })
      }
      after = files.at(-1)?.id
    } while (after !== undefined && !isOver())
    return { archived, problems }
  }

  /** What is wrong with it; undefined where it is archived. */
  async #archiveFile(tenantId: number, { id, version, content }: UnarchivedFile): Promise<string | undefined> {
    if (content === undefined) return 'its encrypted layout was altered, or its key is missing'
    const { file, seal } = content
    const isThere = (sql: Transaction) => isFileThere(sql, tenantId, { id, keyVersion: seal?.version ?? 0 })
    try {
      await this.#manifests.write({ kind: 'file', tenantId, id }, { content: { file }, version, seal, isThere })
      return undefined
    } catch (error) {
      if (error instanceof ConflictError || error instanceof DamagedObject) return messageOf(error)
      throw error
    }
  }

  /**
   * The number of the last segment; 0 where there is none. Undefined where one was found that the database did not know of: it is recorded,
   * and the rest begins after it.
   */
  async #writeSegments(
    key: SessionKey,
    session: SessionRecord,
    seal: RowSeal | undefined,
  ): Promise<number | undefined> {
    const { database } = this.#dependencies
    let start = startAfter((await database.run((sql) => readSegments(sql, key))).at(-1), seal)
    let builder = new SegmentBuilder(start)
    const range = { fromSeq: start.firstSeq, toSeq: session.last_seq }
    for await (const rows of pagedMessages(database, key, range)) {
      for (const message of rows.map(archivedMessage)) {
        if (builder.add(message)) continue
        const written = await this.#putSegment(key, session, { start, builder })
        if (written === undefined) return undefined
        start = startAfter(written, seal)
        builder = new SegmentBuilder(start)
        builder.add(message)
      }
    }
    return builder.isEmpty ? start.number - 1 : (await this.#putSegment(key, session, { start, builder }))?.number
  }

  async #putSegment(
    key: SessionKey,
    session: SessionRecord,
    { start, builder }: { readonly start: SegmentStart; readonly builder: SegmentBuilder },
  ): Promise<ArchivedSegment | undefined> {
    const { archive } = this.#dependencies
    const bytes = await builder.toBytes(key, session)
    const segment = builder.describe(key, bytes)
    try {
      await archive.put(segment.location, bytes)
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      await this.#adoptSegment(key, { start, erasures: session.erasures }, error)
      return undefined
    }
    const put = { location: segment.location, bytes }
    await recordObject(this.#dependencies, put, {
      subject: key,
      isThere: (sql) => goesOn(sql, key, { erasures: session.erasures, after: before(start) }),
      write: (sql) => insertSegment(sql, key, segment),
    })
    return segment
  }

  /** Records a segment that is in the archive already, where it holds what the store holds. */
  async #adoptSegment(
    key: SessionKey,
    { start, erasures }: { readonly start: SegmentStart; readonly erasures: number },
    conflict: ConflictError,
  ): Promise<void> {
    const { database, archive } = this.#dependencies
    const location = segmentKey(key, start.number)
    const bytes = await archive.get(location)
    if (bytes === undefined) throw conflict
    const { header, seal } = await decodeSegment(bytes, sealOpener(database)).catch((error: unknown) => {
      throw error instanceof DamagedObject ? unlike(location, error.message, error) : error
    })
    const range = { fromSeq: header.first_seq, toSeq: header.last_seq }
    let chain = start.previousChain
    for await (const rows of pagedMessages(database, key, range))
      chain = chainAfter(chain, rows.map(archivedMessage), seal)
    if (header.first_seq !== start.firstSeq || header.previous_chain !== start.previousChain || header.chain !== chain)
      throw unlike(location, 'it holds other messages than the store', conflict)
    if (seal?.version !== start.seal?.version) throw unlike(location, 'it is under another key', conflict)
    const { number, last_seq: lastSeq } = header
    const known = { number, lastSeq, location, sha256: sha256(bytes).toString('hex'), chain, sizeBytes: bytes.length }
    const found = { location, bytes }
    await recordObject(this.#dependencies, found, {
      subject: key,
      isThere: (sql) => goesOn(sql, key, { erasures, after: before(start) }),
      write: (sql) => insertSegment(sql, key, { ...known, firstSeq: start.firstSeq }),
    })
  }
}

function startAfter(last: ArchivedSegment | undefined, seal: RowSeal | undefined): SegmentStart {
  return last === undefined
    ? { number: 1, firstSeq: 1, previousChain: chainStart, seal }
    : { number: last.number + 1, firstSeq: last.lastSeq + 1, previousChain: last.chain, seal }
}

/** The segment before one that begins there. */
function before({ number, previousChain }: SegmentStart): Pick<ArchivedSegment, 'number' | 'chain'> | undefined {
  return number === 1 ? undefined : { number: number - 1, chain: previousChain }
}

function segmentEntry(segment: ArchivedSegment): SessionManifest['segments'][number] {
  const { number, firstSeq, lastSeq, location, sha256: digest, chain, sizeBytes } = segment
  return { number, first_seq: firstSeq, last_seq: lastSeq, location, size_bytes: sizeBytes, sha256: digest, chain }
}

function unlike(location: string, why: string, cause: unknown): ConflictError {
  return new ConflictError(`Cannot archive into "${location}" as ${why}`, {
    remedy:
      'Two stores must not share one archive, nor may a store be older than its archive: see docs/archive.md for what to do',
    cause,
  })
}
