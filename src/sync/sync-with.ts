import { messageOf } from '../errors.ts'
import { notePeer, noteSynced, noteUnreached, readSynced } from '../store/sync/sync-peers.ts'
import { HttpPeer } from './http-peer.ts'
import { LocalPeer } from './local-peer.ts'
import type { LocalStore } from './local-store.ts'
import type { SyncReport } from './report.ts'
import { runSync, type SyncMemory } from './run-sync.ts'

export interface OtherStore {
  /** Of its server, as in https://memory.example.com. */
  readonly url: string
  readonly token: string | undefined
}

/** Exchanges the history of this store and of one elsewhere, and keeps how that ended. Throws as `runSync` does. */
export async function syncWith(
  store: LocalStore,
  { url, token }: OtherStore,
  onMessages?: (count: number) => void,
): Promise<SyncReport> {
  const { database, caller } = store
  const { tenantId } = caller
  const theirs = new HttpPeer(url, token)
  const id = await idOf(theirs, (error) =>
    database.run((sql) => noteUnreached(sql, tenantId, { url, error: messageOf(error) })),
  )
  const memoryOf = (peerId: string): SyncMemory => ({
    read: (sessionIds) => database.run((sql) => readSynced(sql, tenantId, { peerId, sessionIds })),
    note: (state) => database.run((sql) => noteSynced(sql, tenantId, { peerId, state })),
  })
  try {
    const report = await runSync({ ours: new LocalPeer(store), theirs, url, memoryOf, onMessages })
    await database.run((sql) => notePeer(sql, tenantId, { id, url, error: undefined }))
    return report
  } catch (error) {
    await database.run((sql) => notePeer(sql, tenantId, { id, url, error: messageOf(error) }))
    throw error
  }
}

async function idOf(peer: HttpPeer, note: (error: unknown) => Promise<unknown>): Promise<string> {
  try {
    return (await peer.ask('identity', {})).answer.store_id
  } catch (error) {
    await note(error)
    throw error
  }
}
