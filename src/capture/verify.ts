import { UnavailableError } from '../errors.ts'
import type { Caller } from '../model/access.ts'
import { listImportFiles, type ImportFileRow } from '../store/imports/import-files.ts'
import { damagedFacts } from '../store/learning/read-facts.ts'
import type { MessageRow } from '../store/messages.ts'
import { pagedMessages } from '../store/page-messages.ts'
import { sessionExtents, type SessionExtent } from '../store/session-ids.ts'
import { sessionsById } from '../store/sessions.ts'
import { damagedSummaries } from '../store/summaries/summaries.ts'
import { documentBytes } from './documents/export-original.ts'
import type { ImportDependencies } from './documents/imported-sessions.ts'
import { loadPayload } from './large-payload.ts'
import { RecordProofs, type RecordProof } from './record-proof.ts'

export interface VerifyProblem {
  readonly session_id?: string
  readonly message_id?: string
  readonly file?: string
  readonly problem: string
}

export interface VerifyReport {
  readonly sessions: number
  readonly messages: number
  readonly bytes: number
  /** Messages of which the content alone is proven, as no digest of what stands beside it was taken. */
  readonly contents_only: number
  /** Imported documents: a file, or each session of a database that holds several. */
  readonly files: number
  /** All of them; `problems` holds the first 1,000. */
  readonly problem_count: number
  readonly problems: readonly VerifyProblem[]
}

const pageSessions = 100
/** Few: a row holds the layout of its document. */
const pageFiles = 10

/** Every problem beyond this is only counted. */
const problemsMax = 1_000

/** Proves that the store gives back what went in; see `verify`. */
class Verification {
  readonly #dependencies: ImportDependencies
  readonly #tenantId: number
  readonly #proofs: RecordProofs
  #sessions = 0
  #messages = 0
  #bytes = 0
  #files = 0
  #contentsOnly = 0
  #problemCount = 0
  readonly #problems: VerifyProblem[] = []

  constructor(dependencies: ImportDependencies, tenantId: number) {
    this.#dependencies = dependencies
    this.#tenantId = tenantId
    this.#proofs = new RecordProofs(dependencies.database, tenantId)
  }

  async run(onProgress: (messages: number) => void): Promise<VerifyReport> {
    for await (const session of this.#allSessions()) {
      await this.#checkSession(session)
      this.#sessions++
      onProgress(this.#messages)
    }
    for await (const file of this.#allFiles()) {
      await this.#checkFile(file)
      this.#files++
    }
    return {
      sessions: this.#sessions,
      messages: this.#messages,
      bytes: this.#bytes,
      contents_only: this.#contentsOnly,
      files: this.#files,
      problem_count: this.#problemCount,
      problems: this.#problems,
    }
  }

  #report(problem: VerifyProblem): void {
    this.#problemCount++
    if (this.#problems.length < problemsMax) this.#problems.push(problem)
  }

  async *#allSessions(): AsyncIterable<SessionExtent> {
    let after: string | undefined
    for (;;) {
      const rows = await this.#dependencies.database.run((sql) =>
        sessionExtents(sql, this.#tenantId, { after, limit: pageSessions }),
      )
      await this.#checkHeads(rows)
      yield* rows
      const last = rows.at(-1)
      if (last === undefined) return
      after = last.id
    }
  }

  /** What is private of sessions beside their messages: titles, metadata, summaries, facts. */
  async #checkHeads(extents: readonly SessionExtent[]): Promise<void> {
    const { database } = this.#dependencies
    const ids = extents.map(({ id }) => id)
    for (const { id, damage } of await sessionsById(database, this.#tenantId, ids))
      if (damage !== undefined)
        this.#report({ session_id: id, problem: `Cannot read its title and metadata as ${damage}` })
    for (const { id, sessionId, damage } of await damagedSummaries(database, this.#tenantId, ids))
      this.#report({ session_id: sessionId, problem: `Cannot read its summary "${id}" as ${damage}` })
    for (const { id, sessionId, damage } of await damagedFacts(database, this.#tenantId, ids))
      this.#report({ session_id: sessionId, problem: `Cannot read the fact "${id}" as ${damage}` })
  }

  async *#allFiles(): AsyncIterable<ImportFileRow> {
    let after: { path: string; document: string } | undefined
    for (;;) {
      const page = { limit: pageFiles, ...(after === undefined ? {} : { after }) }
      const rows = await listImportFiles(this.#dependencies.database, this.#tenantId, page)
      yield* rows
      const last = rows.at(-1)
      if (last === undefined) return
      after = { path: last.path, document: last.document }
    }
  }

  async #checkSession(session: SessionExtent): Promise<void> {
    const key = { tenantId: this.#tenantId, sessionId: session.id }
    let expectedSeq = 1
    const range = { fromSeq: expectedSeq, toSeq: session.lastSeq }
    for await (const rows of pagedMessages(this.#dependencies.database, key, range)) {
      const proofs = await this.#proofs.of(key, rows)
      for (const row of rows) {
        if (row.seq !== expectedSeq)
          this.#report({ session_id: session.id, problem: `messages ${expectedSeq} to ${row.seq - 1} are missing` })
        expectedSeq = row.seq + 1
        await this.#checkMessage(row, proofs.get(row.id))
      }
    }
    if (expectedSeq !== session.lastSeq + 1)
      this.#report({ session_id: session.id, problem: `messages ${expectedSeq} to ${session.lastSeq} are missing` })
  }

  async #checkMessage(row: MessageRow, proof: RecordProof | undefined): Promise<void> {
    this.#messages++
    this.#bytes += row.payloadBytes
    try {
      await loadPayload(this.#dependencies.archive, row)
      if (proof === 'untaken' && row.kind !== 'erased') this.#contentsOnly++
      if (proof === 'altered')
        this.#report({
          session_id: row.sessionId,
          message_id: row.id,
          problem: 'what is stored beside its content was altered: who said it, when, its metadata, or its place',
        })
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      this.#report({ session_id: row.sessionId, message_id: row.id, problem: error.message })
    }
  }

  async #checkFile(file: ImportFileRow): Promise<void> {
    const name = file.document === '' ? file.path : `${file.path}#${file.document}`
    try {
      const pieces = documentBytes(this.#dependencies, { tenantId: this.#tenantId }, file)[Symbol.asyncIterator]()
      while ((await pieces.next()).done !== true);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      this.#report({ file: name, problem: error.message })
    }
  }
}

/**
 * Reads everything that is stored and proves that it is what went in: the SHA-256 of every message, and of what stands beside its
 * content the digest that the index worker took, no gap in any session, and every imported file put together again with its SHA-256.
 */
export async function verify(
  dependencies: ImportDependencies,
  caller: Caller,
  onProgress: (messages: number) => void,
): Promise<VerifyReport> {
  return new Verification(dependencies, caller.tenantId).run(onProgress)
}
