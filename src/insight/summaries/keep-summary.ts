import { newId } from '../../model/ids.ts'
import type { Database } from '../../store/database.ts'
import type { SessionKey } from '../../store/messages.ts'
import { saveSummary, sealSummary } from '../../store/summaries/save-summary.ts'
import type { SummaryMaking, SummarySentence } from '../../store/summaries/summaries.ts'

export interface MadeSummary {
  readonly style: string
  readonly lastSeq: number
  readonly sentences: readonly SummarySentence[]
  readonly madeBy: string
  readonly model?: string | undefined
  readonly making: SummaryMaking
  /** How often messages of the session were erased by when it began to be read. */
  readonly erasures: number
}

/** Stores the summary of a whole session. */
export async function keepSummary(database: Database, key: SessionKey, summary: MadeSummary): Promise<void> {
  const { erasures, ...made } = summary
  const seal = await database.vault.sealOf(key.tenantId, key.sessionId)
  const sealed = sealSummary({ ...made, id: newId(), sessionId: key.sessionId, level: 'session', firstSeq: 1 }, seal)
  await database.run((sql) => saveSummary(sql, key.tenantId, { ...sealed, erasures }))
}
