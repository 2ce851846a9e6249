import type { Caller } from '../model/access.ts'
import {
  listManifests,
  readSegments,
  type ArchivedManifest,
  type ArchivedSegment,
} from '../store/archive/archive-state.ts'
import { readHeads, type SessionKey } from '../store/messages.ts'
import type { ArchiveDependencies } from './archive-dependencies.ts'
import { digestOf, type OpenSeal } from './archive-object.ts'
import { decodeManifest } from './manifest.ts'
import { readObject } from './read-object.ts'
import { sealOpener } from './seal-opener.ts'
import { chainStart, decodeSegment, type Segment } from './segment.ts'

export interface ArchiveProblem {
  readonly session_id?: string
  readonly object: string
  readonly problem: string
}

export interface ArchiveReport {
  readonly segments: number
  readonly manifests: number
  /** All of them; `problems` holds the first 1,000. */
  readonly problem_count: number
  readonly problems: readonly ArchiveProblem[]
}

const pageManifests = 100
/** Every problem beyond this is only counted. */
const problemsMax = 1_000

/**
 * Reads the archive and proves that it holds what the store holds: every manifest and every segment with its digest, the
 * chain of each session from its first message on, and each message with the number, the id and the SHA-256 of the store's.
 * What is not archived yet is no problem.
 */
export async function verifyArchive(
  dependencies: Pick<ArchiveDependencies, 'database' | 'archive'>,
  caller: Caller,
): Promise<ArchiveReport> {
  const verification = new ArchiveVerification(dependencies, caller.tenantId)
  await verification.run()
  return verification.report
}

class ArchiveVerification {
  readonly #dependencies: Pick<ArchiveDependencies, 'database' | 'archive'>
  readonly #tenantId: number
  readonly #openSeal: OpenSeal
  #segments = 0
  #manifests = 0
  #problemCount = 0
  readonly #problems: ArchiveProblem[] = []

  constructor(dependencies: Pick<ArchiveDependencies, 'database' | 'archive'>, tenantId: number) {
    this.#dependencies = dependencies
    this.#tenantId = tenantId
    this.#openSeal = sealOpener(dependencies.database)
  }

  get report(): ArchiveReport {
    const problems = this.#problems
    return { segments: this.#segments, manifests: this.#manifests, problem_count: this.#problemCount, problems }
  }

  async run(): Promise<void> {
    let after: ArchivedManifest | undefined
    for (;;) {
      const page = { after, limit: pageManifests }
      const manifests = await this.#dependencies.database.run((sql) => listManifests(sql, this.#tenantId, page))
      for (const manifest of manifests) {
        await this.#checkManifest(manifest)
        if (manifest.kind === 'session') await this.#checkSession(manifest.subjectId)
      }
      after = manifests.at(-1)
      if (after === undefined) return
    }
  }

  #report(problem: ArchiveProblem): void {
    this.#problemCount++
    if (this.#problems.length < problemsMax) this.#problems.push(problem)
  }

  async #checkManifest({ kind, subjectId, location, contentSha256 }: ArchivedManifest): Promise<void> {
    this.#manifests++
    const subject = { kind, tenantId: this.#tenantId, id: subjectId }
    const read = await readObject(this.#dependencies.archive, location, (bytes) =>
      decodeManifest(subject, bytes, this.#openSeal),
    )
    const session = kind === 'session' ? { session_id: subjectId } : {}
    if ('problem' in read) this.#report({ ...session, object: location, problem: read.problem })
    else if (!digestOf(read.value.body, read.value.seal).equals(contentSha256))
      this.#report({ ...session, object: location, problem: 'it says something else than what was archived' })
  }

  async #checkSession(sessionId: string): Promise<void> {
    const key = { tenantId: this.#tenantId, sessionId }
    let previous = chainStart
    for (const segment of await this.#dependencies.database.run((sql) => readSegments(sql, key))) {
      this.#segments++
      const read = await readObject(this.#dependencies.archive, segment.location, (bytes) =>
        decodeSegment(bytes, this.#openSeal),
      )
      const problem =
        'problem' in read ? read.problem : await this.#differenceOf(key, { segment, previous, read: read.value })
      if (problem !== undefined) this.#report({ session_id: sessionId, object: segment.location, problem })
      previous = segment.chain
    }
  }

  async #differenceOf(
    key: SessionKey,
    { segment, previous, read }: { segment: ArchivedSegment; previous: string; read: Segment },
  ): Promise<string | undefined> {
    if (read.header.chain !== segment.chain || read.header.previous_chain !== previous)
      return 'its hash chain does not match'
    const { firstSeq: fromSeq, lastSeq: toSeq } = segment
    const range = { fromSeq, toSeq, limit: read.messages.length + 1 }
    const heads = await readHeads(this.#dependencies.database, key, range)
    const stored = new Map(heads.map((head) => [head.seq, head]))
    for (const { record } of read.messages) {
      const head = stored.get(record.seq)
      if (head?.id !== record.id || Buffer.from(head.payloadSha256).toString('hex') !== record.payload_sha256)
        return `message ${record.seq} is not the one that the store holds`
    }
    return heads.length === read.messages.length ? undefined : 'it holds fewer messages than the store'
  }
}
