import { requireSession } from '../../capture/session-reference.ts'
import { InputError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { Caller } from '../../model/access.ts'
import { flagNames } from '../../model/messages/message-flags.ts'
import { roleSchema } from '../../model/messages/message.ts'
import { checkName, parseSpan } from '../../model/validate.ts'
import type { Database } from '../../store/database.ts'
import type { NameFilter, UnitFilter } from '../../store/search/unit-filter.ts'

/** What a search may be narrowed to. In every list of names `!name` leaves one out. */
export interface FilterInput {
  readonly sessionId?: string | undefined
  /** Leaves this session out, by our id. */
  readonly notSessionId?: string | undefined
  readonly participants?: readonly string[] | undefined
  readonly models?: readonly string[] | undefined
  readonly roles?: readonly string[] | undefined
  readonly toolsUsed?: readonly string[] | undefined
  /** `secrets`, `instructions`: what a message was flagged for. */
  readonly flags?: readonly string[] | undefined
  readonly since?: string | number | undefined
  readonly until?: string | number | undefined
  readonly tags?: readonly string[] | undefined
}

/** Reads and checks filters. Errors: InputError, NotFoundError. */
export async function readFilter(database: Database, caller: Caller, input: FilterInput): Promise<UnitFilter> {
  const { since, until } = parseSpan(input)
  const sessionId =
    input.sessionId === undefined ? undefined : (await requireSession(database, caller, input.sessionId)).id
  return {
    sessionId,
    notSessionId: input.notSessionId,
    since,
    until,
    participants: readNames(input.participants, 'participants'),
    models: readNames(input.models, 'models'),
    roles: readKnown(input.roles, { field: 'roles', is: 'role', known: roleSchema.options }),
    flags: readKnown(input.flags, { field: 'flags', is: 'flag', known: flagNames }),
    toolsUsed: readNames(input.toolsUsed, 'tools_used'),
    tags: readNames(input.tags, 'tags'),
  }
}

/** Names as they are given, "!name" for one that is not wanted. A lone "!" is a name. */
function readNames(values: readonly string[] | undefined, field: string): NameFilter | undefined {
  if (values === undefined || values.length === 0) return undefined
  const isUnwanted = (value: string) => value.startsWith('!') && value.length > 1
  const check = (value: string) => checkName(value, { field, charactersMax: limits.nameCharactersMax })
  return {
    any: values.filter((value) => !isUnwanted(value)).map(check),
    none: values.filter(isUnwanted).map((value) => check(value.slice(1))),
  }
}

/** Names of which only some exist. */
function readKnown(
  values: readonly string[] | undefined,
  names: { readonly field: string; readonly is: string; readonly known: readonly string[] },
): NameFilter | undefined {
  const read = readNames(values, names.field)
  const unknown = [...(read?.any ?? []), ...(read?.none ?? [])].find((name) => !names.known.includes(name))
  if (unknown === undefined) return read
  throw new InputError(`Cannot search as "${unknown}" is no ${names.is}`, {
    remedy: `The ${names.field} are ${names.known.join(', ')}; with "!" before it a ${names.is} is left out`,
  })
}

/** The filters that are set, by the names of their arguments. */
export function filterNames(filter: UnitFilter): string[] {
  const { sessionId: session_id, toolsUsed: tools_used, notSessionId: _own, ...rest } = filter
  return Object.entries({ session_id, ...rest, tools_used }).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  )
}
