import { isJsonObject } from '../../model/json/json.ts'
import type { Role } from '../../model/messages/message.ts'
import { callText, contentMeaning, joinTexts } from '../content-text.ts'
import type { EntryDraft, SessionDraft } from '../entry-builder.ts'
import { field, firstText, idField, isoTime, textField } from '../fields.ts'
import type { RowMeaning, RowReader } from '../jsonl-document.ts'
import { ModelTracker } from '../model-tracker.ts'
import { codexEvent } from './codex-events.ts'
import { CodexUsage } from './codex-usage.ts'

/** A fork's replay of its parent is written at once; what comes later than this after the row before is new. */
const replayGapMs = 1000
const envelopes = new Set(['session_meta', 'response_item', 'turn_context', 'event_msg', 'compacted', 'world_state'])
const roles = new Set<string>(['user', 'assistant', 'system', 'developer'])

/**
 * The rows of Codex rollouts. The conversation is in `response_item`; `event_msg` repeats most of it for the screen. A fork
 * starts with its own `session_meta`, then replays its parent, the parent's `session_meta` included.
 */
export class CodexRows implements RowReader {
  readonly #models = new ModelTracker()
  readonly #usage = new CodexUsage()
  readonly #toolNames = new Map<string, string>()
  readonly #eventsOnly: boolean
  readonly #fallback: string
  #own: string | undefined
  #model: string | undefined
  #startedAt: string | undefined
  #replayedAt: string | undefined
  #hasItems = false

  /** `eventsOnly` says that the file has no `response_item`, so that its events are all there is of the conversation. */
  constructor(fallback: string, options: { readonly eventsOnly: boolean }) {
    this.#fallback = fallback
    this.#eventsOnly = options.eventsOnly
  }

  session(): string {
    return this.#own ?? this.#fallback
  }

  /** The events were taken for the conversation, and now there is an item of it. */
  get isOutdated(): boolean {
    return this.#eventsOnly && this.#hasItems
  }

  read(value: unknown): RowMeaning {
    const wrapped = isJsonObject(field(value, 'payload'))
    const payload = wrapped ? field(value, 'payload') : value
    const type = textField(value, 'type')
    const timestamp = isoTime(field(value, 'timestamp')) ?? isoTime(field(payload, 'timestamp'))
    const head = isHeader(value, type) ? this.#meta(payload, timestamp) : undefined
    const copied = head === undefined && this.#isReplay(timestamp)
    const entry: EntryDraft = { id: idField(payload, 'id'), timestamp, ...this.#entry(payload, type, wrapped), copied }
    return { session: this.session(), entry, head }
  }

  /** The session's own header gives its head; a later one of another session belongs to a replay. */
  #meta(payload: unknown, timestamp: string | undefined): SessionDraft | undefined {
    const id = idField(payload, 'id') ?? this.#fallback
    if (this.#own !== undefined && id !== this.#own) {
      this.#replayedAt = timestamp
      return undefined
    }
    this.#own = id
    const spawned = textField(payload, 'source', 'subagent', 'thread_spawn', 'parent_thread_id')
    const forkedFrom = textField(payload, 'forked_from_id')
    const createdAt = isoTime(field(payload, 'timestamp')) ?? timestamp
    if (forkedFrom !== undefined) {
      this.#startedAt = createdAt
      this.#replayedAt = timestamp
    }
    return {
      id,
      title: textField(payload, 'thread_name'),
      parent: forkedFrom ?? spawned ?? textField(payload, 'parent_thread_id'),
      createdAt,
      metadata: {
        cwd: textField(payload, 'cwd'),
        version: textField(payload, 'cli_version'),
        originator: textField(payload, 'originator'),
        gitBranch: textField(payload, 'git', 'branch'),
      },
    }
  }

