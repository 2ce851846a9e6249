import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { untilIndexed } from '../door/support/archived.ts'
import { canariesInArchive, canariesInTables } from '../door/support/canaries.ts'
import { Home } from '../door/support/home.ts'
import type { Tools } from '../door/support/tools.ts'
import { OpenAiStandIn } from '../support/stand-ins/openai.ts'
import { lacksVectors } from '../support/test-store.ts'

/** So that it can be seen what is there. */
const plain = { VERBATIM_ENCRYPTION: 'off' }
const name = 'Kowalska'
const email = 'kanarie.k@posteo.de'
const canaries = [name, email]
const about = `My name is Anna ${name}. I prefer letters to ${email}.`
const imported = '11111111-2222-4333-8444-555555555555'
/** Of whom something is erased while it is moved. */
const late = 'Wisniewska'

const reportSchema = z.looseObject({
  came_since: z.number(),
  erased_at_target: z.object({
    whole_sessions: z.number(),
    messages: z.number(),
    session_ids: z.array(z.string()),
    rows: z.record(z.string(), z.number()),
  }),
  problem_count: z.number(),
  problems: z.array(z.unknown()),
})

/** Lines of a transcript of Claude Code. */
function lines(contents: readonly string[], from: number): string {
  const entries = contents.map((content, index) => ({
    type: 'user',
    sessionId: imported,
    uuid: `00000000-0000-4000-8000-00000000000${from + index}`,
    parentUuid: null,
    timestamp: `2026-01-0${from + index}T10:00:00.000Z`,
    message: { role: 'user', content },
  }))
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')
}

async function rowsOf(home: Home, statement: string): Promise<number> {
  const store = home.database()
  try {
    const [row] = await store.sql.unsafe<{ count: number }[]>(`select count(*)::int as count from ${statement}`)
    return row?.count ?? 0
  } finally {
    await store.close()
  }
}

/** Sessions in which somebody is named, by what becomes of that at the target. */
const sessions = { anonymise: 'claim', erase: 'order', whole: 'letter', child: 'reply', meanwhile: 'visit' } as const

let standIn: OpenAiStandIn
/** An embedded store that has more than messages. */
const source = new Home()
/** A server with what was moved to it. */
const target = new Home()
const transcript = join(source.directory('transcripts'), 'session.jsonl')
let there: Tools
let here: Tools

function archiveSettings(): Record<string, string> {
  return { VERBATIM_ARCHIVE: `file:${target.directory('archive')}` }
}

async function fill(): Promise<void> {
  here = await source.tools()
  for (const session_id of [sessions.anonymise, sessions.erase, sessions.whole]) {
    await here.save({ session_id, content: about, sender: name, metadata: { contact: email } })
    const large = `${session_id} ${email} ${'z'.repeat(1_200_000)}`
    await here.save({ session_id, content: large, sender: name, model: 'model-x' })
    await here.save({ session_id, content: 'The lamp was lit at dusk.', sender: 'Bob' })
    await here.update(session_id, { title: `Of ${email}`, tags: ['lamps'], summary: `${name} wrote.` })
  }
  await here.save({ session_id: sessions.meanwhile, content: `Ask ${late}.`, sender: late })
  await here.save({ session_id: sessions.meanwhile, content: 'At noon.', sender: 'Bob' })
  await here.save({ session_id: sessions.child, content: 'The tide is low.', sender: 'Dora' })
  writeFileSync(transcript, lines([`ask ${email}`, 'about the weather'], 1))
  expect((await source.cli(['import', transcript])).code).toBe(0)
  await untilIndexed(source)
  await expect.poll(() => rowsOf(source, 'facts'), { timeout: 30_000 }).toBeGreaterThan(2)
  const embedded = lacksVectors ? 0 : 13
  await expect.poll(() => rowsOf(source, 'embedded_units'), { timeout: 30_000 }).toBeGreaterThanOrEqual(embedded)
  const store = source.database()
  // As an import says of what was branched off.
  await store.sql`
    update sessions set parent_session_id = (select id from sessions where external_id = ${sessions.whole}), parent_external_id = ${sessions.whole}
    where external_id = ${sessions.child}`
  await store.sql`
    insert into recall_feedback (tenant_id, search_id, session_id, seq, principal, rank, use, log_score, effects)
    select tenant_id, id, session_id, seq, 'local', 1, 'opened', 0, '{}' from messages where seq in (1, 3) and sender in (${name}, 'Bob')`
  await store.close()
}

