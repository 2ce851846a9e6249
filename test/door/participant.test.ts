import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { useHome } from './support/home.ts'

const home = useHome()

const entrySchema = z.object({ file: z.string(), bytes: z.number(), sha256: z.string() })
const manifestSchema = z.object({
  version: z.literal(1),
  participant: z.string(),
  requested_at: z.iso.datetime(),
  requested_by: z.object({ actor: z.string(), client: z.string(), reason: z.string().optional() }),
  written_by: z.string(),
  format: z.string(),
  others: z.string(),
  sessions: z.array(
    entrySchema.extend({
      session_id: z.string(),
      messages_of_others: z.number(),
      messages: z.array(
        z.object({
          id: z.string(),
          seq: z.number(),
          sha256: z.string(),
          bytes: z.number(),
          error: z.string().optional(),
        }),
      ),
    }),
  ),
  derived: entrySchema,
  counts: z.object({
    sessions: z.number(),
    messages: z.number(),
    damaged: z.number(),
    derived: z.number(),
    vectors: z.number(),
  }),
  vectors: z.array(z.unknown()),
  recipients: z.object({
    readers: z.array(
      z.object({
        actor: z.string(),
        client: z.string().nullable(),
        token: z.string().nullable(),
        token_id: z.string().nullable(),
        origin: z.string().nullable(),
        tools: z.array(z.string()),
        calls_with_messages: z.number(),
        calls_with_heads: z.number(),
        first_at: z.iso.datetime(),
        last_at: z.iso.datetime(),
      }),
    ),
    by_settings: z.array(z.object({ name: z.string(), receives: z.string(), purpose: z.string(), place: z.string() })),
  }),
})

/** An export as it is on the disk. */
class Exported {
  readonly manifest: z.infer<typeof manifestSchema>
  readonly #files = new Map<string, Buffer>()

  constructor(path: string) {
    for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' }))
      if (statSync(join(path, name)).isFile()) this.#files.set(name, readFileSync(join(path, name)))
    this.manifest = manifestSchema.parse(JSON.parse(this.text('manifest.json')))
  }

