import type { Role } from '../../model/messages/message.ts'
import { BranchTracker } from '../branch-tracker.ts'
import { contentMeaning, joinTexts } from '../content-text.ts'
import type { EntryDraft } from '../entry-builder.ts'
import { field, firstText, idField, isoTime, listField, textField } from '../fields.ts'
import type { TranscriptDocument, TranscriptFormat, TranscriptSample } from '../format.ts'
import { listSpans, readListDocument, wholeConversation } from '../list-document.ts'
import { headShape } from '../sample.ts'
import type { Conversation } from '../span-writer.ts'
import { exportEvents } from './conversations.ts'

const roles = new Map<unknown, Role>([
  ['human', 'user'],
  ['user', 'user'],
  ['assistant', 'assistant'],
  ['system', 'system'],
])

/** Claude.ai's data export (`conversations.json`), and a single conversation as its API gives it. */
export const claudeAi: TranscriptFormat = {
  name: 'claude-ai',
  label: 'Claude.ai export',
  detect: (sample: TranscriptSample) => {
    const names = headShape(sample)?.names
    return names?.has('chat_messages') === true ? 0.95 : 0
  },
  async *documents(path): AsyncGenerator<TranscriptDocument> {
    yield { name: '', events: exportEvents(path, readConversation) }
  },
  places: () => [],
}

function readConversation(bytes: Uint8Array, fallback: string): Conversation {
  const document = readListDocument(bytes, ['chat_messages'])
  if (document === undefined) return wholeConversation(bytes, fallback)
  const { facts } = document
  const model = textField(facts, 'model')
  const branches = new BranchTracker()
  return {
    bytes,
    head: {
      id: idField(facts, 'uuid') ?? idField(facts, 'conversation_id') ?? fallback,
      title: textField(facts, 'name'),
      createdAt: isoTime(field(facts, 'created_at')),
      metadata: { summary: textField(facts, 'summary'), project: textField(facts, 'project', 'name') },
    },
    spans: listSpans(bytes, document, (value) => {
      const draft = readMessage(value, model)
      return { ...draft, contextSwitch: branches.see(draft.parentId) }
    }),
  }
}

function readMessage(value: unknown, model: string | undefined): EntryDraft {
  const role = roles.get(field(value, 'sender'))
  const meaning = contentMeaning(field(value, 'content'))
  const said = meaning.text === '' ? contentMeaning(field(value, 'text')).text : meaning.text
  const files = [...listField(value, 'attachments'), ...listField(value, 'files')].map(fileText)
  return {
    kind: role === undefined ? 'unknown' : 'message',
    id: idField(value, 'uuid'),
    parentId: idField(value, 'parent_message_uuid'),
    timestamp: isoTime(field(value, 'created_at')),
    role,
    sender: role === 'assistant' ? model : undefined,
    model: role === 'assistant' ? model : undefined,
    text: joinTexts([said, ...files]),
    toolsUsed: meaning.toolsUsed,
    toolCallId: meaning.callIds.length === 1 ? meaning.callIds[0] : undefined,
  }
}

/** An attachment's text came with the message; of other files only the name did. */
function fileText(file: unknown): string {
  const name = firstText(file, ['file_name', 'name'])
  return joinTexts([
    name === undefined ? undefined : `[file, ${name}]`,
    contentMeaning(field(file, 'extracted_content')).text,
  ])
}
