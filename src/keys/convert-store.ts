import { setTimeout as sleep } from 'node:timers/promises'

import { archiveChangedKeys } from '../archive/archive-keys.ts'
import { askForRewrite } from '../erasure/rewrite-files.ts'
import { ConflictError, messageOf, VerbatimError } from '../errors.ts'
import { TermHashers } from '../indexing/terms/term-hashers.ts'
import type { Caller } from '../model/access.ts'
import { tenantIds } from '../store/access/tenants.ts'
import { writeAudit } from '../store/audit/audit-log.ts'
import {
  addUnlike,
  conversionLeft,
  decideState,
  destroyIdleKeys,
  endConversion,
  planConversion,
  readConversionWork,
  removeOtherUnits,
  switchTerms,
  type ConversionItem,
  type ConversionTarget,
} from '../store/keys/conversion-work.ts'
import { analyzeTables, sortPendingEntries } from '../store/search/search-units.ts'
import { inTransaction } from '../store/transaction.ts'
import { finishOutbox } from '../store/work/outbox.ts'
import { convertReason, keepOldReasons } from './convert-reasons.ts'
import { convertFile, convertSession } from './convert-session.ts'
import type { ConvertStores } from './hash-session.ts'
import { removeLeftPayloads } from './remove-payloads.ts'
import type { ResealStores } from './reseal-session.ts'

export interface ConversionReport {
  readonly sessions: number
  readonly messages: number
  readonly files: number
  /** Large payloads that were removed from the archive, after they were put there anew. */
  readonly removed_payloads: number
  /** Objects that are as they were, as the archive does not let them go. */
  readonly kept_objects: readonly string[]
  /** Whether the files of the database were written anew, so that nothing of what was there is left in them. */
  readonly rewritten: boolean
  readonly problems: readonly {
    readonly session_id?: string
    readonly file_id?: string
    readonly reason_id?: string
    readonly problem: string
  }[]
}

/** Told how much there is to do, and of each piece. */
export interface ConversionProgress {
  begin(messages: number): Promise<void>
  add(messages: number): void
}

export interface ConversionOptions {
  readonly target: ConversionTarget
  readonly progress: ConversionProgress
  /** Other than the usual one. */
  readonly graceMs?: number
}

/** Who has looked before something was changed is done with it after this. */
const usualGraceMs = 2_000
const itemsAtOnce = 50
const unreadableReason =
  'it was altered or its key is missing: "verbatim audit verify" names the row of the audit log that it was given for'
const unitsAtOnce = 2_000
/** Others save meanwhile, as it is said to them at once; what they had begun before comes within one or two looks. */
const looksMax = 10

class StoreConversion {
  readonly #stores: ConvertStores
  readonly #target: ConversionTarget
  readonly #progress: ConversionProgress
  readonly #graceMs: number
  readonly #counts = { sessions: 0, messages: 0, files: 0, removed_payloads: 0 }
  readonly #kept: string[] = []
  readonly #problems: ConversionReport['problems'][number][] = []
  /** What is noted of reasons that cannot be opened. */
  readonly #unreadable: number[] = []

  constructor(stores: ConvertStores, { target, progress, graceMs = usualGraceMs }: ConversionOptions) {
    this.#stores = stores
    this.#target = target
    this.#progress = progress
    this.#graceMs = graceMs
  }

