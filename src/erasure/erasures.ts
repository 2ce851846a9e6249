import type { TombstoneRecord } from '../archive/restore/archived-tombstones.ts'
import type { Caller } from '../model/access.ts'
import type { NamesBy } from '../model/names.ts'
import { readReceipts, type ErasureReceipt } from '../store/erasure/receipts.ts'
import { withReasons } from '../store/rights/reasons.ts'
import type { ErasureReply, ForgetInput } from './forget.ts'
import type { ErasurePreview } from './preview.ts'
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
  async forget(caller: Caller, input: ForgetInput): Promise<ErasurePreview | ErasureReply> {
    const { forget } = await import('./forget.ts')
    const visible = this.#dependencies.database.of(caller)
    return await forget({ ...this.#dependencies, visible }, caller, input)
  }

  /** Erases what has come back although it was erased before. */
  async again(caller: Caller): Promise<ErasureReply | undefined> {
    const { eraseAgain } = await import('./forget.ts')
    return await eraseAgain(this.#dependencies, caller)
  }

  /** Erases what was erased at another store. */
  async asElsewhere(caller: Caller, records: readonly TombstoneRecord[]): Promise<void> {
    const { eraseAsElsewhere } = await import('./forget.ts')
    await eraseAsElsewhere(this.#dependencies, caller, records)
  }

  /** Works off an erasure that was begun, as far as there is time for it. */
  async goOn(id: string): Promise<void> {
    const { goOn } = await import('./forget.ts')
    await goOn(this.#dependencies, id)
  }

  /** Writes the files of an embedded store anew, so that nothing of what was erased is left in them. */
  async rewriteFiles(caller: Caller): Promise<void> {
    const { askForRewrite } = await import('./rewrite-files.ts')
    await askForRewrite(this.#dependencies.database, caller)
  }

  /** What was erased, the newest first. */
  async receipts(caller: Caller, wanted: { readonly limit: number }): Promise<ErasureReceipt[]> {
    const { database } = this.#dependencies
    const receipts = await database.of(caller).run((sql) => readReceipts(sql, caller.tenantId, wanted))
    return await withReasons(database, caller.tenantId, receipts)
  }
}
