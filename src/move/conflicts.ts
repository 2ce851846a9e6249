import { ConflictError } from '../errors.ts'
import type { ErasedThere } from '../store/copy/erased-there.ts'
import { messageMarks, sessionMarks, sessionsLike, type SessionMark } from '../store/copy/sessions-there.ts'
import type { Database } from '../store/database.ts'
import { hasSessions, readTenantKeys } from '../store/keys/encryption-keys.ts'
import { readEncryptionState } from '../store/keys/encryption-state.ts'

export interface Stores {
  readonly source: Database
  readonly target: Database
  readonly tenantId: number
}

const pageSessions = 200
const pageMessages = 5_000
const namedMax = 5

/**
 * Throws ConflictError, before anything is written, where a session of the source is at the target with other content: under
 * another id, or with another message at a number. What is there of an earlier run is no contradiction.
 */
export async function refuseConflicts(stores: Stores, erasedThere: ErasedThere): Promise<void> {
  await refuseOtherKeys(stores)
  await refuseConversion(stores)
  const conflicts: string[] = []
  let after: string | undefined
  for (;;) {
    const page = { after, limit: pageSessions }
    const sessions = await stores.source.run((sql) => sessionMarks(sql, stores.tenantId, page))
    const there = await stores.target.run((sql) => sessionsLike(sql, stores.tenantId, sessions))
    for (const session of sessions) {
      if (erasedThere.whole.has(session.id)) continue
      const reason = await conflictOf({ ...stores, erasedThere }, session, there)
      if (reason !== undefined) conflicts.push(`session "${session.externalId ?? session.id}" (${reason})`)
    }
    after = sessions.at(-1)?.id
    if (sessions.length < pageSessions) break
  }
  if (conflicts.length === 0) return await refuseOpenWords(stores)
  const named = conflicts.slice(0, namedMax).join('; ')
  const rest = conflicts.length > namedMax ? `; and ${conflicts.length - namedMax} more` : ''
  throw new ConflictError(
    `Cannot move this store as ${conflicts.length} of its sessions are at the target with other content: ${named}${rest}`,
    { remedy: 'Nothing was moved. Choose a target without them: an empty database say' },
  )
}

/** Keys are moved as they are: where the target has others, what comes with them could not be opened there. */
async function refuseOtherKeys({ source, target, tenantId }: Stores): Promise<void> {
  const [ours, theirs] = await Promise.all(
    [source, target].map((store) => store.run((sql) => readTenantKeys(sql, tenantId, 'tenant'))),
  )
  const known = new Set(theirs?.map(({ id }) => id))
  if (ours === undefined || ours.length === 0 || known.size === 0 || ours.some(({ id }) => known.has(id))) return
  throw new ConflictError('Cannot move this store as it is encrypted, and the target is encrypted under other keys', {
    remedy: 'Nothing was moved. Choose an empty database as the target: the keys of this store move there with it',
  })
}

/** What is moved must not be half of it encrypted, and half not. */
async function refuseConversion({ source, target, tenantId }: Stores): Promise<void> {
  for (const store of [source, target]) {
    const stored = await store.run((sql) => readEncryptionState(sql, tenantId))
    if (stored?.state !== 'encrypting' && stored?.state !== 'decrypting') continue
    const [which, command] = [store === source ? 'this store' : 'the target', stored.state.replace('ing', '')]
    throw new ConflictError(`Cannot move this store while ${which} is being ${command}ed`, {
      remedy: `Nothing was moved. End that first, with its settings: verbatim keys ${command}`,
    })
  }
}

/**
 * Whether the target has nothing of its own, so that it becomes what the source is: no session, and no key but those that an earlier
 * run has brought. One with keys of its own seals what is saved there, whatever the source does.
 */
export async function isEmptyThere({ source, target, tenantId }: Stores): Promise<boolean> {
  if (await target.run((sql) => hasSessions(sql, tenantId))) return false
  for (const purpose of ['tenant', 'data', 'search'] as const) {
    const [ours, theirs] = await Promise.all(
      [source, target].map((store) => store.run((sql) => readTenantKeys(sql, tenantId, purpose))),
    )
    const known = new Set(ours?.map(({ id }) => id))
    if (theirs?.some(({ id }) => !known.has(id)) === true) return false
  }
  return true
}

/** Where nothing says how the words of a store are hashed its key does: one that comes to it would find none that are there. */
async function refuseOpenWords({ source, target, tenantId }: Stores): Promise<void> {
  const [ours, theirs] = await Promise.all(
    [source, target].map((store) => store.run((sql) => readTenantKeys(sql, tenantId, 'search'))),
  )
  if (ours === undefined || ours.length === 0 || theirs === undefined || theirs.length > 0) return
  const isOpen = await target.run(
    async (sql) => (await readEncryptionState(sql, tenantId)) === undefined && (await hasSessions(sql, tenantId)),
  )
  if (!isOpen) return
  throw new ConflictError('Cannot move this store as it is encrypted, and the target holds sessions that are not', {
    remedy: 'Nothing was moved. Choose an empty database as the target, or run this first here: verbatim keys decrypt',
  })
}

async function conflictOf(
  stores: Stores & { readonly erasedThere: ErasedThere },
  session: SessionMark,
  there: readonly SessionMark[],
): Promise<string | undefined> {
  const same = there.find(({ id }) => id === session.id)
  const twin = there.find(
    ({ id, source, externalId }) =>
      id !== session.id &&
      session.externalId !== null &&
      source === session.source &&
      externalId === session.externalId,
  )
  if (twin !== undefined) return `there it is session ${twin.id}`
  if (same === undefined) return undefined
  const upTo = Math.min(same.lastSeq, session.lastSeq)
  const key = { tenantId: stores.tenantId, sessionId: session.id }
  for (let fromSeq = 1; fromSeq <= upTo; fromSeq += pageMessages) {
    const page = { fromSeq, toSeq: Math.min(upTo, fromSeq + pageMessages - 1) }
    const theirs = await stores.target.run((sql) => messageMarks(sql, key, page))
    if (theirs.size === 0) continue
    const ours = await stores.source.run((sql) => messageMarks(sql, key, page))
    const seqs = [...theirs].filter(([seq, mark]) => ours.has(seq) && ours.get(seq) !== mark).map(([seq]) => seq)
    if (seqs.length > 0) return `message ${Math.min(...seqs)} is another`
  }
  // An erasure is a change as any other: of what it leaves, nothing is replaced by the source's.
  const hasChangedThere = same.version >= session.version && !stores.erasedThere.hasChanged(session.id)
  const wentOnThere = same.lastSeq > session.lastSeq || hasChangedThere
  const wentOnHere = session.lastSeq > same.lastSeq || session.version > same.version
  // A session has one next number: two stores that both gave it have two different messages.
  if (wentOnThere && wentOnHere && same.lastSeq !== session.lastSeq) return 'it went on at both'
  return undefined
}
