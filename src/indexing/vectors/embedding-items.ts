import { explain } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { ProviderError } from '../../ports/provider-error.ts'
import type { VectorKey } from '../../ports/vector-index.ts'
import { postponeOutbox, type Commit, type OutboxItem } from '../../store/work/outbox.ts'

/** A provider that fails is asked again after this, where it does not say when; one that refuses us later. */
const pauseMs = 15_000
const refusedPauseMs = 300_000

/** Whether any of an item's messages is among some units. */
export function lacksAny({ sessionId, firstSeq, lastSeq }: OutboxItem, missing: readonly VectorKey[]): boolean {
  return missing.some((unit) => unit.sessionId === sessionId && unit.firstSeq >= firstSeq && unit.firstSeq <= lastSeq)
}

/** The items of one round: of one tenant, and what failed before by itself, so that it holds up nothing else. */
export function together(items: readonly OutboxItem[]): readonly OutboxItem[] {
  const fresh = items.filter(({ attempts }) => attempts === 0)
  const tenantId = fresh[0]?.tenantId
  return tenantId === undefined ? items.slice(0, 1) : fresh.filter((item) => item.tenantId === tenantId)
}

/** Puts items off until the provider may answer again. */
export async function postpone(items: readonly OutboxItem[], error: ProviderError, commit: Commit): Promise<void> {
  const ids = items.map(({ id }) => id)
  await commit((sql) => postponeOutbox(sql, ids, { error: explain(error), delayMs: pauseAfter(error) }))
}

/** In milliseconds. */
export function pauseAfter(error: ProviderError): number {
  return Math.min(error.retryAfterMs ?? (error.isTransient ? pauseMs : refusedPauseMs), limits.providerPauseMsMax)
}
