import { randomUUID } from 'node:crypto'

import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { patternsNow } from '../../src/model/extractors.ts'
import { archiveNow, directorySettings, openHome } from './support/archived.ts'
import { outputOf } from './support/cli-output.ts'
import type { Home } from './support/home.ts'
import type { Tools } from './support/tools.ts'

/** What is stored is changed to what an earlier version would have made. */
const usual = { VERBATIM_EMBEDDER: 'none', VERBATIM_ENCRYPTION: 'off' }
const idle = { VERBATIM_ROLLING_SUMMARIES: 'off', VERBATIM_LEARNING: 'off' }

const factsSchema = z.object({
  facts: z.array(z.object({ id: z.string(), text: z.string(), pinned: z.boolean().optional(), made_by: z.string() })),
})

async function facts(home: Home) {
  return factsSchema.parse(JSON.parse(await outputOf(home, ['facts', 'list', '--json']))).facts
}

const texts = async (home: Home) => (await facts(home)).map(({ text }) => text).toSorted()

async function idOf(home: Home, text: string): Promise<string> {
  const found = (await facts(home)).find((fact) => fact.text === text)
  if (found === undefined) throw new Error(`There is no fact "${text}"`)
  return found.id
}

/** The store with its work at rest, while it is changed. */
async function changed(home: Home, change: (sql: Sql) => Promise<unknown>) {
  const { settings } = home
  await home.endDaemon()
  home.settings = { ...settings, ...idle }
  const database = home.database()
  await change(database.sql)
  await database.close()
  await home.endDaemon()
  home.settings = settings
}

/** Until nothing that an earlier version found is left to be read again. */
async function untilFoundAnew(home: Home) {
  const database = home.database()
  await expect
    .poll(
      async () => {
        const earlier =
          await database.sql`select from facts where made_by <> ${patternsNow} and made_by <> 'user' and changed_at is null`
        const waiting =
          await database.sql`select from outbox where (topic like 'learn%' or topic = 'index') and dead_at is null`
        return [earlier.length, waiting.length]
      },
      { timeout: 30_000 },
    )
    .toEqual([0, 0])
  await database.close()
}

type Sql = ReturnType<Home['database']>['sql']

const madeByFirst = (sql: Sql) => sql`update facts set made_by = 'patterns' where made_by <> 'user'`

/** As if a fact had been found in fewer words. */
async function foundShorter(sql: Sql, text: string, earlier: string): Promise<void> {
  const body = bodyOf(await bodies(sql), text)
  const other = Buffer.from(body.toString('utf8').replace(text, earlier))
  const [row] = await sql<{ id: string }[]>`select id from facts where body = ${body}`
  const [was, is] = [row?.id ?? '', randomUUID()]
  await sql`update facts set id = ${is}, body = ${other}, statement_term = statement_term + 1 where id = ${was}`
  await sql`update fact_sources set fact_id = ${is}, span_end = ${earlier.length} where fact_id = ${was}`
}

/** As if a fact had been found at another place of its message, in the words that stand there. */
async function foundAt(
  sql: Sql,
  text: string,
  { message, earlier }: { readonly message: string; readonly earlier: string },
) {
  const start = message.indexOf(earlier)
  const body = bodyOf(await bodies(sql), text)
  const other = Buffer.from(body.toString('utf8').replace(text, earlier))
  const [row] = await sql<{ id: string }[]>`select id from facts where body = ${body}`
  const [was, is] = [row?.id ?? '', randomUUID()]
  await sql`update facts set id = ${is}, body = ${other}, statement_term = statement_term + 1 where id = ${was}`
  await sql`update facts set superseded_by = ${is} where superseded_by = ${was}`
  await sql`update fact_sources set fact_id = ${is}, span_start = ${start}, span_end = ${start + earlier.length} where fact_id = ${was}`
}