  #isReplay(timestamp: string | undefined): boolean {
    if (timestamp === undefined || this.#replayedAt === undefined) return false
    if (this.#startedAt !== undefined && timestamp < this.#startedAt) return true
    const gap = Date.parse(timestamp) - Date.parse(this.#replayedAt)
    this.#replayedAt = gap <= replayGapMs ? timestamp : undefined
    return gap <= replayGapMs
  }

  #entry(payload: unknown, type: string | undefined, wrapped: boolean): EntryDraft {
    if (wrapped && type === 'response_item') {
      this.#hasItems ||= textField(payload, 'role') !== undefined
      return this.#item(payload)
    }
    if (type === 'event_msg') return this.#event(payload)
    if (type === 'turn_context') {
      this.#model = textField(payload, 'model')
      return { kind: 'event', model: this.#model, contextSwitch: this.#models.see(this.#model) }
    }
    if (type === 'compacted') return { kind: 'event', text: textField(payload, 'message'), contextSwitch: 'compaction' }
    if (type === 'inter_agent_communication')
      return { kind: 'message', text: contentMeaning(field(payload, 'content')).text }
    if (type !== undefined && envelopes.has(type)) return { kind: 'event' }
    // The first versions wrote the items bare, after a header without a type.
    return wrapped || (type === undefined && field(payload, 'role') === undefined) ? bare(payload) : this.#item(payload)
  }

  #event(payload: unknown): EntryDraft {
    const usage = this.#usage.ofEvent(payload)
    return { model: usage === undefined ? undefined : this.#model, ...codexEvent(payload, this.#eventsOnly), usage }
  }

  #item(payload: unknown): EntryDraft {
    const type = textField(payload, 'type')
    const role = textField(payload, 'role')
    if (type === 'message' || type === 'agent_message' || (type === undefined && role !== undefined))
      return this.#message(payload, role)
    if (type === 'reasoning') {
      const text = joinTexts([
        contentMeaning(field(payload, 'summary')).text,
        contentMeaning(field(payload, 'content')).text,
      ])
      return { kind: 'message', role: 'assistant', sender: this.#model, model: this.#model, text }
    }
    if (type === 'token_count') return { kind: 'event', model: this.#model, usage: this.#usage.ofItem(payload) }
    if (type?.endsWith('_output') === true || type === 'tool_result' || type === 'function_result')
      return this.#output(payload)
    if (type?.endsWith('_call') === true) return this.#call(payload, type)
    if (type === 'ghost_snapshot' || type === 'compaction') return { kind: 'event' }
    return { kind: 'unknown', text: contentMeaning(field(payload, 'content')).text }
  }

  #message(payload: unknown, written: string | undefined): EntryDraft {
    const role: Role = isRole(written) ? written : 'assistant'
    const model = role === 'assistant' ? this.#model : undefined
    const text = contentMeaning(field(payload, 'content') ?? field(payload, 'message')).text
    return { kind: 'message', role, sender: model, model, text }
  }

  #call(payload: unknown, type: string): EntryDraft {
    const name = textField(payload, 'name') ?? textField(payload, 'function', 'name') ?? type.replace(/_call$/u, '')
    const id = idField(payload, 'call_id') ?? idField(payload, 'id')
    if (id !== undefined) this.#toolNames.set(id, name)
    const input = field(payload, 'arguments') ?? field(payload, 'input') ?? field(payload, 'action')
    const text = joinTexts([callText(name, input), textField(payload, 'summary')])
    return {
      kind: 'message',
      role: 'assistant',
      sender: this.#model,
      model: this.#model,
      text,
      toolsUsed: [name],
      toolCallId: id,
    }
  }

  #output(payload: unknown): EntryDraft {
    const id = idField(payload, 'call_id')
    const output = field(payload, 'output') ?? field(payload, 'result') ?? field(payload, 'tools')
    const sender = textField(payload, 'name') ?? (id === undefined ? undefined : this.#toolNames.get(id))
    return { kind: 'message', role: 'tool', sender, toolCallId: id, text: contentMeaning(output).text }
  }
}

function isHeader(value: unknown, type: string | undefined): boolean {
  return (
    type === 'session_meta' ||
    (type === undefined && field(value, 'role') === undefined && 'instructions' in Object(value))
  )
}

function isRole(role: string | undefined): role is Role {
  return role !== undefined && roles.has(role)
}

/** A row of no known kind, or the header of the first versions. */
function bare(payload: unknown): EntryDraft {
  const known = field(payload, 'record_type') !== undefined || isHeader(payload, textField(payload, 'type'))
  return { kind: known ? 'event' : 'unknown', text: firstText(payload, ['text', 'message']) }
}
