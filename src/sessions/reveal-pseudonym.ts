import { ForbiddenError, InputError, NotFoundError, UnavailableError } from '../errors.ts'
import type { Caller } from '../model/access.ts'
import { writeAudit } from '../store/audit/audit-log.ts'
import { findPseudonyms, openPseudonym } from '../store/keys/pseudonyms.ts'
import type { ReadDependencies } from './session-page.ts'

/** What a token stands for, and in which sessions it was given. */
export interface RevealedPseudonym {
  readonly token: string
  /** One, or several ways of writing the same. */
  readonly values: readonly string[]
  readonly session_ids: readonly string[]
}

/** A token of the scope of the store may have been given in many. */
const sessionsMax = 100
const tokenPattern = /^\[?([a-z_]{2,30}_[\da-f]{10})\]?$/u

/**
 * Gives back what a token stands for, to an owner of a session in which it was given. The audit log has a row of it before
 * anything is given out. Errors: InputError, ForbiddenError, NotFoundError, UnavailableError.
 */
export async function revealPseudonym(
  { database, pseudonymKey }: ReadDependencies,
  caller: Caller,
  given: string,
): Promise<RevealedPseudonym> {
  const name = tokenPattern.exec(given)?.[1]
  if (name === undefined)
    throw new InputError('Cannot tell what it stands for as this is no token of a pseudonymised view', {
      remedy: 'Give one as the view shows it: [person_3f9c01ab72]',
    })
  if (caller.view !== undefined)
    throw new ForbiddenError('Cannot tell what a token stands for to who may not see personal data', {
      remedy: 'Ask whoever runs the server',
    })
  const token = `[${name}]`
  const source = database.unwalled ?? database
  const kept = await source.run((sql) => findPseudonyms(sql, caller, { token, limit: sessionsMax }))
  if (kept.length === 0)
    throw new NotFoundError(`Nothing is kept of ${token} in the sessions that you own`, {
      remedy: 'It is kept since the view was last read, until its source is erased; an owner of the session is told',
    })
  const secret = await pseudonymKey?.()
  const values = new Set<string>()
  for (const one of kept) {
    const value = secret === undefined ? undefined : await openPseudonym(database, one, secret)
    if (value !== undefined) values.add(value)
  }
  if (values.size === 0)
    throw new UnavailableError(`Cannot open what is kept of ${token} as the key of pseudonyms is another one`, {
      remedy: 'Name the key file that it was made with: VERBATIM_PSEUDONYM_KEY_FILE',
    })
  const sessionIds = kept.map(({ sessionId }) => sessionId)
  await source.run((sql) =>
    writeAudit(sql, caller, {
      action: 'pseudonym.reveal',
      objectKind: 'pseudonym',
      objectId: name,
      outcome: 'ok',
      count: sessionIds.length,
    }),
  )
  return { token, values: [...values], session_ids: sessionIds }
}
