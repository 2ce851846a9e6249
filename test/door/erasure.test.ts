import { cpSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'

import { isOnServer } from '../support/test-store.ts'
import { archiveNow, archiveOf, directorySettings, openHome, untilIndexed } from './support/archived.ts'
import { bucketSettings, s3Endpoint } from './support/bucket.ts'
import { canariesInArchive, canariesInTables } from './support/canaries.ts'
import { outputOf } from './support/cli-output.ts'
import type { Home } from './support/home.ts'

const receiptSchema = z.object({
  status: z.string(),
  erasure_id: z.string(),
  erased: z.record(z.string(), z.number()),
  held: z.array(z.string()),
  kept_objects: z.array(z.string()),
  pending: z.array(z.unknown()),
})
const previewSchema = z.object({
  status: z.literal('preview'),
  sessions: z.number(),
  messages: z.number(),
  stores: z.record(z.string(), z.number()),
  held: z.array(z.string()),
  confirm: z.string(),
})

/** Erases at once by the command line, and gives the receipt. */
async function erase(home: Home, ...args: readonly string[]) {
  const { stdout, stderr } = await home.cli(['erase', ...args, '--yes', '--json'])
  expect(stderr).toBe('')
  return receiptSchema.parse(JSON.parse(stdout))
}

const importedId = '11111111-2222-4333-8444-555555555555'

/** A transcript of Claude Code. */
function transcript(home: Home, ...contents: readonly string[]): string {
  const path = join(home.directory('transcripts'), 'session.jsonl')
  const lines = contents.map((content, index) => ({
    type: 'user',
    sessionId: importedId,
    uuid: `00000000-0000-4000-8000-00000000000${index}`,
    parentUuid: null,
    timestamp: `2026-01-0${index + 1}T10:00:00.000Z`,
    cwd: '/work',
    version: '2.0.0',
    message: { role: 'user', content },
  }))
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return path
}

async function statisticsOf(home: Home) {
  const store = home.database()
  try {
    const [counted] = await store.sql<{ stats: unknown }[]>`
      select jsonb_build_object('terms', (select coalesce(sum(documents), 0) from term_stats),
        'distinct', (select count(*) from term_stats),
        'units', (select units from corpus_stats where level = 0), 'words', (select terms from corpus_stats where level = 0)) as stats`
    const [actual] = await store.sql<{ stats: unknown }[]>`
      select jsonb_build_object('terms', (select coalesce(sum(cardinality(terms)), 0) from search_units),
        'distinct', (select count(distinct term) from search_units, unnest(terms) term),
        'units', (select count(*) from search_units), 'words', (select coalesce(sum(term_count), 0) from search_units)) as stats`
    return { counted: counted?.stats, actual: actual?.stats }
  } finally {
    await store.close()
  }
}

/** So that it can be seen what is there before and after it; that of an encrypted store is in test/erasure/sealed.test.ts. */
const plain = { VERBATIM_ENCRYPTION: 'off' }

/** Each place with one kind of store: who erases meets an archive through its port, whoever holds the rows. */
const places: [string, boolean, () => Promise<Record<string, string>>][] = [
  ['a directory', !isOnServer || s3Endpoint === undefined, directorySettings],
  ['a bucket', isOnServer && s3Endpoint !== undefined, bucketSettings],
]

describe.each(places)('a session, with the archive in %s,', (_place, isHere, settingsOf) => {
  test.skipIf(!isHere)('is erased from every store, and does not come back', { timeout: 300_000 }, async () => {
    const settings = { ...(await settingsOf()), ...plain }
    const home = await openHome(settings)
    const tools = await home.tools()
    const words = ['zarquon', 'plumbuswort', 'grandiloquentia', 'snorkelwight', 'quixotrope', 'marzipanther'] as const
    const [message, large, title, summary, tag, file] = words
    await tools.save({ content: `a ${message} of mine`, sender: 'Ada', session_id: 'doomed', message_id: 'first' })
    await tools.save({
      content: `${large} ${'z'.repeat(2 * 1024 * 1024)} ${large}`,
      sender: 'Ada',
      session_id: 'doomed',
      metadata: { note: message },
    })
    const { session_id: id } = await tools.update('doomed', { title, tags: [tag], summary, model: 'model-x' })
    await tools.save({ content: `the same ${'y'.repeat(1_200_000)}`, sender: 'Ada', session_id: 'doomed' })
    await tools.save({ content: `the same ${'y'.repeat(1_200_000)}`, sender: 'Ada', session_id: 'stays' })
    const path = transcript(home, `an imported ${file}`, 'and more')
    expect((await home.cli(['import', path])).code).toBe(0)
    await untilIndexed(home, tools)
    await archiveNow(home, tools)
    expect(await canariesInTables(home, words)).not.toEqual([])
    expect(new Set((await canariesInArchive(settings, words)).map((found) => found.replace(/.*: /, '')))).toEqual(
      new Set(words),
    )

    const preview = previewSchema.parse((await tools.call('forget', { session_id: 'doomed' })).structured)
    expect(preview).toMatchObject({ sessions: 1, messages: 3, stores: { summaries: 1, large_payloads: 2 }, held: [] })
    expect(await tools.hits({ query: message })).toHaveLength(1)
    const receipt = receiptSchema.parse(
      (await tools.call('forget', { session_id: 'doomed', confirm: preview.confirm })).structured,
    )
    expect(receipt).toMatchObject({
      status: 'erased',
      // The payload that another session has too stays.
      erased: {
        sessions: 1,
        messages: 3,
        summaries: 1,
        large_payloads: 1,
        search_units: preview.stores['search_units'],
      },
      held: [],
      kept_objects: [],
      pending: [],
    })
    expect(receipt.erased['archive_objects']).toBeGreaterThanOrEqual(2)
    expect(await erase(home, '--source', 'claude-code')).toMatchObject({
      status: 'erased',
      erased: { sessions: 1, messages: 2, import_files: 1 },
    })

    expect(await canariesInTables(home, words)).toEqual([])
    expect(await canariesInArchive(settings, words)).toEqual([])
    const { counted, actual } = await statisticsOf(home)
    expect(counted).toEqual(actual)
    for (const word of words) expect(await tools.hits({ query: word })).toEqual([])
    expect((await tools.list()).sessions.map(({ session_id: known }) => known)).not.toContain(id)
    for (const reference of ['doomed', id, importedId]) {
      expect(await tools.refusal('get_session', { session_id: reference })).toMatch(/was erased on \d{4}-\d\d-\d\d/)
      expect((await home.cli(['export', reference])).stderr).toMatch(/was erased on/)
    }
    expect((await tools.session('stays')).messages).toHaveLength(1)
    expect((await home.cli(['verify'])).stdout).toMatch(/all intact/)

    // Nothing of it comes again.
    for (const reference of ['doomed', id])
      expect(await tools.refusal('save_message', { content: message, sender: 'Ada', session_id: reference })).toMatch(
        /Cannot save to session ".*" as it was erased on .* Use another session_id/s,
      )
    const again = await home.cli(['import', path, '--again'])
    expect(again.stdout).toMatch(/2 entries were erased or anonymised before and are not stored again/)
    expect(await canariesInTables(home, words)).toEqual([])
    expect(await canariesInArchive(settings, words)).toEqual([])
    const receipts = z
      .array(receiptSchema.omit({ status: true }))
      .parse(JSON.parse((await home.cli(['erase', '--receipts', '--json'])).stdout))
    expect(receipts.map(({ erasure_id: known }) => known)).toContain(receipt.erasure_id)
  })
})

describe('messages', () => {
  test('are erased by id, participant and time, and leave their places', { timeout: 300_000 }, async () => {
    const settings = { ...(await directorySettings()), ...plain }
    const home = await openHome(settings)
    const tools = await home.tools()
    const words = ['zarquon', 'plumbuswort', 'grandiloquentia', 'snorkelwight', 'quixotrope'] as const
    const [first, second, third, imported, large] = words
    await tools.saveAll({
      session_id: 'shared',
      messages: [
        { content: 'hello', sender: 'Ada', message_id: 'one', model: 'model-a' },
        { content: `my ${first}`, sender: 'Bob', message_id: 'two', metadata: { note: first } },
        { content: `${third} of long ago`, sender: 'Ada', message_id: 'three', timestamp: '2020-05-05T00:00:00Z' },
        { content: `a ${second}`, sender: 'Ada', message_id: 'four' },
        { content: `${large} ${'z'.repeat(1_100_000)}`, sender: 'Bob', message_id: 'five' },
        { content: 'goodbye', sender: 'Ada', message_id: 'six' },
      ],
    })
    await tools.update('shared', { title: `About a ${first}`, summary: `They spoke of ${first}.` })
    const path = transcript(home, 'kept', `with ${imported}`, 'kept too')
    await home.cli(['import', path])
    await untilIndexed(home, tools)
    await archiveNow(home, tools)

    expect(await erase(home, '--participant', 'Bob', '--reason', 'asked for')).toMatchObject({
      status: 'erased',
      erased: { sessions: 0, messages: 2, summaries: 1, large_payloads: 1 },
    })
    expect(await erase(home, '--session', 'shared', '--message', 'four')).toMatchObject({ erased: { messages: 1 } })
    expect(await erase(home, '--until', '2021-01-01')).toMatchObject({ erased: { messages: 1 } })
    expect(
      await erase(home, '--source', 'claude-code', '--since', '2026-01-02', '--until', '2026-01-02T23:00:00Z'),
    ).toMatchObject({ erased: { messages: 1, import_files: 1 } })

    expect(await canariesInTables(home, words)).toEqual([])
    expect(await canariesInArchive(settings, words)).toEqual([])
    const document = await tools.session('shared')
    expect(document).toMatchObject({
      message_count: 6,
      participants: ['Ada'],
      models_used: ['model-a'],
      context_summary: null,
    })
    expect(document.title).toBeUndefined()
    expect(
      document.messages.map(({ seq, sender, content, metadata }) => [seq, sender, content, metadata?.['kind']]),
    ).toEqual([
      [1, 'Ada', 'hello', undefined],
      [2, '', '', 'erased'],
      [3, '', '', 'erased'],
      [4, '', '', 'erased'],
      [5, '', '', 'erased'],
      [6, 'Ada', 'goodbye', undefined],
    ])
    for (const word of words) expect(await tools.hits({ query: word })).toEqual([])
    expect((await home.cli(['export', 'shared', '--format', 'markdown'])).stdout).not.toMatch(/Bob/)
    const { counted, actual } = await statisticsOf(home)
    expect(counted).toEqual(actual)

    // An erased id is not stored again, new messages are.
    const again = { content: `my ${first}`, sender: 'Bob', session_id: 'shared', message_id: 'two' }
    expect(await tools.refusal('save_message', again)).toMatch(
      /"two" as it was erased from this session. Use another message_id/,
    )
    expect(
      await tools.refusal('save_message', {
        ...again,
        content: `${large} ${'z'.repeat(1_100_000)}`,
        message_id: 'five',
      }),
    ).toMatch(/was erased/)
    expect((await home.cli(['import', path, '--again'])).stdout).toMatch(/1 entry was erased or anonymised before/)
    expect(
      await tools.save({ content: 'new', sender: 'Ada', session_id: 'shared', message_id: 'seven' }),
    ).toMatchObject({ seq: 7 })
    await untilIndexed(home, tools)
    await archiveNow(home, tools)
    expect((await home.cli(['verify'])).stdout).toMatch(/all intact/)
    expect(await canariesInTables(home, words)).toEqual([])
    expect(await canariesInArchive(settings, words)).toEqual([])
  })
})

describe('an erasure', () => {
  test('is followed by files that are written anew, where the store is embedded and that is asked for', async () => {
    const home = await openHome({})
    const tools = await home.tools()
    await tools.save({ content: 'a zarquon', sender: 'Ada', session_id: 'doomed' })
    await tools.save({ content: 'what stays', sender: 'Ada', session_id: 'stays' })
    await erase(home, '--session', 'doomed')
    const { code, stdout, stderr } = await home.cli(['erase', '--rewrite'])
    expect([code, stdout]).toEqual(isOnServer ? [2, ''] : [0, 'The files of the store are written anew.\n'])
    expect(stderr).toMatch(isOnServer ? /as that is for who runs it/ : /^$/)
    expect((await tools.session('stays')).messages).toHaveLength(1)
    expect(await tools.save({ content: 'more', sender: 'Ada', session_id: 'stays' })).toMatchObject({ seq: 2 })
  })

  test('is what was previewed, or nothing', async () => {
    const home = await openHome({})
    const tools = await home.tools()
    await tools.save({ content: 'one', sender: 'Ada', session_id: 'grows' })
    const { confirm } = previewSchema.parse((await tools.call('forget', { session_id: 'grows' })).structured)
    expect(await tools.refusal('forget', { participant: 'Ada', confirm })).toMatch(/not what the preview has shown/)
    await tools.save({ content: 'two', sender: 'Ada', session_id: 'grows' })
    expect(await tools.refusal('forget', { session_id: 'grows', confirm })).toMatch(/not what the preview has shown/)
    expect(await tools.refusal('forget', { session_id: 'grows', confirm: 'yes' })).toMatch(/not from a preview/)
    expect(await tools.refusal('forget', {})).toMatch(/nothing is named/)
    expect(await tools.refusal('forget', { participant: 'Nobody' })).toMatch(/nothing to erase/)
    expect(await tools.refusal('forget', { message_id: 'own' })).toMatch(/without its session/)
    expect((await tools.session('grows')).messages).toHaveLength(2)
  })

  test('of messages is what was previewed, and what was saved since stays', async () => {
    const home = await openHome({})
    const tools = await home.tools()
    const save = (content: string, session: string) => tools.save({ content, sender: 'Ada', session_id: session })
    await save('one', 'grows')
    await save('of another time', 'other')
    const preview = async (named: Readonly<Record<string, string>>) =>
      previewSchema.parse((await tools.call('forget', named)).structured)
    const all = await home.cli(['erase', '--source', 'mcp', '--json'])
    const ofAll = previewSchema.parse(JSON.parse(all.stdout)).confirm
    const { confirm } = await preview({ participant: 'Ada' })
    await save('two', 'grows')
    await save('three', 'new')
    // Another session meets what is named.
    const refused = await home.cli(['erase', '--source', 'mcp', '--confirm', ofAll])
    expect(refused.stderr).toMatch(/not what the preview has shown/)
    const { structured } = await tools.call('forget', { participant: 'Ada', confirm })
    expect(receiptSchema.parse(structured)).toMatchObject({ status: 'erased', erased: { messages: 2 } })
    expect((await tools.session('grows')).messages.map(({ content }) => content)).toEqual(['', 'two'])
    expect((await tools.session('new')).messages).toHaveLength(1)
  })

  test('leaves alone what is on legal hold, and names it', async () => {
    const home = await openHome({})
    const tools = await home.tools()
    const { session_id: id } = await tools.save({ content: 'evidence', sender: 'Ada', session_id: 'held' })
    await tools.save({ content: 'chatter', sender: 'Ada', session_id: 'free' })
    await tools.update('held', { legal_hold: true })
    expect(await outputOf(home, ['retention', 'holds'])).toMatch(
      new RegExp(String.raw`^${id} +local +\d{4}-\d\d-\d\d +\(no reason was given\)$`, 'm'),
    )
    expect(await erase(home, '--participant', 'Ada')).toMatchObject({
      status: 'erased',
      erased: { messages: 1 },
      held: [id],
    })
    expect(await tools.hits({ query: 'evidence' })).toEqual(['evidence'])
    expect(await tools.hits({ query: 'chatter' })).toEqual([])
    const nothing = { status: 'on_hold', erased: { sessions: 0 }, held: [id] }
    expect(await erase(home, '--session', 'held')).toMatchObject(nothing)
    const { confirm } = previewSchema.parse((await tools.call('forget', { session_id: 'held' })).structured)
    expect((await tools.call('forget', { session_id: 'held', confirm })).structured).toMatchObject(nothing)
    const told = await home.cli(['erase', '--session', 'held', '--yes'])
    expect(told).toMatchObject({ code: 1, stdout: expect.stringMatching(/^NOTHING erased: /) })
    await tools.update('held', { legal_hold: false })
    const { erasure_id: erasure } = await erase(home, '--session', 'held')
    const store = home.database()
    const rows = await store.sql`
      select action, actor, tool, origin, object_id, reason from audit_log where request_id = ${erasure} order by id`
    await store.close()
    expect(rows).toEqual([
      { action: 'memory.erase', actor: 'local', tool: 'erase', origin: 'cli', object_id: erasure, reason: 'session' },
      { action: 'session.erase', actor: 'erasure', tool: null, origin: null, object_id: id, reason: 'session' },
    ])
  })

  test(
    'is not undone by a restore, from the archive as it is or with an older copy of it',
    { timeout: 300_000 },
    async () => {
      const settings = { ...(await directorySettings()), ...plain }
      const first = await openHome(settings)
      const tools = await first.tools()
      const words = ['zarquon', 'plumbuswort'] as const
      const [whole, part] = words
      await tools.save({ content: `all ${whole}`, sender: 'Ada', session_id: 'whole' })
      await tools.saveAll({
        session_id: 'part',
        messages: [
          { content: `some ${part}`, sender: 'Bob' },
          { content: 'the rest', sender: 'Ada' },
        ],
      })
      await tools.update('part', { title: `about ${part}`, summary: `of ${part}` })
      await archiveNow(first, tools)
      const copy = first.directory('copy')
      cpSync(archiveOf(settings), copy, { recursive: true })
      await erase(first, '--session', 'whole')
      await erase(first, '--participant', 'Bob')
      await archiveNow(first, tools)

      const restored = async (archive: string) => {
        const home = await openHome({ VERBATIM_ARCHIVE: `file:${archive}` })
        const { stdout, code } = await home.cli(['restore'])
        expect(code).toBe(0)
        const after = await home.tools()
        const ids = (await after.list()).sessions.map((session) => session['external_id'])
        expect(ids).toEqual(['part'])
        expect((await after.session('part')).messages.map(({ content }) => content)).toEqual(['', 'the rest'])
        expect(await after.refusal('save_message', { content: 'x', sender: 'Ada', session_id: 'whole' })).toMatch(
          /was erased on/,
        )
        await expect.poll(() => canariesInTables(home, words), { timeout: 30_000 }).toEqual([])
        return { home, tools: after, stdout }
      }
      expect((await restored(archiveOf(settings))).stdout).toMatch(
        /^restored 1 message of 1 session, and 0 imported documents, and of 1 further message no more than its place, as what it said was erased: all intact$/m,
      )
      // What an older backup holds is put beside what was erased since.
      cpSync(copy, archiveOf(settings), { recursive: true, force: true })
      expect(await canariesInArchive(settings, words)).not.toEqual([])
      const { home, tools: after, stdout } = await restored(archiveOf(settings))
      expect(stdout).toMatch(
        /^restored 1 message of 1 session, and 0 imported documents, and of 1 further message no more than its place, as what it said was erased, 2 that the archive still has were erased or anonymised and stay so: all intact$/m,
      )
      await expect
        .poll(async () => (await canariesInArchive(settings, [part])).length, { timeout: 60_000, interval: 500 })
        .toBe(0)
      await archiveNow(home, after)
      expect(existsSync(archiveOf(settings))).toBe(true)
    },
  )

  test('needs the scope for it, and the owner where a session is shared', { timeout: 120_000 }, async () => {
    const { HttpHome } = await import('./support/http-home.ts')
    const home = await openHome({})
    const server = await HttpHome.start(home)
    onTestFinished(() => server.stop().then(() => undefined))
    const admin = await server.tools()
    await admin.save({ content: 'between us', sender: 'Ada', session_id: 'ours' })
    const token = (name: string, ...scopes: readonly string[]) =>
      server.newToken('--name', name, '--principal', name, '--scopes', scopes.join(','))
    const ada = await server.tools(await token('ada', 'memory:read', 'memory:delete'))
    const bob = await server.tools(await token('bob', 'memory:read', 'memory:write', 'memory:delete'))
    const eve = await server.tools(await token('eve', 'memory:read', 'memory:write'))
    await home.cli(['access', 'grant', 'ours', 'ada', '--role', 'owner'])
    await home.cli(['access', 'grant', 'ours', 'bob', '--role', 'writer'])
    expect((await eve.client.listTools()).tools.map(({ name }) => name)).not.toContain('forget')
    expect(await bob.refusal('forget', { session_id: 'ours' })).toMatch(/Cannot manage session/)
    const bobs = previewSchema
      .extend({ not_yours: z.number() })
      .parse((await bob.call('forget', { participant: 'Ada' })).structured)
    expect(bobs).toMatchObject({ sessions: 0, messages: 0, not_yours: 1 })
    const { confirm } = previewSchema.parse((await ada.call('forget', { session_id: 'ours' })).structured)
    expect(await bob.refusal('forget', { session_id: 'ours', confirm })).toMatch(/Cannot manage session/)
    expect((await ada.call('forget', { session_id: 'ours', confirm })).structured).toMatchObject({ status: 'erased' })
    expect(await ada.refusal('get_session', { session_id: 'ours' })).toMatch(/was erased on/)
  })
})