describe('what an earlier version has found by patterns', () => {
  test.each([
    ['pinned', 'with my wife Anna'],
    ['corrected', 'Ada is married to Anna'],
    ['deleted', undefined],
  ])(
    'beside what was %s is found anew where both are found at other places',
    { timeout: 120_000 },
    async (change, kept) => {
      const home = await openHome(usual)
      const tools = await home.tools()
      const message = 'I live in Porto with my wife Anna.'
      await tools.save({ content: message, sender: 'Ada' })
      const [lives, wife] = ['I live in Porto with my wife Anna', 'my wife Anna']
      await expect.poll(() => texts(home), { timeout: 30_000 }).toEqual([lives, wife])
      const id = await idOf(home, wife)
      if (change === 'pinned') await outputOf(home, ['facts', 'pin', id])
      else if (change === 'deleted') await outputOf(home, ['facts', 'delete', id])
      else await outputOf(home, ['facts', 'correct', id, kept ?? ''])
      await changed(home, async (sql) => {
        await madeByFirst(sql)
        await foundAt(sql, lives, { message, earlier: 'live in Porto with my wife' })
        await foundAt(sql, wife, { message, earlier: 'with my wife Anna' })
      })
      const again = await home.tools()
      await again.save({ session_id: 'later', content: 'Good morning.', sender: 'Ada' })
      await untilFoundAnew(home)
      expect(await texts(home)).toEqual([lives, ...(kept === undefined ? [] : [kept])].toSorted())
    },
  )

  test(
    'and nobody has touched stays beside what was pinned where it overlaps, after an update and after a restore',
    { timeout: 240_000 },
    async () => {
      const settings = { ...usual, ...(await directorySettings()) }
      const home = await openHome(settings)
      const tools = await home.tools()
      await tools.save({ content: 'I live in Porto with my wife Anna.', sender: 'Ada' })
      const [lives, wife] = ['I live in Porto with my wife Anna', 'my wife Anna']
      await expect.poll(() => texts(home), { timeout: 30_000 }).toEqual([lives, wife])
      await outputOf(home, ['facts', 'pin', await idOf(home, wife)])
      await changed(home, madeByFirst)
      const again = await home.tools()
      await again.save({ content: 'Good morning.', sender: 'Ada' })
      await untilFoundAnew(home)
      expect(await texts(home)).toEqual([lives, wife])
      await archiveNow(home, again)
      await home.dispose()

      const second = await openHome(settings)
      expect((await second.cli(['restore'])).code).toBe(0)
      await (await second.tools()).save({ content: 'Good evening.', sender: 'Ada' })
      await expect.poll(() => texts(second), { timeout: 30_000 }).toEqual([lives, wife])
      expect((await facts(second)).map(({ text, pinned }) => [text, pinned])).toContainEqual([wife, true])
    },
  )

  test(
    'is found anew; what somebody has pinned, corrected or deleted stays as it is',
    { timeout: 120_000 },
    async () => {
      const home = await openHome(usual)
      const tools = await home.tools()
      const contents = [
        'I live in Porto.',
        'I prefer pnpm over npm.',
        'I prefer tea over coffee.',
        'I work at Globex.',
        'My favourite colour is Teal.',
      ]
      await tools.saveAll({ session_id: 'told', messages: contents.map((content) => ({ content, sender: 'Ada' })) })
      const sentences = contents.map((content) => content.slice(0, -1)).toSorted()
      await expect.poll(() => texts(home), { timeout: 30_000 }).toEqual(sentences)
      await outputOf(home, ['facts', 'delete', await idOf(home, 'I prefer tea over coffee')])
      await outputOf(home, ['facts', 'correct', await idOf(home, 'I work at Globex'), 'Ada works at Initech'])
      await outputOf(home, ['facts', 'pin', await idOf(home, 'My favourite colour is Teal')])
      await changed(home, async (sql) => {
        await madeByFirst(sql)
        // It found less in one message, something in other words in two, and one of these was deleted.
        await sql`delete from facts where body = ${bodyOf(await bodies(sql), 'I live in Porto')}`
        for (const [text, earlier] of [
          ['I prefer pnpm over npm', 'I prefer pnpm'],
          ['I prefer tea over coffee', 'I prefer tea'],
        ] as const) {
          await foundShorter(sql, text, earlier)
        }
      })
      const again = await home.tools()
      await again.save({ session_id: 'later', content: 'Good morning.', sender: 'Ada' })
      await expect
        .poll(() => texts(home), { timeout: 30_000 })
        .toEqual(['Ada works at Initech', 'I live in Porto', 'I prefer pnpm over npm', 'My favourite colour is Teal'])
      const found = await facts(home)
      expect(found[0]).toMatchObject({ text: 'My favourite colour is Teal', pinned: true })
      expect(new Set(found.map(({ made_by: by }) => by))).toEqual(new Set(['patterns', 'user']))
      await untilFoundAnew(home)
    },
  )

  test('is found by what it says now where it stands at the same place', { timeout: 120_000 }, async () => {
    const home = await openHome(usual)
    const tools = await home.tools()
    const [one, other] = ['We decided to use Kafka', 'We decided to use NATS']
    await tools.save({ session_id: 'one', content: `${one}.`, sender: 'Ada' })
    await expect.poll(() => texts(home), { timeout: 30_000 }).toEqual([one])
    await changed(home, async (sql) => {
      await madeByFirst(sql)
      const body = bodyOf(await bodies(sql), one)
      await sql`update facts set statement_term = statement_term + 1, body = ${Buffer.from(body.toString('utf8').replace(one, other))}`
    })
    expect(await texts(home)).toEqual([other])
    const again = await home.tools()
    await again.save({ session_id: 'two', content: `${one}.`, sender: 'Ada' })
    await expect.poll(() => texts(home), { timeout: 30_000 }).not.toContain(other)
    await untilFoundAnew(home)
    // Told twice it is one.
    expect(await texts(home)).toEqual([one])
  })

  test('of who was restricted meanwhile gives way when that ends', { timeout: 120_000 }, async () => {
    const home = await openHome(usual)
    const tools = await home.tools()
    const text = 'I prefer pnpm over npm'
    await tools.save({ session_id: 'one', content: `${text}.`, sender: 'Ada' })
    await expect.poll(() => texts(home), { timeout: 30_000 }).toEqual([text])
    await outputOf(home, ['restrict', '--participant', 'Ada', '--reason', 'letter'])
    await changed(home, async (sql) => {
      await madeByFirst(sql)
      await foundShorter(sql, text, 'I prefer pnpm')
    })
    const again = await home.tools()
    await again.save({ session_id: 'two', content: 'I live in Porto.', sender: 'Ben' })
    await expect.poll(() => texts(home), { timeout: 30_000 }).toEqual(['I live in Porto'])
    await outputOf(home, ['unrestrict', '--participant', 'Ada', '--reason', 'settled'])
    await expect.poll(() => texts(home), { timeout: 30_000 }).toContain(text)
    expect(await texts(home)).toEqual(['I live in Porto', text])
  })
})

