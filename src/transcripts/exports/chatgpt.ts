import type { Role } from '../../model/messages/message.ts'
import { BranchTracker } from '../branch-tracker.ts'
import { callText, contentMeaning, joinTexts } from '../content-text.ts'
import type { EntryDraft } from '../entry-builder.ts'
import { field, firstText, idField, isoTime, listField, textField } from '../fields.ts'
import type { TranscriptDocument, TranscriptFormat, TranscriptSample } from '../format.ts'
import { listSpans, readListDocument, wholeConversation } from '../list-document.ts'
import { ModelTracker } from '../model-tracker.ts'
import { headShape } from '../sample.ts'
import type { Conversation } from '../span-writer.ts'
import { exportEvents } from './conversations.ts'

const roles = new Map<unknown, Role>([
  ['user', 'user'],
  ['assistant', 'assistant'],
  ['system', 'system'],
  ['tool', 'tool'],
  ['developer', 'developer'],
])

/** ChatGPT's data export: `conversations.json`, or one conversation. Each conversation is a tree of nodes with branches. */
export const chatgpt: TranscriptFormat = {
  name: 'chatgpt',
  label: 'ChatGPT export',
  detect: (sample: TranscriptSample) => {
    const names = headShape(sample)?.names
    if (names?.has('mapping') !== true) return 0
    return names.has('create_time') || names.has('current_node') || names.has('conversation_id') ? 0.95 : 0.6
  },
  async *documents(path): AsyncGenerator<TranscriptDocument> {
    yield { name: '', events: exportEvents(path, readConversation) }
  },
  places: () => [],
}

function readConversation(bytes: Uint8Array, fallback: string): Conversation {
  const document = readListDocument(bytes, ['mapping'])
  if (document === undefined) return wholeConversation(bytes, fallback)
  const { facts } = document
  const nodes = new ChatgptNodes()
  return {
    bytes,
    head: {
      id: idField(facts, 'conversation_id') ?? idField(facts, 'id') ?? fallback,
      title: textField(facts, 'title'),
      createdAt: isoTime(field(facts, 'create_time')),
      metadata: { gizmo: textField(facts, 'gizmo_id'), defaultModel: textField(facts, 'default_model_slug') },
    },
    spans: listSpans(bytes, document, (value, child) => nodes.read(value, child.key)),
  }
}

class ChatgptNodes {
  readonly #models = new ModelTracker()
  readonly #branches = new BranchTracker()

  read(node: unknown, key: string | undefined): EntryDraft {
    const id = idField(node, 'id') ?? key
    const parentId = idField(node, 'parent')
    const message = field(node, 'message')
    if (message === null || message === undefined)
      return { kind: field(node, 'id') === undefined ? 'unknown' : 'event', id, parentId }
    const draft = {
      id,
      parentId,
      timestamp: isoTime(field(message, 'create_time')),
      ...nodeMessage(message, id, parentId),
    }
    const model = this.#models.see(draft.model)
    return { ...draft, contextSwitch: model ?? this.#branches.see(parentId) }
  }
}

function nodeMessage(message: unknown, id: string | undefined, parentId: string | undefined): EntryDraft {
  const role = roles.get(field(message, 'author', 'role')) ?? 'custom'
  const model = role === 'assistant' ? textField(message, 'metadata', 'model_slug') : undefined
  const text = contentText(field(message, 'content'))
  const recipient = textField(message, 'recipient')
  if (role === 'assistant' && recipient !== undefined && recipient !== 'all') {
    // A call carries its tool in `recipient` and its input as content; its answer is the child node.
    return {
      kind: 'message',
      role,
      sender: model,
      model,
      text: callText(recipient, text),
      toolsUsed: [recipient],
      toolCallId: id,
    }
  }
  const kind = text === '' && role === 'system' ? 'event' : 'message'
  const sender = role === 'assistant' ? model : textField(message, 'author', 'name')
  return { kind, role, sender, model, text, toolCallId: role === 'tool' ? parentId : undefined }
}

function contentText(content: unknown): string {
  const parts = listField(content, 'parts').map((part) => assetMarker(part) ?? contentMeaning(part).text)
  const thoughts = listField(content, 'thoughts').map((thought) =>
    joinTexts([textField(thought, 'summary'), textField(thought, 'content')]),
  )
  const texts = ['title', 'text', 'result', 'content', 'user_profile', 'user_instructions'].map((name) =>
    textField(content, name),
  )
  return contentMeaning(joinTexts([...texts, ...thoughts, ...parts])).text
}

/** Images and sounds are files beside the export; the message only points to them. */
function assetMarker(part: unknown): string | undefined {
  const kind = textField(part, 'content_type')?.replace(/_asset_pointer$/u, '')
  const pointer = firstText(part, ['asset_pointer'])
  return kind === undefined || pointer === undefined ? undefined : `[${kind}, ${pointer}]`
}
