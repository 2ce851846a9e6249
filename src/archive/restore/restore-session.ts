import type { RowSeal } from '../../crypto/row-seal.ts'
import { codeOf } from '../../errors.ts'
import { sha256 } from '../../model/messages/payload.ts'
import { keepClosed } from '../../store/access/session-access.ts'
import { insertSegment, saveManifest, type ArchivedSegment } from '../../store/archive/archive-state.ts'
import { insertArchivedMessages } from '../../store/archive/archived-messages.ts'
import { insertSessionRecord, type SessionRecord, type SummaryRecord } from '../../store/archive/archived-session.ts'
import { eraseAgain } from '../../store/erasure/erasure-work.ts'
import { erasuresOfIds } from '../../store/erasure/known-tombstones.ts'
import type { SessionKey } from '../../store/messages.ts'
import { sessionVersions } from '../../store/sessions.ts'
import { inTransaction } from '../../store/transaction.ts'
import { addOutbox } from '../../store/work/add-work.ts'
import { indexTopic } from '../../store/work/outbox.ts'
import type { ArchiveDependencies } from '../archive-dependencies.ts'
import { restoreKeys } from '../archive-keys.ts'
import { digestOf, type OpenSeal } from '../archive-object.ts'
import { decodeManifest, manifestKey, sessionManifestSchema, type SessionManifest } from '../manifest.ts'
import { payloadProblem } from '../payload-problem.ts'
import { readObject } from '../read-object.ts'
import { sealOpener } from '../seal-opener.ts'
import { chainStart, decodeSegment, segmentKey, type Segment } from '../segment.ts'
import type { ArchivedSubject } from './archived-subjects.ts'
import { factRestorer } from './restore-facts.ts'
import type { RestoreTally } from './restore-report.ts'
import { ReturnedMessages } from './returned-messages.ts'

interface ReadManifest {
  readonly number: number
  readonly content: SessionManifest
  readonly sha256: Buffer
  readonly contentSha256: Buffer
  readonly seal: RowSeal | undefined
}

/** Restores one session; see `restore`. Its row comes last, so that nobody sees half of it. */
export class SessionRestore {
  readonly #dependencies: ArchiveDependencies
  readonly #subject: ArchivedSubject
  readonly #tally: RestoreTally
  readonly #key: SessionKey
  readonly #openSeal: OpenSeal
  /** The segments as far as they are known, and the newest state of the session among them. */
  readonly #segments = new Map<number, ArchivedSegment>()
  #head: { readonly record: SessionRecord; readonly seal: RowSeal | undefined } | undefined
  /** What the archive still has although it was erased or anonymised. */
  readonly #returned: ReturnedMessages

  constructor(dependencies: ArchiveDependencies, options: { subject: ArchivedSubject; tally: RestoreTally }) {
    this.#dependencies = dependencies
    this.#subject = options.subject
    this.#openSeal = sealOpener(dependencies.database)
    this.#tally = options.tally
    this.#key = { tenantId: options.subject.tenantId, sessionId: options.subject.id }
    this.#returned = new ReturnedMessages(dependencies, this.#key)
  }

  async run(): Promise<void> {
    const { database } = this.#dependencies
    const { tenantId, id } = this.#subject
    const { counts } = this.#tally
    if ((await database.run((sql) => sessionVersions(sql, { tenantId }, [id]))).size > 0) {
      counts.already_there++
      return
    }
    const erased = { kind: 'session', ids: [id] } as const
    if ((await database.run((sql) => erasuresOfIds(sql, tenantId, erased))).size > 0) {
      counts.erased++
      return
    }
    // Not before: the keys of what was erased are not to come back.
    await restoreKeys(this.#dependencies, { tenantId, sessionId: id })
    const manifest = await this.#newestManifest()
    this.#head = manifest === undefined ? undefined : { record: manifest.content.session, seal: manifest.seal }
    for (const segment of manifest?.content.segments ?? [])
      this.#segments.set(segment.number, {
        number: segment.number,
        firstSeq: segment.first_seq,
        lastSeq: segment.last_seq,
        location: segment.location,
        sha256: segment.sha256,
        chain: segment.chain,
        sizeBytes: segment.size_bytes,
      })
    await this.#restoreSegments()
    const head = this.#head
    if (head === undefined) return this.#problem({ problem: 'nothing of it can be read' })
    for (const gap of this.#gaps(head.record.last_seq)) this.#problem({ problem: `messages ${gap} are in no segment` })
    await this.#insert(head, manifest)
  }

  /** Stretches of messages that no segment holds, as far as segments are known. */
  #gaps(lastSeq: number): string[] {
    const gaps: string[] = []
    let next = 1
    const known = [...this.#segments.values()].toSorted((a, b) => a.number - b.number)
    for (const { firstSeq, lastSeq: last } of known) {
      if (firstSeq > next) gaps.push(`${next} to ${firstSeq - 1}`)
      next = Math.max(next, last + 1)
    }
    if (next <= lastSeq) gaps.push(`${next} to ${lastSeq}`)
    return gaps
  }

