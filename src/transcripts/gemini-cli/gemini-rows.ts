import type { TokenUsage } from '../../model/messages/message.ts'
import { contentMeaning, callText, joinTexts } from '../content-text.ts'
import type { EntryDraft, SessionDraft } from '../entry-builder.ts'
import { countField, field, idField, isoTime, listField, textField } from '../fields.ts'
import type { RowMeaning, RowReader } from '../jsonl-document.ts'
import { ModelTracker } from '../model-tracker.ts'
import { UsageMaxima } from '../usage.ts'

/** Messages of Gemini CLI, from the list of a JSON file or from the lines of the newer JSONL. */
export class GeminiMessages {
  readonly #models = new ModelTracker()
  readonly #usage = new UsageMaxima()

  read(value: unknown): EntryDraft {
    const base = { id: idField(value, 'id'), timestamp: isoTime(field(value, 'timestamp')) }
    const meaning = contentMeaning(field(value, 'content'))
    switch (field(value, 'type')) {
      case 'user':
        return { ...base, kind: 'message', role: 'user', text: meaning.text }
      case 'gemini':
        return { ...base, ...this.#answer(value, meaning.text) }
      case 'info':
      case 'warning':
      case 'error':
        return { ...base, kind: 'event', role: 'system', text: meaning.text }
      default:
        return { ...base, kind: 'unknown', text: meaning.text }
    }
  }

  #answer(value: unknown, said: string): EntryDraft {
    const model = textField(value, 'model')
    const thoughts = listField(value, 'thoughts').map((thought) =>
      joinTexts([textField(thought, 'subject'), textField(thought, 'description')]),
    )
    const calls = listField(value, 'toolCalls')
    const only = calls.length === 1 ? calls[0] : undefined
    return {
      kind: 'message',
      role: 'assistant',
      sender: model,
      model,
      text: joinTexts([...thoughts, said, ...calls.map(toolText)]),
      usage: this.#contribution(value),
      toolsUsed: calls.map((call) => textField(call, 'name')).filter((name) => name !== undefined),
      toolCallId: idField(only, 'id'),
      contextSwitch: this.#models.see(model),
    }
  }

  /** `input` includes what came from the cache; `total` shows that thoughts are not part of `output`. */
  #contribution(value: unknown): TokenUsage | undefined {
    const tokens = field(value, 'tokens')
    const input = countField(tokens, 'input')
    const output = countField(tokens, 'output')
    if (input === undefined && output === undefined) return undefined
    const cacheRead = countField(tokens, 'cached') ?? 0
    return this.#usage.contribution(idField(value, 'id'), {
      input: Math.max(0, (input ?? 0) - cacheRead) + (countField(tokens, 'tool') ?? 0),
      output: (output ?? 0) + (countField(tokens, 'thoughts') ?? 0),
      cacheRead,
      cacheWrite: 0,
    })
  }
}

/** The lines of the newer JSONL: a header, messages (again where they grew), `$set` of header fields, `$rewindTo`. */
export class GeminiRows implements RowReader {
  readonly #messages = new GeminiMessages()
  #session: string

  constructor(fallback: string) {
    this.#session = fallback
  }

  session(): string {
    return this.#session
  }

  read(value: unknown): RowMeaning {
    if (field(value, '$rewindTo') !== undefined) return this.#event({ kind: 'event', contextSwitch: 'branch' })
    if (field(value, '$set') !== undefined)
      return this.#event({ kind: 'event', timestamp: isoTime(field(value, '$set', 'lastUpdated')) })
    if (textField(value, 'sessionId') !== undefined && field(value, 'type') === undefined) {
      const head = geminiHead(value, this.#session)
      this.#session = head.id
      return { session: head.id, entry: { kind: 'event', timestamp: head.createdAt }, head }
    }
    return { session: this.#session, entry: this.#messages.read(value) }
  }

  #event(entry: EntryDraft): RowMeaning {
    return { session: this.#session, entry }
  }
}

/** What the head of a recording says of its session. */
export function geminiHead(facts: unknown, fallback: string): SessionDraft {
  return {
    id: textField(facts, 'sessionId') ?? fallback,
    title: textField(facts, 'summary'),
    createdAt: isoTime(field(facts, 'startTime')),
    metadata: { projectHash: textField(facts, 'projectHash'), kind: textField(facts, 'kind') },
  }
}

function toolText(call: unknown): string {
  const result = contentMeaning(field(call, 'result')).text
  return joinTexts([callText(textField(call, 'name') ?? 'tool', field(call, 'args')), result])
}
