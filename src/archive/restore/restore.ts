import { ConflictError } from '../../errors.ts'
import { firstTenantId, type Caller } from '../../model/access.ts'
import { sha256 } from '../../model/messages/payload.ts'
import { readManifest, saveManifest } from '../../store/archive/archive-state.ts'
import { insertFileRecord, knownFile, type ImportFileRecord } from '../../store/archive/archived-files.ts'
import { beginRestore, endRestore, ensureTenant } from '../../store/archive/restore-state.ts'
import { writeAudit } from '../../store/audit/audit-log.ts'
import type { Database } from '../../store/database.ts'
import { erasuresOfIds } from '../../store/erasure/known-tombstones.ts'
import { wholeFile } from '../../store/imports/import-files.ts'
import { inTransaction } from '../../store/transaction.ts'
import type { ArchiveDependencies } from '../archive-dependencies.ts'
import { restoreKeys } from '../archive-keys.ts'
import { digestOf } from '../archive-object.ts'
import { decodeManifest, fileManifestSchema, manifestKey } from '../manifest.ts'
import { readObject } from '../read-object.ts'
import { sealOpener } from '../seal-opener.ts'
import { archivedSubjects, type ArchivedSubject } from './archived-subjects.ts'
import { archivedTombstones, learnTombstones } from './archived-tombstones.ts'
import { RestoreTally, type RestoreReport } from './restore-report.ts'
import { SessionRestore } from './restore-session.ts'

/** Most of the time is spent waiting for the archive. */
const atOnce = 4

/** How many sessions and imported documents an archive holds. */
export async function countArchived({ archive }: Pick<ArchiveDependencies, 'archive'>): Promise<number> {
  let count = 0
  for await (const _subject of archivedSubjects(archive)) count++
  return count
}

/** Marks an empty store as one that is being restored; once more does no harm. Throws ConflictError where the store is in use. */
export async function markRestoring(
  { database }: Pick<ArchiveDependencies, 'database'>,
  caller: Caller,
): Promise<void> {
  const state = await database.run((sql) => inTransaction(sql, (own) => beginRestore(own, caller.tenantId)))
  if (state === 'in use')
    throw new ConflictError('Cannot restore into this store as it is not empty', {
      remedy: 'Set VERBATIM_HOME or DATABASE_URL to a new store, with the same VERBATIM_ARCHIVE',
    })
}

/**
 * Rebuilds a store from its archive alone: all sessions, messages and imported documents, as they were archived last. What
 * is damaged is reported by name, and the rest is restored. The index is made afterwards, in the background.
 *
 * A restore that was interrupted is continued by the next call. Throws ConflictError where the store is in use.
 */
export async function restore(
  dependencies: ArchiveDependencies,
  caller: Caller,
  onProgress: () => void,
): Promise<RestoreReport> {
  const { database, archive } = dependencies
  await markRestoring(dependencies, caller)
  await learnErased(dependencies)
  const tally = new RestoreTally()
  const tenants = new Set<number>()
  const running = new Set<Promise<unknown>>()
  const failures: unknown[] = []
  for await (const subject of archivedSubjects(archive)) {
    const { tenantId } = subject
    const isNew = !tenants.has(tenantId)
    tenants.add(tenantId)
    if (database.kind === 'embedded' && tenantId !== firstTenantId) {
      if (isNew)
        tally.problem({ object: `${tenantId}/`, problem: 'the embedded store has no wall for a second tenant' })
      continue
    }
    if (isNew) {
      await database.run((sql) => ensureTenant(sql, tenantId))
      for (const object of await restoreKeys(dependencies, { tenantId }))
        tally.problem({ object, problem: 'it is a key of another store: what is encrypted under it is not restored' })
      await database.vault.check(tenantId)
    }
    if (running.size >= atOnce) await Promise.race(running)
    if (failures.length > 0) break
    const work = restoreSubject(dependencies, subject, tally)
      .then(onProgress)
      .catch((error: unknown) => failures.push(error))
      .finally(() => running.delete(work))
    running.add(work)
  }
  await Promise.all(running)
  if (failures.length > 0) throw failures[0]
  const { report } = tally
  await database.run((sql) =>
    inTransaction(sql, async (transaction) => {
      await endRestore(transaction)
      await writeAudit(transaction, caller, { action: 'store.restore', outcome: 'ok', count: report.messages })
    }),
  )
  return report
}

/** First of all: what was erased is not restored, from whatever copy of the archive. */
async function learnErased({ database, archive }: ArchiveDependencies): Promise<void> {
  for await (const record of archivedTombstones(archive)) {
    if (database.kind === 'embedded' && record.tenant !== firstTenantId) continue
    await database.run((sql) => ensureTenant(sql, record.tenant))
    await database.run((sql) => inTransaction(sql, (transaction) => learnTombstones(transaction, record)))
  }
}

async function restoreSubject(
  dependencies: ArchiveDependencies,
  subject: ArchivedSubject,
  tally: RestoreTally,
): Promise<void> {
  if (subject.kind === 'session') await new SessionRestore(dependencies, { subject, tally }).run()
  else await restoreFile(dependencies, subject, tally)
}

/** Whether a document held a session that was erased, or of which messages were: put together again it would show them. */
async function holdsErased(database: Database, tenantId: number, file: ImportFileRecord): Promise<boolean> {
  const ids = file.session_ids
  const erased = await database.run(async (sql) => [
    await erasuresOfIds(sql, tenantId, { kind: 'session', ids }),
    await erasuresOfIds(sql, tenantId, { kind: 'part', ids }),
  ])
  return erased.some(({ size }) => size > 0)
}

async function restoreFile(
  { database, archive }: ArchiveDependencies,
  subject: ArchivedSubject,
  tally: RestoreTally,
): Promise<void> {
  const { tenantId, id: subjectId } = subject
  const known = () => database.run((sql) => knownFile(sql, tenantId, subjectId))
  if ((await database.run((sql) => readManifest(sql, tenantId, { kind: 'file', subjectId }))) !== undefined) {
    if ((await known())?.isDocument === true) tally.counts.already_there++
    return
  }
  for (const number of subject.manifests.toReversed()) {
    const object = manifestKey(subject, number)
    const read = await readObject(archive, object, async (bytes) => {
      const { body, seal } = await decodeManifest(subject, bytes, sealOpener(database))
      return { body, seal, file: fileManifestSchema.parse(JSON.parse(body.toString('utf8'))).file }
    })
    if ('problem' in read) {
      tally.problem({ object, problem: read.problem })
      continue
    }
    const { body, seal, file } = read.value
    if (await holdsErased(database, tenantId, file)) {
      tally.counts.erased++
      return
    }
    const manifest = {
      kind: 'file',
      subjectId,
      number,
      version: Date.parse(file.imported_at),
      location: object,
      sha256: sha256(read.bytes),
      contentSha256: digestOf(body, seal),
    } as const
    const isNew = await database.run((sql) =>
      inTransaction(sql, async (transaction) => {
        const inserted = await insertFileRecord(transaction, tenantId, { file, seal })
        if (inserted && number === subject.manifests.at(-1)) await saveManifest(transaction, tenantId, manifest)
        return inserted
      }),
    )
    // That a whole file was imported is restored with its documents, which are what is counted.
    const count = isNew ? 'files' : 'already_there'
    if (!isNew && (await known()) === undefined)
      tally.problem({ file: file.path, object, problem: 'another document has its path already' })
    else if (file.document !== wholeFile) tally.counts[count]++
    return
  }
  tally.problem({
    object: manifestKey(subject, subject.manifests.at(-1) ?? 1),
    problem: 'no manifest of it can be read',
  })
}
