import { isJsonObject } from '../../model/json/json.ts'
import type { ContextSwitch, Role, TokenUsage } from '../../model/messages/message.ts'
import { BranchTracker } from '../branch-tracker.ts'
import { contentMeaning, joinTexts, type ContentMeaning } from '../content-text.ts'
import type { EntryDraft, SessionDraft } from '../entry-builder.ts'
import { countField, field, firstText, idField, isoTime, textField } from '../fields.ts'
import type { RowMeaning, RowReader } from '../jsonl-document.ts'
import { readableJson } from '../media.ts'
import { ModelTracker } from '../model-tracker.ts'
import { UsageMaxima } from '../usage.ts'

/** What the file's path says, which the rows alone do not. */
export interface ClaudeCodeNaming {
  /** The session of rows that name none. */
  readonly fallback: string
  /** The file of a subagent is a session of its own below the session it works for. */
  readonly subagent?: { readonly id: string; readonly parent: string } | undefined
  /** True where the rows of this other session stand in a file of their own too. */
  isKeptElsewhere(sessionId: string): boolean
}

/** Row types that carry no turn: they are kept and shown as events. */
const events = new Set([
  'agent-name',
  'ai-title',
  'attachment',
  'custom-title',
  'file-history-snapshot',
  'last-prompt',
  'mode',
  'permission-mode',
  'pr-link',
  'progress',
  'queue-operation',
  'summary',
  'system',
  'tag',
  'worktree-state',
])

/** The rows of Claude Code sessions: user and assistant turns, and a growing number of kinds of events. */
export class ClaudeCodeRows implements RowReader {
  readonly #naming: ClaudeCodeNaming
  readonly #models = new ModelTracker()
  readonly #usage = new UsageMaxima()
  readonly #toolNames = new Map<string, string>()
  readonly #prompts = new BranchTracker()
  #session: string

  constructor(naming: ClaudeCodeNaming) {
    this.#naming = naming
    this.#session = naming.fallback
  }

  session(): string {
    return this.#session
  }

  read(value: unknown): RowMeaning {
    const named = textField(value, 'sessionId')
    this.#session = this.#naming.subagent?.id ?? named ?? this.#session
    const forked = field(value, 'forkedFrom') !== undefined
    const entry: EntryDraft = {
      id: textField(value, 'uuid'),
      parentId: textField(value, 'parentUuid') ?? textField(value, 'logicalParentUuid'),
      timestamp: isoTime(field(value, 'timestamp')),
      copied: forked || (named !== undefined && named !== this.#naming.fallback && this.#naming.isKeptElsewhere(named)),
      ...this.#entry(value),
    }
    return { session: this.#session, entry, head: this.#head(value, named) }
  }

  #head(value: unknown, named: string | undefined): SessionDraft | undefined {
    const title = firstText(value, ['customTitle', 'aiTitle', 'title']) ?? summaryTitle(value)
    if (named === undefined && title === undefined) return undefined
    return {
      id: this.#session,
      title,
      parent: this.#naming.subagent?.parent ?? textField(value, 'forkedFrom', 'sessionId'),
      metadata: {
        cwd: textField(value, 'cwd'),
        gitBranch: textField(value, 'gitBranch'),
        version: textField(value, 'version'),
      },
    }
  }

  #entry(value: unknown): EntryDraft {
    const type = textField(value, 'type') ?? textField(value, 'message', 'role')
    if (type === 'user') return this.#user(value)
    if (type === 'assistant') return this.#assistant(value)
    if (type === 'system') return systemEvent(value)
    if (type === undefined || !events.has(type))
      return { kind: 'unknown', text: contentMeaning(field(value, 'message', 'content')).text }
    const text =
      firstText(value, ['summary', 'customTitle', 'aiTitle', 'prUrl', 'content', 'lastPrompt', 'prompt']) ??
      readableJson(field(value, 'attachment') ?? field(value, 'data') ?? '')
    return { kind: 'event', text }
  }

  #user(value: unknown): EntryDraft {
    const message = field(value, 'message')
    const meaning = contentMeaning(isJsonObject(message) ? message['content'] : message)
    const { role, sender } = this.#speaker(value, meaning)
    return {
      kind: 'message',
      role,
      sender,
      text: meaning.text,
      toolCallId: meaning.resultIds[0],
      contextSwitch: role === 'user' ? this.#branch(value) : undefined,
    }
  }

  /** Tool results and the harness's own words come as user rows too; only the rest is a person's. */
  #speaker(value: unknown, meaning: ContentMeaning): { readonly role: Role; readonly sender?: string | undefined } {
    if (meaning.resultIds.length > 0) return { role: 'tool', sender: this.#toolNames.get(meaning.resultIds[0] ?? '') }
    if (field(value, 'isMeta') === true || field(value, 'isCompactSummary') === true) return { role: 'custom' }
    // A subagent's prompt is written by the agent that calls it.
    return field(value, 'isSidechain') === true ? { role: 'user', sender: 'agent' } : { role: 'user' }
  }

  #assistant(value: unknown): EntryDraft {
    const message = field(value, 'message')
    const meaning = contentMeaning(isJsonObject(message) ? message['content'] : message)
    for (const [index, id] of meaning.callIds.entries()) this.#toolNames.set(id, meaning.toolsUsed[index] ?? '')
    const written = textField(message, 'model')
    const model = written === '<synthetic>' ? undefined : written
    return {
      kind: 'message',
      role: 'assistant',
      sender: model,
      model,
      text: meaning.text,
      usage: this.#contribution(value),
      toolsUsed: meaning.toolsUsed,
      toolCallId: meaning.callIds.length === 1 ? meaning.callIds[0] : undefined,
      // A subagent inside the file runs its own model beside the main one, which does not change.
      contextSwitch:
        field(value, 'isSidechain') === true && this.#naming.subagent === undefined
          ? undefined
          : this.#models.see(model),
    }
  }

  /** One API message is written as several rows, each repeating its usage so far. */
  #contribution(value: unknown): TokenUsage | undefined {
    const usage = field(value, 'message', 'usage')
    const input = countField(usage, 'input_tokens')
    const output = countField(usage, 'output_tokens')
    if (input === undefined && output === undefined) return undefined
    const id = textField(value, 'message', 'id')
    const key = id === undefined ? undefined : `${id} ${idField(value, 'requestId') ?? ''}`
    return this.#usage.contribution(key, {
      input: input ?? 0,
      output: output ?? 0,
      cacheRead: countField(usage, 'cache_read_input_tokens') ?? 0,
      cacheWrite: countField(usage, 'cache_creation_input_tokens') ?? 0,
    })
  }

  /** A second prompt on the same parent is an edit or a rewind. Several tool results on one parent are not. */
  #branch(value: unknown): ContextSwitch | undefined {
    return field(value, 'isSidechain') === true ? undefined : this.#prompts.see(textField(value, 'parentUuid'))
  }
}

function systemEvent(value: unknown): EntryDraft {
  const subtype = textField(value, 'subtype')
  const compacted = subtype === 'compact_boundary' || subtype === 'microcompact_boundary'
  const error = textField(value, 'error', 'message') ?? textField(value, 'error', 'error', 'message')
  return {
    kind: 'event',
    role: 'system',
    text: joinTexts([textField(value, 'content'), error]),
    contextSwitch: compacted ? 'compaction' : undefined,
  }
}

function summaryTitle(value: unknown): string | undefined {
  return field(value, 'type') === 'summary' ? textField(value, 'summary') : undefined
}
