import type { RowSeal } from '../../crypto/row-seal.ts'
import { namesPart } from '../../model/messages/tombstone.ts'
import { emptied, type ArchivedMessage, type MessageRecord } from '../../store/archive/archived-messages.ts'
import type { SessionRecord } from '../../store/archive/archived-session.ts'
import type { Returned } from '../../store/erasure/erasure-work.ts'
import { erasuresOfIds } from '../../store/erasure/known-tombstones.ts'
import type { SessionKey } from '../../store/messages.ts'
import type { ArchiveDependencies } from '../archive-dependencies.ts'
import { anonymisedAgain } from './anonymised-again.ts'

interface ByErasure {
  readonly seqs: number[]
  readonly payloads: string[]
}

/** The messages of a session that an archive has as they were, although they were erased or anonymised since. */
export class ReturnedMessages {
  readonly #dependencies: Pick<ArchiveDependencies, 'archive' | 'database'>
  readonly #key: SessionKey
  /** By the erasure. */
  readonly #erased = new Map<string, ByErasure>()
  readonly #anonymised = new Map<string, ByErasure>()
  count = 0
  /** Those of which nothing is left, as names were replaced in them that rules do not find. */
  emptied = 0

  constructor(dependencies: Pick<ArchiveDependencies, 'archive' | 'database'>, key: SessionKey) {
    this.#dependencies = dependencies
    this.#key = key
  }

  /**
   * Messages as they are to be restored: of those that were erased their places, those that were anonymised without personal data. Where names
   * were replaced that a model had found, the places of these too: nobody knows the names any more.
   */
  async withoutThem(
    messages: readonly ArchivedMessage[],
    of: { readonly session: SessionRecord; readonly seal: RowSeal | undefined },
  ): Promise<readonly ArchivedMessage[]> {
    const { archive, database } = this.#dependencies
    const { tenantId, sessionId } = this.#key
    const ids = messages.map(({ record }) => record.id)
    const [erased, anonymised, named] = await database.run(async (sql) => [
      await erasuresOfIds(sql, tenantId, { kind: 'message', ids }),
      await erasuresOfIds(sql, tenantId, { kind: 'anonymised', ids }),
      await erasuresOfIds(sql, tenantId, { kind: 'part', ids: [namesPart(sessionId)] }),
    ])
    if (erased.size === 0 && anonymised.size === 0) return messages
    // A session names no more than a thousand.
    const names = [...new Set([...of.session.participants, ...messages.map(({ record }) => record.sender)])]
    const writer = { archive, seal: of.seal, session: { ...of.session, participants: names } }
    const left: ArchivedMessage[] = []
    for (const message of messages) {
      const { record } = message
      const erasure = erased.get(record.id)
      const anonymisation = record.anonymized_at === undefined ? anonymised.get(record.id) : undefined
      if (erasure !== undefined) {
        if (record.kind !== 'erased') this.#note(this.#erased, erasure, record)
        left.push(emptied(message))
      } else if (anonymisation !== undefined && record.kind !== 'erased') {
        this.#note(this.#anonymised, anonymisation, record)
        if (named.size > 0) this.emptied++
        left.push(named.size > 0 ? emptied(message) : await anonymisedAgain(writer, message))
      } else left.push(message)
    }
    return left
  }

  /** The tags of their session, which may name whom messages named that were anonymised. */
  async tagsOf({ source, participants, models_used: modelsUsed, tags }: SessionRecord): Promise<string[]> {
    if (this.#anonymised.size === 0 || tags.length === 0) return tags
    if (this.emptied > 0) return []
    const { Anonymiser } = await import('../../sessions/anonymiser.ts')
    return [
      ...(await new Anonymiser({ source, participants, modelsUsed }).session({ title: null, metadata: null, tags }))
        .tags,
    ]
  }

  /** What is left to do about them: what was made of them, and what the archive has of the session, are to go. */
  *work(): Generator<Returned> {
    for (const [erasureId, work] of this.#erased) yield { erasureId, ...work }
    for (const [erasureId, work] of this.#anonymised) yield { erasureId, ...work, anonymise: {} }
  }

  #note(to: Map<string, ByErasure>, erasureId: string, { seq, payload_location: location }: MessageRecord): void {
    const known = to.get(erasureId) ?? { seqs: [], payloads: [] }
    to.set(erasureId, known)
    known.seqs.push(seq)
    if (location !== undefined) known.payloads.push(location)
    this.count++
  }
}