async function bodies(sql: Sql): Promise<Buffer[]> {
  const rows = await sql<{ body: Uint8Array }[]>`select body from facts`
  return rows.map(({ body }) => Buffer.from(body))
}

function bodyOf(all: readonly Buffer[], text: string): Buffer {
  const found = all.find((body) => body.toString('utf8').includes(`"${text}"`))
  if (found === undefined) throw new Error(`There is no fact "${text}"`)
  return found
}

describe('what an earlier version has chosen for summaries', () => {
  const settings = { ...usual, VERBATIM_LEARNING: 'off', VERBATIM_SUMMARY_IDLE_MINUTES: '0.01' }
  const content = (ship: number) => `We decided that ship ${ship} moors at berth ${ship}.`
  const saved = (tools: Tools, sessionId: string, timestamp?: string) =>
    tools.saveAll({
      session_id: sessionId,
      messages: [1, 2, 3].map((ship) => ({
        content: content(ship),
        sender: 'Ada',
        ...(timestamp === undefined ? {} : { timestamp }),
      })),
    })
  const shown = async (tools: Tools, sessionId: string) => (await tools.session(sessionId)).context_summary ?? ''

  test(
    'is chosen anew in the background, of history too, and at once where it is asked for; what a client wrote stays',
    { timeout: 120_000 },
    async () => {
      const home = await openHome({ ...settings, VERBATIM_ROLLING_SUMMARIES: 'off' })
      const tools = await home.tools()
      const times = '2025-03-01T00:00:00Z'
      await saved(tools, 'asked')
      await saved(tools, 'history', times)
      const { session_id: written } = await saved(tools, 'written', '2025-03-02T00:00:00Z')
      await tools.call('summarize', { session_id: 'asked' })
      await tools.call('summarize', { session_id: 'history', style: 'decisions', max_tokens: 500 })
      await tools.update(written, { summary: 'A ship moors at berth 1 [1].' })
      // What is chosen of all of it would be of more than twice as many messages.
      await tools.call('summarize', { session_id: 'written', style: 'decisions' })
      for (let more = 0; more < 2; more++) await saved(tools, 'written', '2025-03-02T00:00:00Z')
      const all = [1, 2, 3].map((ship) => `Ada: ${content(ship)}`).join('\n')
      expect(await shown(tools, 'history')).toBe(all)
      await changed(home, async (sql) => {
        const rows = await sql<
          { id: string; body: Uint8Array }[]
        >`select id, body from summaries where made_by = 'extractive'`
        expect(rows.length).toBeGreaterThan(2)
        for (const { id, body } of rows) {
          const other = Buffer.from(Buffer.from(body).toString('utf8').replaceAll('moors', 'sank'))
          await sql`update summaries set body = ${other}, model = null where id = ${id}`
        }
      })
      const before = await home.tools()
      expect(await shown(before, 'history')).toContain('sank')
      const { structured } = await before.call('summarize', { session_id: 'asked', format: 'json' })
      expect(structured).toMatchObject({ summary: all, made_by: 'extractive' })
      expect(structured).not.toHaveProperty('model')
      await home.endDaemon()
      home.settings = settings
      const after = await home.tools()
      await after.save({ session_id: 'later', content: 'Good morning.', sender: 'Ada' })
      await expect.poll(() => shown(after, 'history'), { timeout: 60_000 }).toBe(all)
      const { structured: again } = await after.call('summarize', {
        session_id: 'history',
        style: 'decisions',
        max_tokens: 500,
        format: 'json',
      })
      expect(again).toMatchObject({ summary: all })
      expect(await shown(after, 'written')).toBe('A ship moors at berth 1 [1].')
    },
  )
})
