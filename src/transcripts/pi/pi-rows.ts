import type { ContextSwitch, Role, TokenUsage } from '../../model/messages/message.ts'
import { BranchTracker } from '../branch-tracker.ts'
import { callText, contentMeaning, joinTexts, type ContentMeaning } from '../content-text.ts'
import type { EntryDraft, SessionDraft } from '../entry-builder.ts'
import { countField, field, idField, isoTime, textField } from '../fields.ts'
import type { RowMeaning, RowReader } from '../jsonl-document.ts'
import { withoutDataUrls } from '../media.ts'
import { ModelTracker } from '../model-tracker.ts'

/** How a file's sessions are named. */
export interface PiNaming {
  /** The session of rows that come before any header. */
  readonly fallback: string
  /** The id of a session from the id in its header. */
  name(headerId: string): string
  /** The id of the session that a header's `parentSession` or `branchedFrom` names. */
  parent(reference: string): string
  /** True where the session that this one was forked from is kept elsewhere too, so that copied rows count there. */
  readonly parentIsKept: boolean
}

/**
 * The rows of pi-coding-agent sessions (v1 to v3), which OpenClaw took over: a header, then a tree of entries by
 * `parentId` (v1 is linear and has no ids). A fork begins with copies of its parent's rows, older than the fork's header.
 */
export class PiRows implements RowReader {
  readonly #naming: PiNaming
  readonly #models = new ModelTracker()
  readonly #branches = new BranchTracker()
  #session: string
  #forkedAt: string | undefined

  constructor(naming: PiNaming) {
    this.#naming = naming
    this.#session = naming.fallback
  }

  session(): string {
    return this.#session
  }

  read(value: unknown): RowMeaning {
    if (field(value, 'type') === 'session') return this.#header(value)
    const timestamp = isoTime(field(value, 'timestamp')) ?? isoTime(field(value, 'message', 'timestamp'))
    const copied = this.#forkedAt !== undefined && timestamp !== undefined && timestamp < this.#forkedAt
    const title = field(value, 'type') === 'session_info' ? textField(value, 'name') : undefined
    return {
      session: this.#session,
      entry: {
        id: idField(value, 'id'),
        parentId: idField(value, 'parentId'),
        timestamp,
        copied,
        ...this.#entry(value),
      },
      head: title === undefined ? undefined : { id: this.#session, title },
    }
  }

  #header(value: unknown): RowMeaning {
    const id = idField(value, 'id')
    if (id !== undefined) this.#session = this.#naming.name(id)
    const timestamp = isoTime(field(value, 'timestamp'))
    const reference = textField(value, 'parentSession') ?? textField(value, 'branchedFrom')
    this.#forkedAt = reference !== undefined && this.#naming.parentIsKept ? timestamp : undefined
    const model = textField(value, 'modelId')
    this.#models.see(model)
    const head: SessionDraft = {
      id: this.#session,
      createdAt: timestamp,
      parent: reference === undefined ? undefined : this.#naming.parent(reference),
      metadata: { cwd: textField(value, 'cwd'), version: countField(value, 'version') },
    }
    return { session: this.#session, entry: { kind: 'event', id, timestamp, model }, head }
  }

  #entry(value: unknown): EntryDraft {
    switch (field(value, 'type')) {
      case 'message':
        return this.#message(value)
      case 'model_change': {
        const model = textField(value, 'modelId')
        return { kind: 'event', model, contextSwitch: this.#models.see(model) }
      }
      case 'compaction':
        return { kind: 'event', text: textField(value, 'summary'), contextSwitch: 'compaction' }
      case 'branch_summary':
        return { kind: 'event', text: textField(value, 'summary'), contextSwitch: 'branch' }
      case 'custom': {
        const model = field(value, 'customType') === 'model-snapshot' ? textField(value, 'data', 'modelId') : undefined
        return { kind: 'event', model, contextSwitch: this.#models.see(model) }
      }
      case 'custom_message':
        return {
          kind: 'message',
          sender: textField(value, 'customType'),
          text: contentMeaning(field(value, 'content')).text,
        }
      case 'label':
        return { kind: 'event', text: textField(value, 'label') }
      case 'thinking_level_change':
      case 'session_info':
      case 'leaf':
        return { kind: 'event' }
      default:
        return { kind: 'unknown' }
    }
  }

  #message(value: unknown): EntryDraft {
    const draft = piMessage(field(value, 'message'))
    const model = draft.role === 'assistant' ? this.#models.see(draft.model) : undefined
    return { ...draft, contextSwitch: model ?? this.#branch(value) }
  }

  /** A second message on the same parent starts another branch. Side rows are attached to a turn, not part of the line. */
  #branch(value: unknown): ContextSwitch | undefined {
    return field(value, 'appendMode') === 'side' ? undefined : this.#branches.see(idField(value, 'parentId'))
  }
}

/** A message as pi and OpenClaw keep it, inside a row or alone. */
function piMessage(message: unknown): EntryDraft {
  const meaning = contentMeaning(field(message, 'content'))
  switch (field(message, 'role')) {
    case 'user':
      return spoken('user', meaning)
    case 'system':
      return spoken('system', meaning)
    case 'developer':
      return spoken('developer', meaning)
    case 'assistant':
      return assistant(message, meaning)
    case 'toolResult':
      return {
        kind: 'message',
        role: 'tool',
        sender: textField(message, 'toolName'),
        toolCallId: idField(message, 'toolCallId'),
        text: meaning.text,
      }
    case 'bashExecution':
      return bash(message)
    case 'branchSummary':
    case 'compactionSummary':
      return { kind: 'message', text: textField(message, 'summary') ?? meaning.text }
    case 'custom':
    case 'hookMessage':
      return { kind: 'message', sender: textField(message, 'customType'), text: meaning.text }
    default:
      return { kind: 'unknown', text: meaning.text }
  }
}

function spoken(role: Role, meaning: ContentMeaning): EntryDraft {
  return { kind: 'message', role, text: meaning.text }
}

function assistant(message: unknown, meaning: ContentMeaning): EntryDraft {
  const model = textField(message, 'model')
  return {
    kind: 'message',
    role: 'assistant',
    sender: model,
    model,
    text: joinTexts([meaning.text, textField(message, 'errorMessage')]),
    usage: piUsage(field(message, 'usage')),
    toolsUsed: meaning.toolsUsed,
    toolCallId: meaning.callIds.length === 1 ? meaning.callIds[0] : undefined,
  }
}

/** A command that the person ran in the agent's shell. */
function bash(message: unknown): EntryDraft {
  const output = textField(message, 'output')
  const shown = output === undefined ? undefined : withoutDataUrls(output)
  return {
    kind: 'message',
    role: 'tool',
    sender: 'bash',
    text: joinTexts([callText('bash', field(message, 'command')), shown]),
  }
}

function piUsage(usage: unknown): TokenUsage | undefined {
  const input = countField(usage, 'input')
  const output = countField(usage, 'output')
  if (input === undefined && output === undefined) return undefined
  return {
    input: input ?? 0,
    output: output ?? 0,
    cacheRead: countField(usage, 'cacheRead') ?? 0,
    cacheWrite: countField(usage, 'cacheWrite') ?? 0,
  }
}
