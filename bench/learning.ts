import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { z } from 'zod'

import { mediaTypeOf, senderOf, storedText } from '../src/capture/documents/entry-fields.ts'
import { extractFacts, type TellingMessage } from '../src/insight/learning/extract-facts.ts'
import { assertedOf } from '../src/insight/learning/meant/asserted.ts'
import { isFlagged } from '../src/model/messages/message-flags.ts'
import type { Role } from '../src/model/messages/message.ts'
import { textOfPayload } from '../src/model/messages/payload.ts'
import { flagsOf } from '../src/privacy/flag-text.ts'
import { detectFormat } from '../src/transcripts/registry.ts'

/*
 * What the patterns of learning find in real transcripts and in conversations that were written for benches, a line a fact, to be
 * read and judged by a person: `npx tsx bench/learning.ts --data DIRECTORY [--seed N --sample N]`. How it was judged is in
 * docs/learning.md.
 */

interface Turn {
  readonly role: Role
  readonly sender: string
  readonly text: string
}

const { values } = parseArgs({
  options: { data: { type: 'string' }, sample: { type: 'string' }, seed: { type: 'string', default: '1' } },
})
const data = values.data ?? '../shared/data'

function told(
  turn: Turn,
  asserted = assertedOf(turn.text, { payload: Buffer.from(turn.text), mediaType: 'text/plain' }),
) {
  const message: TellingMessage = {
    id: '00000000-0000-8000-8000-000000000000',
    seq: 1,
    role: turn.role,
    sender: turn.sender,
    timestamp: '2026-01-01T00:00:00.000Z',
    asserted,
  }
  return isFlagged(flagsOf({ text: turn.text, whole: turn.text })) ? [] : extractFacts(message)
}

async function* filesBelow(directory: string): AsyncGenerator<string> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) yield* filesBelow(path)
    else yield path
  }
}

type Line = readonly [source: string, kind: string, subject: string, text: string]
const lines: Line[] = []
const messages = { transcripts: 0, locomo: 0, beam: 0, longmemeval: 0, held: 0 }

function add(source: keyof typeof messages, turn: Turn, asserted?: Parameters<typeof told>[1]): void {
  messages[source]++
  for (const { kind, subject, text } of told(turn, asserted)) lines.push([source, kind, subject, text])
}

async function readTranscripts(): Promise<void> {
  for await (const path of filesBelow(join(data, 'transcripts'))) {
    const format = (await detectFormat(path))?.format
    if (format === undefined) continue
    for await (const document of format.documents(path))
      for await (const event of document.events) {
        if (event.type !== 'entry' || event.kind !== 'message') continue
        const mediaType = mediaTypeOf(event)
        const text = storedText(event) ?? textOfPayload(event.bytes, mediaType)
        const asserted = assertedOf(text, { payload: event.bytes, mediaType })
        add('transcripts', { role: event.role, sender: senderOf(event, format.name), text }, asserted)
      }
  }
}

const locomoSchema = z.array(z.object({ conversation: z.record(z.string(), z.unknown()) }))
const locomoTurns = z.array(z.object({ speaker: z.string(), text: z.string() }))
const roles = z.enum(['user', 'assistant'])
const beamSchema = z.array(z.object({ turns: z.array(z.array(z.object({ role: roles, content: z.string() }))) }))
const longMemSchema = z.array(
  z.object({ haystack_sessions: z.array(z.array(z.object({ role: roles, content: z.string() }))) }),
)

const stepsSchema = z.object({
  steps: z.array(z.object({ messages: z.array(z.object({ peer_id: roles, content: z.string() })).optional() })),
})

async function read<T>(schema: z.ZodType<T>, ...path: readonly string[]): Promise<T> {
  return schema.parse(JSON.parse(await readFile(join(data, 'bench', ...path), 'utf8')))
}

async function readBenches(): Promise<void> {
  for (const { conversation } of await read(locomoSchema, 'locomo', 'locomo10.dev.json'))
    for (const session of Object.values(conversation)) {
      const turns = locomoTurns.safeParse(session)
      for (const { speaker, text } of turns.data ?? []) add('locomo', { role: 'user', sender: speaker, text })
    }
  for (const name of await readdir(join(data, 'bench', 'beam-100k')))
    for (const { turns } of await read(beamSchema, 'beam-100k', name, 'chat.json'))
      for (const { role, content } of turns.flat())
        add('beam', { role, sender: role, text: content.replace(/->->.*$/su, '') })
  for (const name of ['lightmem_longmemeval_single.json', 'mnoor_3_instances.json'])
    for (const { haystack_sessions: sessions } of await read(longMemSchema, 'longmemeval-samples', name))
      for (const { role, content } of sessions.flat()) add('longmemeval', { role, sender: role, text: content })
}

/** Conversations that nobody looked at when the patterns were written. */
async function readHeld(): Promise<void> {
  for (const name of await readdir(join(data, 'bench', 'longmemeval-samples'))) {
    if (!name.startsWith('honcho')) continue
    for (const { messages: turns = [] } of (await read(stepsSchema, 'longmemeval-samples', name)).steps)
      for (const { peer_id: role, content } of turns) add('held', { role, sender: role, text: content })
  }
}

/** The same choice for the same seed, whatever the order of the lines. */
function sampled(all: readonly Line[], count: number, seed: number): readonly Line[] {
  let state = seed
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
  return all
    .map((line) => ({ line, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .slice(0, count)
    .map(({ line }) => line)
}

await readTranscripts()
await readBenches()
await readHeld()
const distinct = [...new Map(lines.map((line) => [line.join('\t'), line])).values()]
const shown = values.sample === undefined ? distinct : sampled(distinct, Number(values.sample), Number(values.seed))
for (const line of shown) console.log(line.join('\t'))
console.error(JSON.stringify({ messages, facts: lines.length, distinct: distinct.length, shown: shown.length }))
