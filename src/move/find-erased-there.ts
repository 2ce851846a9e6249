import { aboutErased, erasedMessages, ErasedThere, fullerMessages, payloadsOf } from '../store/copy/erased-there.ts'
import { sessionMarks } from '../store/copy/sessions-there.ts'
import type { ErasureWork } from '../store/erasure/erasure-work.ts'
import { erasuresOfIds } from '../store/erasure/known-tombstones.ts'
import type { Stores } from './conflicts.ts'

const pageSessions = 200

/** The sessions and messages that are erased or anonymised at the target, and not so at the source. */
export async function findErasedThere({ source, target, tenantId }: Stores): Promise<ErasedThere> {
  const erasedThere = new ErasedThere()
  let after: string | undefined
  for (;;) {
    const page = { after, limit: pageSessions }
    const sessions = await source.run((sql) => sessionMarks(sql, tenantId, page))
    const ids = sessions.map(({ id }) => id)
    const whole = await target.run((sql) => erasuresOfIds(sql, tenantId, { kind: 'session', ids }))
    for (const id of whole.keys()) erasedThere.whole.add(id)
    const others = ids.filter((id) => !whole.has(id))
    const erased = await target.run((sql) => erasedMessages(sql, tenantId, others))
    if (erased.length > 0) erasedThere.add(await source.run((sql) => fullerMessages(sql, tenantId, erased)))
    after = ids.at(-1)
    if (sessions.length < pageSessions) break
  }
  const { children, messages } = await source.run((sql) => aboutErased(sql, tenantId, [...erasedThere.whole]))
  for (const id of children) if (!erasedThere.whole.has(id)) erasedThere.children.add(id)
  erasedThere.wholeMessages = messages
  return erasedThere
}

/**
 * What was erased or anonymised at the target while it was moved: something of it may have come back with what was known of it
 * before, and is to be erased once more. Sessions that were erased whole are known by their tombstones.
 */
export async function erasedMeanwhile(stores: Stores, before: ErasedThere): Promise<readonly ErasureWork[]> {
  const { source, tenantId } = stores
  const now = await findErasedThere(stores)
  const work: ErasureWork[] = []
  for (const [id, ranges] of now.sessions) {
    const since = ranges.filter(({ first, last }) => !before.hasMessages(id, first, last))
    for (const isErased of [true, false]) {
      const chosen = since.filter((range) => range.isErased === isErased)
      if (chosen.length === 0) continue
      const payloads = await source.run((sql) => payloadsOf(sql, { tenantId, sessionId: id }, chosen))
      const stretches = chosen.map(({ first, last }): [number, number] => [first, last])
      work.push({ id, stretches, payloads, anonymise: isErased ? undefined : {} })
    }
  }
  return work
}