async function migrate(...options: readonly string[]): Promise<string> {
  const to = ['--to', target.env['DATABASE_URL'] ?? '', '--to-archive', archiveSettings()['VERBATIM_ARCHIVE'] ?? '']
  const { code, stdout, stderr } = await source.cli(['migrate', ...to, ...options])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

async function report() {
  const moved = reportSchema.parse(JSON.parse(await migrate('--json')))
  expect(moved).toMatchObject({ came_since: 0, problem_count: 0, problems: [] })
  return moved
}

async function found(words: readonly string[] = canaries): Promise<string[]> {
  return [...(await canariesInTables(target, words)), ...(await canariesInArchive(archiveSettings(), words))]
}

async function forget(chosen: Readonly<Record<string, unknown>>): Promise<void> {
  const { structured: preview } = await there.call('forget', chosen)
  const { confirm } = z.looseObject({ confirm: z.string() }).parse(preview)
  const { structured } = await there.call('forget', { ...chosen, confirm })
  expect(structured).toMatchObject({ pending: [] })
}

beforeAll(async () => {
  standIn = await OpenAiStandIn.start()
  const embedder = {
    VERBATIM_EMBEDDER: 'openai-compatible',
    VERBATIM_EMBEDDER_URL: `${standIn.url}/v1`,
    VERBATIM_EMBEDDING_MODEL: standIn.model,
  }
  source.settings = { ...(lacksVectors ? source.settings : embedder), ...plain }
  await target.makeDatabase()
  target.settings = { ...target.settings, ...plain, ...archiveSettings() }
  there = await target.tools()
})

afterAll(async () => {
  await source.dispose()
  await target.dispose()
  await standIn.stop()
})

describe('verbatim migrate, run again', () => {
  test('brings nothing back that the target was told to erase or to anonymise', async () => {
    await fill()
    expect((await report()).erased_at_target).toEqual({ whole_sessions: 0, messages: 0, session_ids: [], rows: {} })
    expect(await found()).toEqual(
      expect.arrayContaining([
        ...['messages', 'sessions', 'summaries'].map((table) => `${table}: ${name}`),
        `facts: ${email}`,
        expect.stringMatching(/payloads.*posteo/),
      ]),
    )
    const orphans = `sessions where external_id = '${sessions.child}' and parent_session_id is null and parent_external_id is null`
    expect(await rowsOf(target, orphans)).toBe(0)
    await forget({ session_id: sessions.anonymise, participant: name, action: 'anonymise' })
    await forget({ session_id: sessions.erase, participant: name })
    await forget({ session_id: sessions.whole })
    const [asked] = (await there.session(imported, { view: 'compact' })).messages
    await forget({ message_id: asked?.id })
    await untilIndexed(target)
    expect(await found()).toEqual([])
    expect(await rowsOf(target, orphans)).toBe(1)
    const ofOthers = `embedded_units where session_id <> (select id from sessions where external_id = '${sessions.child}')`
    const vectors = lacksVectors ? 0 : await rowsOf(target, ofOthers)
    const kept = [sessions.anonymise, sessions.erase]

    // The source knows nothing of it, and goes on.
    for (const session_id of [...kept, sessions.whole]) {
      for (const content of ['And more.', 'The last.'])
        await here.save({ session_id, content, sender: 'Carl', model: 'model-y' })
      for (const title of ['Call', `Call ${name}`, `Call ${email}`]) await here.update(session_id, { title })
    }
    await here.save({ session_id: sessions.child, content: 'The tide is high.', sender: 'Dora' })
    for (const title of ['Low', 'Half', 'High']) await here.update(sessions.child, { title })
    appendFileSync(transcript, lines(['and the rain'], 3))
    expect((await source.cli(['import', transcript])).code).toBe(0)
    await untilIndexed(source)

    const again = await report()
    expect(await found()).toEqual([])
    expect(again.erased_at_target).toEqual({
      whole_sessions: 1,
      messages: 5,
      session_ids: expect.toSatisfy((ids: readonly string[]) => ids.length === 3),
      rows: expect.objectContaining({ summaries: 3, recall_feedback: 4, import_files: expect.any(Number) }),
    })
    expect(again.erased_at_target.rows['facts']).toBeGreaterThan(2)
    const words = await migrate()
    expect(await found()).toEqual([])
    expect(words).toContain('0 messages of 0 sessions')
    expect(words).toMatch(
      /NOTE not brought back, as it was erased or anonymised at the target: 1 session, 5 messages of others, .*3 summaries/,
    )
    expect(words).toMatch(/NOTE sessions keep the title, metadata and tags that they have at the target: [0-9a-f-]{36}/)
    expect(lacksVectors ? 0 : await rowsOf(target, ofOthers)).toBe(vectors)
    expect(await rowsOf(target, 'recall_feedback')).toBe(2)
    expect(await rowsOf(target, 'facts where superseded_by is not null')).toBe(0)

    // What is new has come.
    for (const session of kept) {
      const after = await there.session(session, { view: 'compact' })
      const texts = after.messages.map(({ text }) => text)
      expect(texts.slice(-3)).toEqual(['The lamp was lit at dusk.', 'And more.', 'The last.'])
      const names = session === sessions.erase ? ['Bob', 'Carl'] : ['[person]', 'Bob', 'Carl']
      expect(after).toMatchObject({ participants: names, tags: ['lamps'], context_summary: null })
      expect(after.models_used).toContain('model-y')
    }
    expect(await there.refusal('get_session', { session_id: sessions.whole })).toContain('erased')
    // What it says of itself has come too, but the parent that it had.
    expect(await rowsOf(target, orphans)).toBe(1)
    const child = await there.session(sessions.child, { view: 'compact' })
    expect(child).toMatchObject({ title: 'High', message_count: 2 })
    await untilIndexed(target)
    expect(await there.hits({ query: 'rain' })).toEqual(['and the rain'])
    expect(await target.cli(['verify'])).toMatchObject({ code: 0, stdout: expect.stringContaining('all intact') })
    expect((await target.cli(['erase', '--again'])).stdout).toMatch(/Nothing has come back/)
  })

  test('erases once more what is erased at the target while it is moved', async () => {
    await source.cli(['retention', 'set', '--source', 'codex', '--age-days', '9999'])
    await here.update(sessions.meanwhile, { title: `Of ${late}`, summary: `${late} at noon.` })
    await report()
    expect(await found([late])).toContain(`summaries: ${late}`)
    // More often than the erasure changes it: it is the newer one.
    for (const title of ['Of him', 'Of her', `Again ${late}`]) await here.update(sessions.meanwhile, { title })
    const store = target.database()
    try {
      let moving: Promise<string> | undefined
      // It has looked what was erased there, and waits with the rows.
      await store.sql.begin(async (sql) => {
        await sql`lock table retention_policies in access exclusive mode`
        moving = migrate()
        const waiting = `pg_stat_activity where wait_event_type = 'Lock' and query like '%sha256%from "retention_policies"%'`
        await expect.poll(() => rowsOf(target, waiting), { timeout: 30_000 }).toBe(1)
        await forget({ session_id: sessions.meanwhile, participant: late })
        expect(await rowsOf(target, `summaries where body::text like '%${Buffer.from(late).toString('hex')}%'`)).toBe(0)
      })
      await moving
      await expect.poll(() => found([late]), { timeout: 30_000, interval: 500 }).toEqual([])
      const after = await there.session(sessions.meanwhile, { view: 'compact' })
      expect(after.messages.map(({ text }) => text)).toEqual(['At noon.'])
      expect(await rowsOf(target, `erasures where scope = 'tombstones' and completed_at is not null`)).toBe(1)
    } finally {
      await store.close()
    }
  })
})
