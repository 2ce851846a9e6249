import type { Caller } from '../../model/access.ts'
import type { Database } from '../../store/database.ts'
import { coverageOfStore, type NameCoverage } from '../../store/names/name-coverage.ts'
import { modelReason, namesTopic } from '../../store/names/name-work.ts'
import { embedTopic, indexTopic, newestOutboxId, outboxBacklog, waitingReason } from '../../store/work/outbox.ts'
import type { IndexKind } from './reindex.ts'

const topics = { words: indexTopic, vectors: embedTopic, names: namesTopic } as const

/** How much of a reindex is left, from the outbox alone. */
export interface ReindexProgress {
  readonly messages: number
  /** Why a provider is waited for. */
  readonly waitsFor?: string
}

/** The newest work of each kind, by number: what comes after it is not waited for. */
export async function newestWork(
  database: Database,
  { tenantId }: Caller,
  kinds: readonly IndexKind[],
): Promise<ReadonlyMap<IndexKind, number>> {
  const newest = new Map<IndexKind, number>()
  for (const kind of kinds) newest.set(kind, await database.run((sql) => newestOutboxId(sql, tenantId, topics[kind])))
  return newest
}

export async function reindexProgress(
  database: Database,
  { tenantId }: Caller,
  newest: ReadonlyMap<IndexKind, number>,
): Promise<ReindexProgress> {
  let messages = 0
  const reasons: string[] = []
  for (const [kind, upTo] of newest) {
    const work = { topic: topics[kind], upTo, waiting: kind !== 'words' }
    messages += (await database.run((sql) => outboxBacklog(sql, tenantId, work))).messages
    const reason = await database.run((sql) => {
      if (kind === 'names') return modelReason(sql, tenantId)
      return kind === 'vectors' ? waitingReason(sql, tenantId, embedTopic) : Promise.resolve(undefined)
    })
    if (reason !== undefined) reasons.push(reason)
  }
  return { messages, ...(reasons[0] === undefined ? {} : { waitsFor: reasons[0] }) }
}

/** How far a model has looked for names. Reads every message of the caller's. */
export async function namesCoverage(database: Database, caller: Caller): Promise<NameCoverage> {
  return await database.run((sql) => coverageOfStore(sql, caller))
}
