import { keepPseudonyms } from '../store/keys/pseudonyms.ts'
import type { SessionKey } from '../store/messages.ts'
import type { MessageView } from './message-view.ts'
import type { ReadDependencies } from './session-page.ts'

/** Keeps what the tokens stand for that a view has given, so that who may can have it back. */
export async function keepGiven(
  { database, pseudonymKey }: ReadDependencies,
  key: SessionKey,
  view: MessageView | undefined,
): Promise<void> {
  if (view === undefined || view.given.size === 0 || pseudonymKey === undefined) return
  await keepPseudonyms(database, key, { secret: await pseudonymKey(), given: view.given })
}
