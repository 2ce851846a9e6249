import { describeFlags, type MessageFlags } from '../model/messages/message-flags.ts'
import { counted } from '../model/text/counted.ts'
import { fence } from '../model/text/fence.ts'
import { inOneLine } from '../model/text/one-line.ts'
import { describeUnknownName, type UnknownName } from '../model/unknown-name.ts'
import { stateOf } from '../sessions/message-state.ts'

export interface SearchMessage {
  readonly id: string
  readonly seq: number
  readonly timestamp: string
  readonly sender: string
  readonly role: string
  readonly trust: string
  /** What it is flagged for: instructions to a model, secrets. */
  readonly flags?: MessageFlags
  readonly text: string
  readonly truncated?: boolean
  /** The message that this one corrects, which is not found any more. */
  readonly corrects?: string
  readonly hit?: {
    readonly rank: number
    readonly score: number
    readonly why: {
      readonly lexical_rank?: number
      readonly semantic_rank?: number
      readonly of_time?: boolean
      readonly terms: readonly string[]
      readonly filters: readonly string[]
      /** Of what was recalled unasked: what of the conversation led to it. */
      readonly reasons?: readonly string[]
    }
  }
}

export interface SearchResult {
  readonly session_id: string
  readonly title?: string
  readonly source: string
  readonly started_at: string
  readonly messages: readonly SearchMessage[]
}

export interface SearchCoverage {
  /** Whether every message that holds a telling word was looked at, or the likeliest ones. */
  readonly mode: 'exhaustive' | 'top_k'
  readonly messages_searched: number
  readonly semantic: 'on' | 'off' | 'behind' | 'unavailable'
  /** Where weights of the ranking are others than usual, as was learned of which results were used. */
  readonly ranking?: 'learned'
  /** Where a model was asked for words to look for too: which it added, and the milliseconds that the search waited for it. */
  readonly expansion?: { readonly added: readonly string[]; readonly ms: number }
}

/** The reply of `search_memory`, the same in both formats. */
export interface SearchReply {
  readonly notice: string
  readonly results: readonly SearchResult[]
  readonly coverage: SearchCoverage
  readonly degraded: readonly string[]
  /** Where nothing was found: names that it was narrowed to and that no session has, and which they have that are nearly these. */
  readonly unknown_names?: readonly UnknownName[]
  readonly next_cursor?: string
}

/** A hit without a word of the query is of its time, near in meaning, or stands beside a message that has them. */
function reasonOf(why: NonNullable<SearchMessage['hit']>['why']): string {
  if (why.reasons !== undefined && why.reasons.length > 0) return why.reasons.join('; ')
  if (why.terms.length > 0) return `matches: ${why.terms.join(', ')}`
  if (why.of_time === true) return 'of the time that is asked about'
  return why.semantic_rank === undefined ? 'beside a match' : 'near in meaning'
}

function expansionNote({ added, ms }: NonNullable<SearchCoverage['expansion']>): string {
  return `A model added to the query, in ${ms} ms: ${added.join(', ') || 'nothing'}.`
}

/** How far to trust a message, and what else to know of it before one reads it. */
function labelOf(message: SearchMessage): string {
  const { role, trust, flags, id } = message
  const described = describeFlags(flags)
  return [
    role,
    `trust: ${trust}`,
    ...(described === undefined ? [] : [described]),
    `id ${id}`,
    ...stateOf(message),
  ].join(', ')
}

const nothingFound = 'Nothing was found. Try other words, fewer filters, or list_sessions.'

/** The reply as one reads it: sessions, their messages in order, hits marked, all inside a fence; `nothing` where there are none. */
export function renderSearch(reply: SearchReply, nothing = nothingFound): string {
  const lines: string[] = []
  for (const result of reply.results) {
    lines.push(
      `## session ${result.session_id} (${result.source}, started ${result.started_at})${result.title === undefined ? '' : ` — ${inOneLine(result.title)}`}`,
    )
    for (const message of result.messages) {
      const mark = message.hit === undefined ? '' : ` ← hit ${message.hit.rank}, ${reasonOf(message.hit.why)}`
      lines.push(
        `[${message.seq}] ${message.timestamp} ${inOneLine(message.sender)} (${labelOf(message)})${mark}`,
        message.text,
        '',
      )
    }
  }
  const found =
    reply.results.length === 0
      ? [nothing, ...unknownNote(reply.unknown_names)].join('\n')
      : fence(lines.join('\n').trimEnd(), 'search results')
  return `${found}\n${searchNotes(reply)}`
}

/** Names are what somebody wrote. */
function unknownNote(names: readonly UnknownName[] = []): readonly string[] {
  return names.length === 0 ? [] : [fence(names.map(describeUnknownName).join('\n'), 'names')]
}

/** What there is to know of a search besides what it found. */
export function searchNotes(reply: SearchReply): string {
  const { coverage } = reply
  const notes = [
    `Searched ${counted(coverage.messages_searched, 'message')} (${coverage.mode}); semantic search: ${coverage.semantic}${coverage.ranking === undefined ? '' : `; ranking: ${coverage.ranking} from use`}.`,
    ...(coverage.expansion === undefined ? [] : [expansionNote(coverage.expansion)]),
    ...reply.degraded.map((reason) => `Degraded: ${reason}.`),
    ...(reply.next_cursor === undefined
      ? []
      : [`More: call search_memory again with the same arguments and cursor "${reply.next_cursor}".`]),
    ...(reply.results.length === 0 ? [] : ['Whole messages: get_session with session_id and from_seq.']),
  ]
  return notes.join('\n')
}
