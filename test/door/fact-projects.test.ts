import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'

import { outputOf } from './support/cli-output.ts'
import { useHome } from './support/home.ts'
import { Tools } from './support/tools.ts'

// What is learned is waited for.
vi.setConfig({ testTimeout: 120_000 })

const home = useHome()
let client: Client
let tools: Tools
let rows = 0

const factSchema = z.object({
  id: z.string(),
  text: z.string(),
  project: z.string().optional(),
  until: z.string().optional(),
  times: z.number(),
})
const listSchema = z.object({ facts: z.array(factSchema) })

const alpha = '/home/ada/alpha'
const beta = '/home/ada/beta'

/** Says something in a session of Claude Code that is worked in a directory, a day after what was said before, and imports it. */
async function sayIn(cwd: string, session: string, content: string): Promise<void> {
  const path = join(home.userHome, '.claude', 'projects', '-work', `${session}.jsonl`)
  const timestamp = new Date(Date.UTC(2026, 0, ++rows)).toISOString()
  const row = { type: 'user', uuid: `row ${rows}`, parentUuid: null, sessionId: session, cwd, timestamp }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify({ ...row, message: { role: 'user', content } })}\n`, { flag: 'a' })
  await outputOf(home, ['import', path])
}

const facts = async (...more: readonly string[]) =>
  listSchema.parse(JSON.parse(await outputOf(home, ['facts', 'list', '--json', ...more]))).facts

/** What holds, each with its project. */
const holding = async () => (await facts()).map(({ text, project }) => `${text} (${project})`).toSorted()

async function untilHolding(expected: readonly (readonly [string, string | undefined])[]): Promise<void> {
  const told = expected.map(([text, project]) => `${text} (${project})`)
  await expect.poll(holding, { timeout: 60_000, interval: 200 }).toEqual(told.toSorted())
}

beforeAll(async () => {
  client = await home.connect()
  tools = new Tools(client)
  // The first that is stored makes the root key, and says so.
  await tools.call('save_message', { session_id: 'first', sender: 'Ada', content: 'Hello' })
})

describe('what is decided in a project', () => {
  test('ends what was decided there for the same purpose, and nothing in another project', async () => {
    await sayIn(alpha, 'alpha 1', 'We decided to use PostgreSQL for the database. I prefer pnpm over npm.')
    await sayIn(beta, 'beta 1', 'We decided to use MySQL for the database. I prefer npm over pnpm.')
    const inBeta = ['We decided to use MySQL for the database', beta] as const
    // What one likes is so wherever one works.
    const liked = ['I prefer npm over pnpm', undefined] as const
    await untilHolding([['We decided to use PostgreSQL for the database', alpha], inBeta, liked])
    await sayIn(`${alpha}/`, 'alpha 2', 'We decided to use SQLite for the database.')
    await untilHolding([['We decided to use SQLite for the database', alpha], inBeta, liked])
    const past = (await facts('--past')).filter(({ until }) => until !== undefined).map(({ text }) => text)
    expect(past.toSorted()).toEqual(['I prefer pnpm over npm', 'We decided to use PostgreSQL for the database'])
  })

  test('is one fact where it is said again there, and another one where it is said elsewhere', async () => {
    await sayIn(beta, 'beta 2', 'We decided to use SQLite for the database.')
    await sayIn(alpha, 'alpha 3', 'We decided to use SQLite for the database!')
    const decided = async () =>
      (await facts())
        .filter(({ text }) => text.startsWith('We decided'))
        .map(({ text, project, times }) => `${text} ${project} ${times}`)
        .toSorted()
    await expect
      .poll(decided, { timeout: 60_000, interval: 200 })
      .toEqual([
        `We decided to use SQLite for the database ${alpha} 2`,
        `We decided to use SQLite for the database ${beta} 1`,
      ])
  })

  test('is listed with the project, on the command line, in the profile and where it is recalled', async () => {
    expect(await outputOf(home, ['facts', 'list'])).toMatch(/decision .*SQLite for the database +ada\/alpha/u)
    const ofAlpha = (await facts()).find(({ project }) => project === alpha)
    const shown = await outputOf(home, ['facts', 'show', ofAlpha?.id ?? ''])
    expect(shown).toContain(`project     ${alpha}`)
    const [content] = (await client.readResource({ uri: 'memory://profile' })).contents
    const profile = listSchema.parse(JSON.parse(content !== undefined && 'text' in content ? content.text : ''))
    expect(profile.facts).toContainEqual(expect.objectContaining({ id: ofAlpha?.id, project: alpha }))
    const recalled = await tools.call('recall_context', { text: 'Which database do we use?' })
    expect(recalled.text).toContain(`decision in ${alpha}: We decided to use SQLite for the database`)
    const corrected = await outputOf(home, [
      'facts',
      'correct',
      ofAlpha?.id ?? '',
      'Alpha keeps its database in SQLite',
    ])
    expect(corrected).toContain(`project     ${alpha}`)
  })

  test('is recalled first in sessions of that project', async () => {
    const recalled = async (session: string) => {
      const { session_id: id } = await tools.session(session)
      const reply = await tools.call('recall_context', { session_id: id, format: 'json' })
      return listSchema.parse(reply.structured).facts.map(({ project }) => project)
    }
    await sayIn(alpha, 'alpha 4', 'Which database did we decide on, SQLite or another?')
    await sayIn(beta, 'beta 4', 'Which database did we decide on, SQLite or another?')
    expect(await recalled('alpha 4')).toEqual([alpha, beta])
    expect(await recalled('beta 4')).toEqual([beta, alpha])
  })

  test('ends what was decided before wherever no project is known', async () => {
    const say = (session: string, content: string) =>
      tools.call('save_message', { session_id: session, sender: 'Ada', content })
    await say('plain 1', 'We decided to use Redis for the queue.')
    const queue = async () => (await facts()).filter(({ text }) => text.includes('queue')).map(({ text }) => text)
    await expect.poll(queue, { timeout: 60_000, interval: 200 }).toEqual(['We decided to use Redis for the queue'])
    await say('plain 2', 'We decided to use RabbitMQ for the queue.')
    await expect.poll(queue, { timeout: 60_000, interval: 200 }).toEqual(['We decided to use RabbitMQ for the queue'])
  })

  test('ends nothing elsewhere that is used there either', async () => {
    const used = async () =>
      (await facts())
        .filter(({ text }) => /Jira|Linear|Our API/u.test(text))
        .map(({ text, project }) => `${text} (${project})`)
        .toSorted()
    await sayIn(alpha, 'alpha 5', 'We use Jira. Our API is written in Go.')
    await sayIn(beta, 'beta 5', 'We use Linear. Our API is written in Rust now.')
    await expect
      .poll(used, { timeout: 60_000, interval: 200 })
      .toEqual([
        `Our API is written in Go (${alpha})`,
        `Our API is written in Rust now (${beta})`,
        `We use Jira (${alpha})`,
        `We use Linear (${beta})`,
      ])
    await sayIn(alpha, 'alpha 6', 'We use Linear.')
    await expect
      .poll(used, { timeout: 60_000, interval: 200 })
      .toEqual([
        `Our API is written in Go (${alpha})`,
        `Our API is written in Rust now (${beta})`,
        `We use Linear (${alpha})`,
        `We use Linear (${beta})`,
      ])
  })

  test('is of no project any more where messages of its session were erased, which then says of none', async () => {
    const gamma = '/home/ada/gamma'
    await sayIn(gamma, 'gamma 1', 'We decided to use Kafka for the ledger.')
    await sayIn(gamma, 'gamma 1', 'The sun shines on the harbour.')
    const ledger = async () =>
      (await facts()).filter(({ text }) => text.includes('ledger')).map(({ text, project }) => `${text} (${project})`)
    await expect
      .poll(ledger, { timeout: 60_000, interval: 200 })
      .toEqual([`We decided to use Kafka for the ledger (${gamma})`])
    const { messages } = await tools.session('gamma 1')
    await outputOf(home, ['erase', '--message', messages[1]?.id ?? '', '--yes'])
    await tools.call('save_message', {
      session_id: 'plain 3',
      sender: 'Ada',
      content: 'We decided to use NATS for the ledger.',
    })
    await expect
      .poll(ledger, { timeout: 60_000, interval: 200 })
      .toEqual(['We decided to use NATS for the ledger (undefined)'])
  })
})
