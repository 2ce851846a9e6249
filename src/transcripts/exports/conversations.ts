import { fileChunks, fileHead, wholeFile } from '../bytes/file-bytes.ts'
import { damaged } from '../entry-builder.ts'
import type { TranscriptEvent } from '../format.ts'
import { arrayElements } from '../json/json-array.ts'
import { jsonDocuments } from '../json/json-documents.ts'
import { skipJsonSpace } from '../json/json-spans.ts'
import { nameFromContent } from '../session-name.ts'
import { SpanWriter, type Conversation } from '../span-writer.ts'

const openBracket = 0x5b

/**
 * The events of an export: a file that holds conversations one after the other, or an array of them, which is streamed one by one.
 * `understand` gets a conversation's bytes and a name for it in case it carries no id.
 */
export async function* exportEvents(
  path: string,
  understand: (bytes: Uint8Array, fallback: string) => Conversation,
): AsyncGenerator<TranscriptEvent> {
  const writer = new SpanWriter()
  const head = await fileHead(path)
  if (head[skipJsonSpace(head, 0)] !== openBracket) {
    for (const document of jsonDocuments(await wholeFile(path)))
      yield* writer.conversation(understand(document, nameFromContent(path, document)))
    yield writer.end()
    return
  }
  let last = nameFromContent(path, new Uint8Array())
  for await (const part of arrayElements(fileChunks(path))) {
    if (part.type === 'end') {
      writer.skip(part.after)
      continue
    }
    writer.skip(part.before)
    if (part.type === 'rest') {
      yield* writer.entry(last, part.bytes, damaged('Not part of the array of conversations'))
    } else {
      const conversation = understand(part.bytes, nameFromContent(path, part.bytes))
      last = conversation.head.id
      yield* writer.conversation(conversation)
    }
  }
  yield writer.end()
}
