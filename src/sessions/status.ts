import type { PlaceCoverage } from '../capture/coverage/place-coverage.ts'
import type { Caller } from '../model/access.ts'
import type { LocalUser } from '../model/local-user.ts'
import type { NamesBy } from '../model/names.ts'
import { archiveBacklog, archiveTopic } from '../store/archive/archive-queue.ts'
import { countUnarchivedFiles } from '../store/archive/archived-files.ts'
import { countFlagged, type FlaggedMessages } from '../store/count-flags.ts'
import { countSources, type StoredSource } from '../store/count-sources.ts'
import { countStore } from '../store/count-store.ts'
import type { Database } from '../store/database.ts'
import { coverageOfStore } from '../store/names/name-coverage.ts'
import { modelReason, namesTopic } from '../store/names/name-work.ts'
import { countEmbedded } from '../store/vectors/embedded-units.ts'
import { readModels } from '../store/vectors/embedding-models.ts'
import { embedTopic, indexTopic, outboxBacklog, waitingReason } from '../store/work/outbox.ts'
import { tokensUsed } from '../store/work/provider-usage.ts'

/** What the store holds and how far its indexes are. */
export interface StoreStatus {
  readonly store: 'embedded' | 'server'
  readonly sessions: number
  readonly messages: number
  readonly payload_bytes: number
  readonly index: { readonly messages_behind: number; readonly failed_for_good: number }
  /** What messages are flagged for, as far as they are indexed. */
  readonly flagged: FlaggedMessages
  readonly semantic_search: SemanticStatus
  readonly archive: ArchiveStatus
  /** How far a model has looked for names; absent where rules alone do. */
  readonly names?: NamesStatus
  /** What is stored of each source. */
  readonly sources: readonly StoredSource[]
  /** What on this machine is not stored, for a client that was started on it: nobody else learns its paths. */
  readonly coverage?: readonly PlaceCoverage[]
}

interface StatusOptions {
  readonly hasEmbedder: boolean
  readonly now: Date
  readonly localUser?: LocalUser | undefined
  readonly namesBy?: NamesBy | undefined
}

/** How far a model has looked for names in messages. */
export interface NamesStatus {
  readonly by: NamesBy
  readonly messages_read: number
  /** Rules alone have looked in these. */
  readonly messages_unread: number
  /** Of those, what the model is not given (restricted, corrected, large) or gave no usable answer for. */
  readonly messages_left_to_rules: number
  /** What waits to be read. */
  readonly messages_waiting: number
  readonly failed_for_good: number
  /** Why work waits, where the model did not answer. */
  readonly waits_for?: string
}

/** How far the archive is behind the store. */
export interface ArchiveStatus {
  /** Sessions whose present state is not archived yet, and how many of their messages are in no segment. */
  readonly sessions_behind: number
  readonly messages_behind: number
  /** Imported documents that are not archived yet. */
  readonly files_behind: number
  readonly failed_for_good: number
  /** Why work waits, where the archive did not answer. */
  readonly waits_for?: string
}

export interface SemanticStatus {
  /** `off` where no embedder is configured, `starting` before its first message. */
  readonly state: 'off' | 'starting' | 'on' | 'behind'
  readonly model?: { readonly provider: string; readonly name: string; readonly dimensions: number }
  /** Messages and parts of long ones that have a vector. */
  readonly vectors: number
  readonly messages_behind: number
  readonly failed_for_good: number
  /** Why work waits, where a provider did not answer. */
  readonly waits_for?: string
  /** Tokens that paid calls used today, in UTC. */
  readonly tokens_today: number
}

export async function storeStatus(database: Database, caller: Caller, options: StatusOptions): Promise<StoreStatus> {
  const counts = await database.run((sql) => countStore(sql, caller))
  const backlog = await database.run((sql) => outboxBacklog(sql, caller.tenantId, { topic: indexTopic }))
  return {
    store: database.kind,
    sessions: counts.sessions,
    messages: counts.messages,
    payload_bytes: counts.payloadBytes,
    index: { messages_behind: backlog.messages, failed_for_good: backlog.dead },
    flagged: await database.run((sql) => countFlagged(sql, caller)),
    semantic_search: await semanticStatus(database, caller.tenantId, options),
    archive: await archiveStatus(database, caller.tenantId),
    ...(options.namesBy === undefined ? {} : { names: await namesStatus(database, caller, options.namesBy) }),
    sources: await database.run((sql) => countSources(sql, caller)),
    ...(await localCoverage(database, caller, options)),
  }
}

async function namesStatus(database: Database, caller: Caller, by: NamesBy): Promise<NamesStatus> {
  const { tenantId } = caller
  const { messages, unread, leftToRules } = await database.run((sql) => coverageOfStore(sql, caller))
  const backlog = await database.run((sql) => outboxBacklog(sql, tenantId, { topic: namesTopic, waiting: true }))
  const waits = await database.run((sql) => modelReason(sql, tenantId))
  return {
    by,
    messages_read: messages - unread,
    messages_unread: unread,
    messages_left_to_rules: leftToRules,
    messages_waiting: backlog.messages,
    failed_for_good: backlog.dead,
    ...(waits === undefined ? {} : { waits_for: waits }),
  }
}

async function localCoverage(
  database: Database,
  caller: Caller,
  { localUser: user, now }: StatusOptions,
): Promise<Pick<StoreStatus, 'coverage'>> {
  if (user === undefined || caller.door?.origin !== 'stdio') return {}
  // Loads the formats of transcripts, which nothing else of a server needs.
  const { coverage, graceMs } = await import('../capture/coverage/coverage.ts')
  return { coverage: await coverage(database, caller, { user, graceMs, nowMs: now.getTime() }) }
}

async function semanticStatus(database: Database, tenantId: number, options: StatusOptions): Promise<SemanticStatus> {
  const models = await database.run((sql) => readModels(sql, tenantId))
  const current = models.find(({ state }) => state === 'current') ?? models[0]
  const backlog = await database.run((sql) => outboxBacklog(sql, tenantId, { topic: embedTopic, waiting: true }))
  const vectors =
    current === undefined ? 0 : await database.run((sql) => countEmbedded(sql, { tenantId, modelId: current.id }))
  const waits = await database.run((sql) => waitingReason(sql, tenantId, embedTopic))
  return {
    state: !options.hasEmbedder ? 'off' : current === undefined ? 'starting' : backlog.messages === 0 ? 'on' : 'behind',
    ...(current === undefined
      ? {}
      : { model: { provider: current.provider, name: current.name, dimensions: current.dimensions } }),
    vectors,
    messages_behind: backlog.messages,
    failed_for_good: backlog.dead,
    ...(waits === undefined ? {} : { waits_for: waits }),
    tokens_today: await database.run((sql) => tokensUsed(sql, options.now)),
  }
}

async function archiveStatus(database: Database, tenantId: number): Promise<ArchiveStatus> {
  const { sessions, messages, dead } = await database.run((sql) => archiveBacklog(sql, tenantId))
  const waits = await database.run((sql) => waitingReason(sql, tenantId, archiveTopic))
  return {
    sessions_behind: sessions,
    messages_behind: messages,
    files_behind: await database.run((sql) => countUnarchivedFiles(sql, tenantId)),
    failed_for_good: dead,
    ...(waits === undefined ? {} : { waits_for: waits }),
  }
}
