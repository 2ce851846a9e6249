import { tombstoneRecord } from '../archive/restore/archived-tombstones.ts'
import { readGrants } from '../store/access/session-access.ts'
import { readSessionRecord } from '../store/archive/archived-session.ts'
import { sessionMarks } from '../store/copy/sessions-there.ts'
import { erasuresOfIds } from '../store/erasure/known-tombstones.ts'
import type { SessionKey } from '../store/messages.ts'
import { isErasedByName } from '../store/sync/erased-names.ts'
import { readMarks } from '../store/sync/lineage.ts'
import type { SyncedMessage } from '../store/sync/place-messages.ts'
import { countErasing, sharedErasures } from '../store/sync/shared-erasures.ts'
import { ownStoreId } from '../store/sync/sync-peers.ts'
import { isLinear } from '../store/sync/synced-session.ts'
import { inTransaction } from '../store/transaction.ts'
import { addEdits, readEdits } from './local-edits.ts'
import type { LocalStore } from './local-store.ts'
import { digestOf, marksAtOnce, type MessageMark } from './marks.ts'
import { syncVersion, type Answer, type Answered, type Asked, type Peer, type Question } from './peer.ts'
import { readForOther } from './read-messages.ts'
import { recount } from './recount.ts'
import { storeFromOther } from './store-messages.ts'

const sessionsAtOnce = 1_000

type Handlers = {
  readonly [Q in Question]: (asked: Asked<Q>, messages: readonly SyncedMessage[]) => Promise<Answer<Q>>
}

/** This store, as one of two that exchange their history. */
export class LocalPeer implements Peer {
  readonly #store: LocalStore
  readonly #handlers: Handlers

  constructor(store: LocalStore) {
    this.#store = store
    const { tenantId, call } = store.caller
    this.#handlers = {
      identity: async () => ({
        answer: { sync: syncVersion, store_id: await this.#storeId(), version: store.version },
      }),
      erasures: async () => ({
        answer: { erasures: await store.database.run((sql) => sharedErasures(sql, tenantId)) },
      }),
      erasure: async ({ id }) => ({
        answer: await store.database.run((sql) => tombstoneRecord(sql, { tenantId, id })),
      }),
      learn: async ({ erasures }) => {
        await store.erasures.asElsewhere(store.caller, erasures)
        return { answer: {} }
      },
      sessions: async ({ after }) => ({ answer: await this.#sessions(after) }),
      session: async ({ session, named }) => ({ answer: await this.#session(this.#key(session), named) }),
      digests: async ({ session, from }) => ({ answer: { digests: await this.#digests(this.#key(session), from) } }),
      marks: async ({ session, from }) => ({
        answer: { marks: await this.#withOpenPlaces(await this.#marks(this.#key(session), from)) },
      }),
      read: async ({ session, from, to }) => {
        const messages = await readForOther(store, this.#key(session), { fromSeq: from, toSeq: to })
        call?.show(
          session,
          messages.map(({ record }) => record.seq),
        )
        return { answer: {}, messages }
      },
      write: async (asked, messages) => ({ answer: await storeFromOther(store, asked, messages) }),
      recount: async ({ session }) => {
        await recount(store, this.#key(session))
        return { answer: {} }
      },
      edits: async ({ session }) => {
        call?.show(session)
        return { answer: await readEdits(store, this.#key(session), await this.#storeId()) }
      },
      edit: async ({ session, edits }) => ({
        answer: { changed: await addEdits(store, this.#key(session), { edits, storeId: await this.#storeId() }) },
      }),
    }
  }

  ask<Q extends Question>(question: Q, asked: Asked<Q>, messages: readonly SyncedMessage[] = []): Promise<Answer<Q>> {
    return this.#handlers[question](asked, messages)
  }

  #key(sessionId: string): SessionKey {
    return { tenantId: this.#store.caller.tenantId, sessionId }
  }

  async #storeId(): Promise<string> {
    const { database, caller } = this.#store
    return await database.run((sql) => inTransaction(sql, (transaction) => ownStoreId(transaction, caller.tenantId)))
  }

  async #sessions(after: string | undefined): Promise<Answered<'sessions'>> {
    const { database, caller } = this.#store
    const page = { after, limit: sessionsAtOnce }
    const sessions = await database.run((sql) => sessionMarks(sql, caller.tenantId, page))
    return {
      sessions: sessions.map(({ id, version }) => ({ id, version })),
      is_last: sessions.length < sessionsAtOnce,
    }
  }

  async #session(key: SessionKey, named: Asked<'session'>['named']): Promise<Answered<'session'>> {
    const { database } = this.#store
    const { tenantId, sessionId } = key
    const record = await readSessionRecord(database, key, 'sync')
    return await database.run(async (sql) => ({
      is_erased:
        (await erasuresOfIds(sql, tenantId, { kind: 'session', ids: [sessionId] })).size > 0 ||
        (record === undefined &&
          named !== undefined &&
          (await isErasedByName(sql, tenantId, { ...named, id: sessionId }))),
      is_erasing: (await countErasing(sql, tenantId, sessionId)) > 0,
      ...(record === undefined ? {} : { record: { ...record, title: null, metadata: null, tags: [] } }),
      is_linear: await isLinear(sql, key),
      is_closed: (await readGrants(sql, tenantId, sessionId)).length > 0,
    }))
  }

  async #marks(key: SessionKey, from: number): Promise<MessageMark[]> {
    return await readMarks(this.#store.database, key, { fromSeq: from, limit: marksAtOnce })
  }

  async #withOpenPlaces(marks: readonly MessageMark[]): Promise<MessageMark[]> {
    const { database, caller } = this.#store
    const ids = marks.filter(({ content }) => content === 'erased').map(({ id }) => id)
    if (ids.length === 0) return [...marks]
    const erased = await database.run((sql) => erasuresOfIds(sql, caller.tenantId, { kind: 'message', ids }))
    return marks.map((mark) => (mark.content === 'erased' ? { ...mark, isOpen: !erased.has(mark.id) } : mark))
  }

  async #digests(key: SessionKey, from: number): Promise<string[]> {
    const digests: string[] = []
    for (let next = from; ; next += marksAtOnce) {
      const marks = await this.#marks(key, next)
      if (marks.length > 0) digests.push(digestOf(marks))
      if (marks.length < marksAtOnce) return digests
    }
  }
}