  get names(): string[] {
    return [...this.#files.keys()].toSorted()
  }

  get all(): string {
    return Buffer.concat([...this.#files.values()]).toString('utf8')
  }

  text(name: string): string {
    return (this.#files.get(name) ?? Buffer.from('')).toString('utf8')
  }

  sha256(name: string): string {
    return createHash('sha256')
      .update(this.#files.get(name) ?? 'missing')
      .digest('hex')
  }
}

let directories = 0
async function exported(...args: readonly string[]): Promise<Exported> {
  const output = join(home.userHome, `export-${directories++}`)
  const { stdout, stderr, code } = await home.cli(['export', ...args, '--output', output])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^\d+ messages? of \d+ sessions? and \d+ things? that (?:was|were) made from them are in /)
  return new Exported(output)
}

async function refusal(...args: readonly string[]): Promise<string> {
  const { stderr, code } = await home.cli(['export', ...args])
  expect(code).toBe(2)
  return stderr
}

describe('export --participant', () => {
  const saved: { sha256: string; seq: number; message_id: string; session: string }[] = []
  const sessions = { harbour: '', tide: '', others: '' }

  beforeAll(async () => {
    const tools = await home.tools()
    const save = async (name: keyof typeof sessions, contents: readonly (readonly [string, unknown])[]) => {
      const messages = contents.map(([sender, content]) => ({ content, sender }))
      const reply = await tools.saveAll({ session_id: name, messages })
      sessions[name] = reply.session_id
      for (const [index, { sha256, seq, message_id }] of reply.messages.entries())
        if (contents[index]?.[0] === 'Ada Quill') saved.push({ sha256, seq, message_id, session: reply.session_id })
    }
    await save('harbour', [
      ['Ada Quill', 'The zarquon berth is free until Friday. We moor there.'],
      ['Bob Marsh', 'My canary word is plimsoll, call me at bob.marsh@example.org.'],
      ['Ada Quill', { odd: [1, 1.5, '\ud800'], big: 'x'.repeat(1_200_000) }],
    ])
    await save('tide', [
      ['Bob Marsh', 'Only a plimsoll here.'],
      ['Ada Quill', 'High water at six.'],
    ])
    await save('others', [['Bob Marsh', 'Nobody else speaks of plimsoll here.']])
    await tools.update('harbour', {
      title: 'Ada and Bob Marsh',
      summary: 'Bob Marsh told his address, bob.marsh@example.org.',
    })
    await tools.call('summarize', { session_id: 'tide' })
    await tools.session('harbour', { from_seq: 1, limit: 1 })
    await tools.session('others')
    await home.connect()
  })

  test('writes what one participant said, and nothing of others, with a manifest that is true', async () => {
    const done = await exported('--participant', 'Ada Quill', '--reason', 'request of 3 May')
    const { manifest } = done
    // Each file is what the manifest says, and none is there that it does not name.
    const entries = [...manifest.sessions, manifest.derived]
    expect(done.names).toEqual([...entries.map(({ file }) => file), 'manifest.json'].toSorted())
    for (const { file, bytes, sha256 } of entries) {
      expect(done.sha256(file)).toBe(sha256)
      expect(Buffer.byteLength(done.text(file))).toBe(bytes)
    }
    expect(manifest).toMatchObject({
      participant: 'Ada Quill',
      requested_by: { actor: 'local', client: 'cli', reason: 'request of 3 May' },
      format: 'json',
      others: 'omitted',
      counts: { sessions: 2, messages: 3, damaged: 0 },
    })
    const listed = manifest.sessions.flatMap(({ session_id: session, messages }) =>
      messages.map(({ id, seq, sha256 }) => ({ message_id: id, seq, sha256, session })),
    )
    expect(listed).toHaveLength(3)
    expect(listed).toEqual(expect.arrayContaining(saved))
    expect(done.all).not.toMatch(/plimsoll|bob\.marsh|Marsh/)

    const harbour = JSON.parse(done.text(`sessions/${sessions.harbour}.json`))
    expect(harbour).toMatchObject({ participants: ['Ada Quill'], message_count: 2, messages_of_others: 1 })
    // In her own copy her name stays, and nobody else's does.
    expect(harbour.title).toBe('Ada and [person]')
    expect(harbour.messages.map(({ seq }: { seq: number }) => seq)).toEqual([1, 3])
    expect(harbour.messages[1].content.odd).toEqual([1, 1.5, '\ud800'])
    const derived = done
      .text('derived.jsonl')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    // The summary that a model wrote is there without the address; of the extracted one what quotes her.
    expect(derived.map(({ session_id: id, made_by: by }) => [id, by])).toEqual(
      expect.arrayContaining([
        [sessions.harbour, 'host'],
        [sessions.tide, 'extractive'],
      ]),
    )
  })

  test('says who was shown their messages, from the audit log, and this export is on it', async () => {
    const { manifest } = await exported('--participant', 'Ada Quill')
    const door = manifest.recipients.readers.find(({ client }) => client?.startsWith('door') === true)
    expect(door).toMatchObject({ actor: 'local', origin: 'stdio', token: null })
    expect(door?.tools).toEqual(expect.arrayContaining(['get_session', 'summarize']))
    expect(door?.calls_with_messages).toBe(1)
    // The exports before.
    expect(manifest.recipients.readers.find(({ origin }) => origin === 'cli')?.tools).toEqual(['export'])
    const log = await home.cli(['audit', 'who-accessed', sessions.tide, '--message', '2', '--json'])
    expect(log.stdout).toContain('"tool":"export"')
    expect((await home.cli(['audit', 'who-accessed', sessions.tide, '--message', '1'])).stdout).not.toMatch(/export/)
  })

  test('names who gets what by the settings, and no secret', async () => {
    const output = join(home.userHome, 'export-settings')
    const env = {
      // Nothing is sent to anybody by it.
      VERBATIM_ROLE: 'web',
      VERBATIM_EMBEDDER: 'gemini',
      GEMINI_API_KEY: 'secret-gemini',
      VERBATIM_VECTORS: 'pinecone',
      PINECONE_API_KEY: 'secret-pinecone',
      PINECONE_INDEX: 'harbour',
      VERBATIM_ARCHIVE: 's3://bucket/memory',
    }
    const { stderr } = await home.cli(['export', '--participant', 'Bob Marsh', '--output', output], { env })
    expect(stderr).toBe('')
    const done = new Exported(output)
    expect(done.manifest.recipients.by_settings.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Google (Gemini API)', 'Pinecone', 'Amazon S3']),
    )
    expect(done.all).not.toMatch(/secret-/)
  })

  test('shows others as it is told: without personal data, or in full', async () => {
    const redacted = await exported('--participant', 'Ada Quill', '--others', 'redacted', '--format', 'markdown')
    expect(redacted.all).toMatch(/plimsoll/)
    expect(redacted.all).not.toMatch(/bob\.marsh|Marsh/)
    expect(redacted.manifest.sessions.flatMap(({ messages }) => messages)).toHaveLength(3)
    const full = await exported('--participant', 'Ada Quill', '--others', 'full', '--format', 'jsonl')
    expect(full.text(`sessions/${sessions.harbour}.jsonl`)).toMatch(/bob\.marsh@example\.org/)
    expect(full.all).not.toMatch(/Nobody else speaks/)
  })

  test('refuses what cannot be, and leaves nothing behind', async () => {
    const there = join(home.userHome, 'refused')
    expect(await refusal('--participant', 'Nobody', '--output', there)).toMatch(
      /no message of a participant of this name/,
    )
    expect(() => statSync(there)).toThrow(/ENOENT/)
    expect(await refusal('--participant', 'Ada Quill')).toMatch(/--output/)
    expect(await refusal('--participant', 'Ada Quill', '--output', home.path)).toMatch(/does not exist yet/)
    expect(await refusal('harbour', '--participant', 'Ada Quill', '--output', there)).toMatch(/at once/)
    expect(await refusal('--participant', 'Ada Quill', '--output', there, '--view', 'redacted')).toMatch(/--view/)
    expect(await refusal('harbour', '--others', 'full')).toMatch(/without --participant/)
    expect(await refusal()).toMatch(/nothing is named/)
  })
})
