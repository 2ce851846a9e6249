import { loadPayload } from '../capture/large-payload.ts'
import { UnavailableError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Anonymiser } from '../sessions/anonymiser.ts'
import { readNames } from '../store/erasure/anonymise-messages.ts'
import type { PlannedSession, Stretch } from '../store/erasure/erasure-plan.ts'
import type { MessageRow } from '../store/messages.ts'
import { readSessionNames } from '../store/names/message-names.ts'
import { pagedMessages } from '../store/page-messages.ts'
import type { AnonymiseDependencies } from './anonymise-rows.ts'

export interface ForeseenReplaced {
  /** How often each kind of data would be replaced. */
  readonly replaced: Readonly<Record<string, number>>
  /** How many messages that is known of. */
  readonly messages_looked_through: number
}

const pageBytes = 256 * 1024

/** What anonymising would replace in the messages of a plan, as far as there is time to look. Nothing is changed. */
export async function foreseeReplaced(
  dependencies: AnonymiseDependencies,
  tenantId: number,
  sessions: readonly Pick<PlannedSession, 'id' | 'stretches'>[],
): Promise<ForeseenReplaced> {
  const { Anonymiser } = await import('../sessions/anonymiser.ts')
  const untilMs = performance.now() + limits.anonymisePreviewMs
  const replaced = new Map<string, number>()
  let looked = 0
  for (const { id: sessionId, stretches } of sessions) {
    if (performance.now() > untilMs) break
    const key = { tenantId, sessionId }
    const names = await dependencies.database.run((sql) => readNames(sql, key))
    if (names === undefined) continue
    const found = await readSessionNames(dependencies.database, key)
    const anonymiser = new Anonymiser(names, { found })
    for await (const row of chosenMessages(dependencies, key, stretches)) {
      if (performance.now() > untilMs) break
      if (await look(dependencies, row, anonymiser)) looked++
    }
    for (const [type, count] of anonymiser.replaced) replaced.set(type, (replaced.get(type) ?? 0) + count)
  }
  return { replaced: Object.fromEntries(replaced), messages_looked_through: looked }
}

async function* chosenMessages(
  { database }: AnonymiseDependencies,
  key: { readonly tenantId: number; readonly sessionId: string },
  stretches: readonly Stretch[],
): AsyncGenerator<MessageRow> {
  for (const [fromSeq, toSeq] of stretches)
    for await (const rows of pagedMessages(database, key, { fromSeq, toSeq, pageBytesMax: pageBytes }))
      for (const row of rows) if (row.kind !== 'erased' && row.anonymizedAt === null) yield row
}

/** False where it cannot be read: the work itself says so. */
async function look({ archive }: AnonymiseDependencies, row: MessageRow, anonymiser: Anonymiser): Promise<boolean> {
  try {
    const payload = await loadPayload(archive, row)
    await anonymiser.message({ ...row, payload, mediaType: row.payloadMediaType })
    return true
  } catch (error) {
    if (error instanceof UnavailableError) return false
    throw error
  }
}
