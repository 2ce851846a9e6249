import { newId } from '../../model/ids.ts'
import type { Database } from '../../store/database.ts'
import type { ReadingMark } from '../../store/erasure/keep-from-erasure.ts'
import type { SessionKey } from '../../store/messages.ts'
import { saveMade, sealSummary } from '../../store/summaries/save-summary.ts'
import type { SummaryMaking, SummarySentence } from '../../store/summaries/summaries.ts'
import { inTransaction } from '../../store/transaction.ts'

export interface MadeSummary {
  readonly style: string
  readonly lastSeq: number
  readonly sentences: readonly SummarySentence[]
  readonly madeBy: string
  readonly model?: string | undefined
  readonly making: SummaryMaking
  /** Of when the session began to be read. */
  readonly read: ReadingMark
}

/** Stores the summary of a whole session. */
export async function keepSummary(database: Database, key: SessionKey, summary: MadeSummary): Promise<void> {
  const { read, ...made } = summary
  const seal = await database.vault.sealOf(key.tenantId, key.sessionId, 'summarize')
  const sealed = sealSummary({ ...made, id: newId(), sessionId: key.sessionId, level: 'session', firstSeq: 1 }, seal)
  await database.run((sql) => inTransaction(sql, (transaction) => saveMade(transaction, key, { ...sealed, read })))
}
