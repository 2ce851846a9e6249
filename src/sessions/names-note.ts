import type { NamesBy } from '../model/names.ts'
import { agreed } from '../model/text/counted.ts'
import type { MessageSource, SessionKey } from '../store/messages.ts'
import { coverageOfSession } from '../store/names/name-coverage.ts'

/** How far names were looked for in a session, in plain words; undefined where rules alone are to look for them. */
export async function namesNote(
  { database, namesBy }: { readonly database: MessageSource; readonly namesBy?: NamesBy | undefined },
  key: SessionKey,
): Promise<string | undefined> {
  if (namesBy === undefined) return undefined
  const { messages, unread, leftToRules, partly } = await database.run((sql) => coverageOfSession(sql, key))
  const by = namesBy === 'model' ? 'a model' : 'a model on this machine'
  const inPart = partly === 0 ? '' : ` (of ${partly} of them the beginning)`
  const left = leftToRules === 0 ? '' : ` ${leftToRules} ${agreed(leftToRules, 'is', 'are')} left to the rules.`
  return `Names were looked for by rules in all messages, and by ${by} in ${messages - unread} of ${messages}${inPart}.${left}`
}