  async run(caller: Caller): Promise<ConversionReport> {
    const { database } = this.#stores
    const tenants = await database.run(tenantIds)
    let messages = 0
    for (const tenantId of tenants) messages += await this.#begin({ ...caller, tenantId })
    await this.#progress.begin(messages)
    await this.#convert(tenants)
    await sleep(this.#graceMs)
    for (const tenantId of tenants) await this.#removeWords(tenantId)
    const { erased, kept } = await removeLeftPayloads(this.#stores, this.#target, this.#graceMs)
    this.#counts.removed_payloads = erased
    this.#kept.push(...kept)
    if (this.#target === 'plain') for (const tenantId of tenants) await this.#destroyKeys(tenantId)
    const rewritten = this.#target === 'encrypted' && database.kind === 'embedded'
    if (rewritten) await askForRewrite(database, caller)
    await database.run((sql) => finishOutbox(sql, this.#unreadable))
    for (const tenantId of tenants) await database.run((sql) => endConversion(sql, tenantId, this.#target))
    return { ...this.#counts, kept_objects: this.#kept, rewritten, problems: this.#problems }
  }

  /** Decides what the store is to be, and notes what is to be done; how many messages that is. */
  async #begin(caller: Caller): Promise<number> {
    const { database } = this.#stores
    const { tenantId } = caller
    const isEncrypting = this.#target === 'encrypted'
    // First of all: nothing is decided that cannot be done.
    if (isEncrypting) await database.vault.requireKey(tenantId)
    await database.run((sql) =>
      inTransaction(sql, async (own) => {
        await decideState(own, tenantId, this.#target)
        await writeAudit(own, caller, { action: isEncrypting ? 'store.encrypt' : 'store.decrypt', outcome: 'ok' })
      }),
    )
    if (isEncrypting) {
      await database.vault.search.make(tenantId)
      await keepOldReasons(database, tenantId)
    }
    await database.run((sql) =>
      inTransaction(sql, async (own) => {
        await planConversion(own, tenantId, this.#target)
        await addUnlike(own, tenantId, this.#target)
      }),
    )
    return (await database.run((sql) => conversionLeft(sql, tenantId))).messages
  }

  async #convert(tenants: readonly number[]): Promise<void> {
    const { database } = this.#stores
    const done = new Map<number, number>()
    for (let look = 1; ; look++) {
      for (const tenantId of tenants) done.set(tenantId, await this.#workOff(tenantId, done.get(tenantId) ?? 0))
      await sleep(this.#graceMs)
      let added = 0
      for (const tenantId of tenants) added += await database.run((sql) => addUnlike(sql, tenantId, this.#target))
      if (added === 0) break
      if (look === looksMax)
        throw new ConflictError('Cannot end the conversion as something goes on saving as it did before', {
          remedy: 'End the processes of older versions that use the store, then run this again: it goes on',
        })
    }
    await database.run(sortPendingEntries)
    await database.run(analyzeTables)
    for (const tenantId of tenants) await database.run((sql) => switchTerms(sql, tenantId))
  }

  /** Works off what is noted from a number on; up to which number that was. */
  async #workOff(tenantId: number, from: number): Promise<number> {
    const { database } = this.#stores
    let after = from
    for (;;) {
      const page = { after, limit: itemsAtOnce }
      const items = await database.run((sql) => readConversionWork(sql, tenantId, page))
      for (const item of items) {
        await this.#convertItem(tenantId, item)
        this.#progress.add(item.messages)
        after = item.id
      }
      if (items.length === 0) return after
    }
  }

  /** What cannot be converted is told and stays noted; the rest goes on. */
  async #convertItem(tenantId: number, { id, kind, subjectId }: ConversionItem): Promise<void> {
    const { database, archive } = this.#stores
    try {
      if (kind === 'file') {
        this.#kept.push(...(await convertFile(this.#stores, { tenantId, id: subjectId }, this.#target)))
        this.#counts.files++
      } else if (kind === 'reason') {
        // It stays noted as long as this looks for what is left, and no longer.
        if (!(await convertReason(database, { tenantId, id: subjectId }, this.#target))) {
          this.#unreadable.push(id)
          this.#problems.push({ reason_id: subjectId, problem: unreadableReason })
          return
        }
      } else {
        const done = await convertSession(this.#stores, { tenantId, sessionId: subjectId }, this.#target)
        this.#kept.push(...done.kept)
        this.#counts.messages += done.messages
        this.#counts.sessions++
      }
    } catch (error) {
      if (!(error instanceof VerbatimError)) throw error
      // Where a store does not answer, it is not for what is in it.
      await database.run((sql) => sql`select 1`)
      await archive.check()
      this.#problems.push({ [`${kind}_id`]: subjectId, problem: messageOf(error) })
      return
    }
    await database.run((sql) => finishOutbox(sql, [id]))
  }

  async #removeWords(tenantId: number): Promise<void> {
    const { database } = this.#stores
    const remove = () =>
      database.run((sql) => inTransaction(sql, (own) => removeOtherUnits(own, tenantId, unitsAtOnce)))
    while (await remove());
  }

  async #destroyKeys(tenantId: number): Promise<void> {
    const { database } = this.#stores
    await database.run((sql) => inTransaction(sql, (own) => destroyIdleKeys(own, tenantId)))
    await archiveChangedKeys(this.#stores, tenantId, { onlyArchived: true })
  }
}

/**
 * Encrypts all that a store holds, of all tenants, or stores it as it is, session by session, while it is used. What is new is so
 * from the beginning on; words are found all the time, as their index is made anew beside the one that searches look at. Killed
 * and called again, it goes on; called the other way, it goes back.
 */
export async function convertStore(
  stores: ResealStores,
  caller: Caller,
  options: ConversionOptions,
): Promise<ConversionReport> {
  const hashers = new TermHashers(stores.database.vault)
  return await new StoreConversion({ ...stores, hashers }, options).run(caller)
}