  #problem(problem: { readonly object?: string; readonly problem: string }): void {
    this.#tally.problem({ session_id: this.#subject.id, ...problem })
  }

  async #newestManifest(): Promise<ReadManifest | undefined> {
    for (const number of this.#subject.manifests.toReversed()) {
      const object = manifestKey(this.#subject, number)
      const read = await readObject(this.#dependencies.archive, object, async (bytes) => {
        const { body, seal } = await decodeManifest(this.#subject, bytes, this.#openSeal)
        return { body, seal, content: sessionManifestSchema.parse(JSON.parse(body.toString('utf8'))) }
      })
      if ('value' in read) {
        const { body, seal, content } = read.value
        return { number, content, seal, sha256: sha256(read.bytes), contentSha256: digestOf(body, seal) }
      }
      this.#problem({ object, problem: `${read.problem}; an older manifest or the segments are taken in its place` })
    }
    if (this.#subject.manifests.length === 0)
      this.#problem({ problem: 'its manifest is missing; what its segments say is taken in its place' })
    return undefined
  }

  /**
   * Those that the manifest names, and those that were written after it. Once more those that a restore which was interrupted has read:
   * their messages stay as they are, but it has to be known again what of them has come back.
   */
  async #restoreSegments(): Promise<void> {
    const numbers = new Set([...this.#segments.keys(), ...this.#subject.segments])
    for (const number of [...numbers].toSorted((a, b) => a - b)) {
      const object = segmentKey(this.#key, number)
      const read = await readObject(this.#dependencies.archive, object, (bytes) => decodeSegment(bytes, this.#openSeal))
      const known = this.#segments.get(number)
      const stretch = known === undefined ? '' : `: messages ${known.firstSeq} to ${known.lastSeq} are lost`
      if ('problem' in read) {
        this.#problem({ object, problem: `${read.problem}${stretch}` })
        continue
      }
      const unfit = this.#unfitness(read.value, number)
      if (unfit !== undefined) {
        this.#problem({ object, problem: `${unfit}${stretch}` })
        continue
      }
      await this.#restoreSegment(read.value, read.bytes)
    }
  }

  /** Why a segment that is whole in itself is not the one that belongs here. */
  #unfitness({ header }: Segment, number: number): string | undefined {
    if (header.tenant !== this.#key.tenantId || header.session !== this.#key.sessionId || header.number !== number)
      return 'it is a segment of another place'
    const known = this.#segments.get(number)
    if (known !== undefined && known.chain !== header.chain)
      return 'its hash chain is not the one that the manifest names'
    const before = this.#segments.get(number - 1)
    const expected = number === 1 ? chainStart : before?.chain
    if (expected !== undefined && expected !== header.previous_chain)
      return 'its hash chain does not go on from the segment before it'
    return undefined
  }

  async #restoreSegment({ header, messages, session, seal }: Segment, bytes: Uint8Array): Promise<void> {
    const { number } = header
    const segment: ArchivedSegment = {
      number,
      firstSeq: header.first_seq,
      lastSeq: header.last_seq,
      location: segmentKey(this.#key, number),
      sha256: sha256(bytes).toString('hex'),
      chain: header.chain,
      sizeBytes: bytes.length,
    }
    const participants = [...session.participants, ...(this.#head?.record.participants ?? [])]
    const left = await this.#returned.withoutThem(messages, { seal, session: { ...session, participants } })
    for (const message of left) {
      const problem = await payloadProblem(this.#dependencies.archive, message, seal)
      if (problem !== undefined) this.#problem(problem)
    }
    await this.#dependencies.database.run((sql) =>
      inTransaction(sql, async (transaction) => {
        await insertArchivedMessages(transaction, this.#key, { messages: left, seal })
        await insertSegment(transaction, this.#key, segment)
      }),
    )
    this.#segments.set(number, segment)
    if (this.#head === undefined || session.version > this.#head.record.version) this.#head = { record: session, seal }
    this.#tally.counts.segments++
    const places = left.filter(({ record }) => record.kind === 'erased').length
    this.#tally.counts.places += places
    this.#tally.counts.messages += left.length - places
  }

  async #insert(
    { record: head, seal }: { record: SessionRecord; seal: RowSeal | undefined },
    manifest: ReadManifest | undefined,
  ): Promise<void> {
    const { database } = this.#dependencies
    const { tenantId, id: subjectId, manifests } = this.#subject
    // Title, summaries and facts may quote what was erased.
    const hasReturned = this.#returned.count > 0
    this.#tally.counts.erased += this.#returned.count
    this.#tally.counts.emptied += this.#returned.emptied
    const without = {
      title: null,
      metadata: null,
      participants: [],
      models_used: [],
      tags: await this.#returned.tagsOf(head),
    }
    const session = hasReturned ? { ...head, ...without } : head
    const summaries: readonly SummaryRecord[] = hasReturned ? [] : (manifest?.content.summaries ?? [])
    const facts = hasReturned ? [] : (manifest?.content.facts ?? [])
    const restoreFacts = await factRestorer(database, this.#key, { facts, seal, metadata: session.metadata })
    const isNewest = manifest !== undefined && manifest.number === manifests.at(-1) && manifest.content.session === head
    try {
      await database.run((sql) =>
        inTransaction(sql, async (transaction) => {
          await insertSessionRecord(transaction, tenantId, { session, summaries, seal })
          await restoreFacts(transaction)
          if (manifest?.content.shared === true) await keepClosed(transaction, this.#key)
          // Lost ones too: what is archived next has the numbers after theirs.
          for (const segment of this.#segments.values()) await insertSegment(transaction, this.#key, segment)
          if (isNewest)
            await saveManifest(transaction, tenantId, {
              kind: 'session',
              subjectId,
              number: manifest.number,
              version: head.version,
              location: manifestKey(this.#subject, manifest.number),
              sha256: manifest.sha256,
              contentSha256: manifest.contentSha256,
            })
          for (const work of this.#returned.work()) await eraseAgain(transaction, this.#key, work)
          if (head.last_seq > 0)
            await addOutbox(transaction, indexTopic, [
              { tenantId, sessionId: subjectId, firstSeq: 1, lastSeq: head.last_seq },
            ])
        }),
      )
      this.#tally.counts.sessions++
    } catch (error) {
      if (codeOf(error) !== '23505') throw error
      this.#problem({ problem: 'another session of its source has its id already' })
    }
  }
}
