import type { Viewer } from '../../model/access.ts'
import { openSessions } from '../access/session-access.ts'
import { usableUnit } from '../access/usable.ts'
import { joined, text, type SqlText } from '../sql-text.ts'

/** Names that something must be among, where `any` holds one, and names that it must not be. */
export interface NameFilter {
  readonly any: readonly string[]
  readonly none: readonly string[]
}

/** Which messages a search may see. Absent members do not restrict. */
export interface UnitFilter {
  readonly sessionId?: string | undefined
  readonly notSessionId?: string | undefined
  readonly participants?: NameFilter | undefined
  readonly models?: NameFilter | undefined
  readonly roles?: NameFilter | undefined
  readonly toolsUsed?: NameFilter | undefined
  /** What a message is flagged for. */
  readonly flags?: NameFilter | undefined
  /** Of these a session must have all of `any`. */
  readonly tags?: NameFilter | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
}

const jsonTexts = (values: readonly string[]) =>
  text`(select jsonb_array_elements_text(${JSON.stringify(values)}::text::jsonb))`

const nothing = text``

/** Whether a filter asks for what only the message itself tells. */
export function looksAtMessage({ participants, models, toolsUsed }: UnitFilter): boolean {
  return participants !== undefined || models !== undefined || toolsUsed !== undefined
}

/** Of a column that holds one name, or null. */
function isAmong(column: SqlText, { any, none }: NameFilter): SqlText {
  return text`${any.length === 0 ? nothing : text`and ${column} in ${jsonTexts(any)}`}
    ${none.length === 0 ? nothing : text`and coalesce(${column}, '') not in ${jsonTexts(none)}`}`
}

/** Of a column that holds a list of names, or null. */
function hasAny(column: SqlText, { any, none }: NameFilter): SqlText {
  return text`${any.length === 0 ? nothing : text`and ${column} && array${jsonTexts(any)}`}
    ${none.length === 0 ? nothing : text`and not coalesce(${column} && array${jsonTexts(none)}, false)`}`
}

/** Of the flags of a message: any of some, none of others. */
function flagCondition(flags: SqlText, { any, none }: NameFilter): SqlText {
  return text`${any.length === 0 ? nothing : text`and ${flags} ?| array${jsonTexts(any)}`}
    ${none.length === 0 ? nothing : text`and not coalesce(${flags} ?| array${jsonTexts(none)}, false)`}`
}

/** The condition on a session's tags: all of some, none of others. */
function tagCondition({ any, none }: NameFilter): SqlText {
  return text`s.tags @> array${jsonTexts(any)} ${none.length === 0 ? nothing : text`and not s.tags && array${jsonTexts(none)}`}`
}

/** What a filter asks of a session `s`: who may be found at all by whom, and tags. */
export function sessionConditions(viewer: Viewer, { tags }: UnitFilter): SqlText {
  return text`not s.restricted ${openSessions(text`s.id`, viewer, 'read')} ${tags === undefined ? nothing : text`and ${tagCondition(tags)}`}`
}

/**
 * The same for units `u` that are looked at by the thousand: those that are restricted are few and are read once, where each
 * unit's session would cost more than the unit.
 */
export function sessionOfUnitConditions(viewer: Viewer, filter: UnitFilter): SqlText {
  const ofSession =
    filter.tags === undefined
      ? text`and u.session_id not in (select s.id from sessions s where s.tenant_id = ${viewer.tenantId} and s.restricted)
        ${openSessions(text`u.session_id`, viewer, 'read')}`
      : text`and exists (select from sessions s where s.tenant_id = u.tenant_id and s.id = u.session_id and ${sessionConditions(viewer, filter)})`
  return text`${ofSession} and ${usableUnit(viewer.tenantId)}`
}

/** What a filter asks of a unit `u`; what its row cannot answer by itself goes to the message. */
export function unitConditions(filter: UnitFilter): SqlText {
  const { participants, models, toolsUsed } = filter
  const messageFilters = [
    participants === undefined ? nothing : isAmong(text`m.sender`, participants),
    models === undefined ? nothing : isAmong(text`m.model`, models),
    toolsUsed === undefined ? nothing : hasAny(text`m.tools_used`, toolsUsed),
  ]
  return joined(
    [
      filter.sessionId === undefined ? nothing : text`and u.session_id = ${filter.sessionId}::text::uuid`,
      filter.notSessionId === undefined ? nothing : text`and u.session_id <> ${filter.notSessionId}::text::uuid`,
      filter.roles === undefined ? nothing : isAmong(text`u.role`, filter.roles),
      filter.flags === undefined ? nothing : flagCondition(text`u.flags`, filter.flags),
      filter.since === undefined ? nothing : text`and u.timestamp >= ${filter.since}::text::timestamptz`,
      filter.until === undefined ? nothing : text`and u.timestamp <= ${filter.until}::text::timestamptz`,
      looksAtMessage(filter)
        ? text`and exists (select from messages m where m.tenant_id = u.tenant_id and m.session_id = u.session_id
            and m.seq = u.first_seq ${joined(messageFilters, text` `)})`
        : nothing,
    ],
    text` `,
  )
}
