import type { Caller } from '../model/access.ts'
import type { SearchReply } from './reply.ts'

/** Notes for the audit log which messages a search has shown. */
export function noteHits({ call }: Caller, { results }: SearchReply): void {
  for (const { session_id: id, messages } of results)
    call?.show(
      id,
      messages.map(({ seq }) => seq),
    )
  if (call !== undefined) call.count = results.length
}
