import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { patternsNow } from '../../src/model/extractors.ts'
import { openHome } from './support/archived.ts'
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
async function changed(home: Home, change: (sql: ReturnType<Home['database']>['sql']) => Promise<unknown>) {
  const { settings } = home
  await home.endDaemon()
  home.settings = { ...settings, ...idle }
  const database = home.database()
  await change(database.sql)
  await database.close()
  await home.endDaemon()
  home.settings = settings
}

describe('what an earlier version has found by patterns', () => {
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
        await sql`update facts set made_by = 'patterns' where made_by <> 'user'`
        // It found less in one message, something in other words in two, and one of these was deleted.
        await sql`delete from facts where body = ${bodyOf(await bodies(sql), 'I live in Porto')}`
        for (const [text, earlier] of [
          ['I prefer pnpm over npm', 'I prefer pnpm'],
          ['I prefer tea over coffee', 'I prefer tea'],
        ] as const) {
          const body = bodyOf(await bodies(sql), text)
          const other = Buffer.from(body.toString('utf8').replace(text, earlier))
          const [row] = await sql<{ id: string }[]>`
          update facts set id = gen_random_uuid(), body = ${other}, statement_term = statement_term + 1 where body = ${body} returning id`
          await sql`
          update fact_sources set fact_id = ${row?.id ?? ''}, span_end = ${earlier.length}
          where message_id in (select id from messages where seq = ${contents.indexOf(`${text}.`) + 1})`
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
      const database = home.database()
      const earlier =
        await database.sql`select from facts where made_by <> ${patternsNow} and made_by <> 'user' and changed_at is null`
      const waiting = await database.sql`select from outbox where topic = 'learn_anew'`
      await database.close()
      expect([earlier.length, waiting.length]).toEqual([0, 0])
    },
  )
})

async function bodies(sql: ReturnType<Home['database']>['sql']): Promise<Buffer[]> {
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
      const { session_id: written } = await saved(tools, 'written', times)
      await tools.call('summarize', { session_id: 'asked' })
      await tools.call('summarize', { session_id: 'history', style: 'decisions', max_tokens: 500 })
      await tools.update(written, { summary: 'A ship moors at berth 1 [1].' })
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
