import type { SessionKey } from '../store/messages.ts'
import type { OutboxItem } from '../store/work/outbox.ts'

/** Items of one session that follow each other: a conversation that is saved message by message is read at once. */
export interface JoinedStretch extends SessionKey {
  readonly items: readonly OutboxItem[]
  readonly firstSeq: number
  readonly lastSeq: number
}

export function joinedStretches(items: readonly OutboxItem[]): JoinedStretch[] {
  const stretches: JoinedStretch[] = []
  for (const item of items.toSorted((a, b) => order(a, b))) {
    const last = stretches.at(-1)
    if (last?.sessionId === item.sessionId && last.tenantId === item.tenantId && item.firstSeq <= last.lastSeq + 1)
      stretches[stretches.length - 1] = {
        ...last,
        items: [...last.items, item],
        lastSeq: Math.max(last.lastSeq, item.lastSeq),
      }
    else stretches.push({ ...item, items: [item] })
  }
  return stretches
}

function order(a: OutboxItem, b: OutboxItem): number {
  return (
    a.tenantId - b.tenantId ||
    (a.sessionId < b.sessionId ? -1 : a.sessionId > b.sessionId ? 1 : 0) ||
    a.firstSeq - b.firstSeq
  )
}
