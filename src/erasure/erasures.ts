import type { TombstoneRecord } from '../archive/restore/archived-tombstones.ts'
import type { Caller } from '../model/access.ts'
import type { NamesBy } from '../model/names.ts'
import { readReceipts, type ErasureReceipt } from '../store/erasure/receipts.ts'
import { withReasons } from '../store/rights/reasons.ts'
import { eraseAgain, eraseAsElsewhere, forget, goOn, type ErasureReply, type ForgetInput } from './forget.ts'
import type { ErasurePreview } from './preview.ts'
import { askForRewrite } from './rewrite-files.ts'
import type { RunDependencies } from './run-erasure.ts'

interface ErasuresDependencies extends RunDependencies {
  /** What looks for names beside the rules; absent where nothing does. */
  readonly namesBy?: NamesBy | undefined
}

/** What erases, and tells of what was erased. Each method is one action of one caller. */
export class Erasures {
  readonly #dependencies: ErasuresDependencies

  constructor(dependencies: ErasuresDependencies) {
    this.#dependencies = dependencies
  }

  /** Erases for good: shows what that would be, or with the `confirm` of such a preview does it. */
  forget(caller: Caller, input: ForgetInput): Promise<ErasurePreview | ErasureReply> {
    const visible = this.#dependencies.database.of(caller)
    return forget({ ...this.#dependencies, visible }, caller, input)
  }

  /** Erases what has come back although it was erased before. */
  again(caller: Caller): Promise<ErasureReply | undefined> {
    return eraseAgain(this.#dependencies, caller)
  }

  /** Erases what was erased at another store. */
  asElsewhere(caller: Caller, records: readonly TombstoneRecord[]): Promise<void> {
    return eraseAsElsewhere(this.#dependencies, caller, records)
  }

  /** Works off an erasure that was begun, as far as there is time for it. */
  goOn(id: string): Promise<void> {
    return goOn(this.#dependencies, id)
  }

  /** Writes the files of an embedded store anew, so that nothing of what was erased is left in them. */
  rewriteFiles(caller: Caller): Promise<void> {
    return askForRewrite(this.#dependencies.database, caller)
  }

  /** What was erased, the newest first. */
  async receipts(caller: Caller, wanted: { readonly limit: number }): Promise<ErasureReceipt[]> {
    const { database } = this.#dependencies
    const receipts = await database.of(caller).run((sql) => readReceipts(sql, caller.tenantId, wanted))
    return await withReasons(database, caller.tenantId, receipts)
  }
}
