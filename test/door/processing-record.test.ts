import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { isOnServer } from '../support/test-store.ts'
import { useHome } from './support/home.ts'

const home = useHome()
const secrets = {
  GEMINI_API_KEY: 'AIza-do-not-show',
  PINECONE_API_KEY: 'pcsk-do-not-show',
  VERBATIM_SUMMARIZER_KEY: 'sk-do-not-show',
  AWS_SECRET_ACCESS_KEY: 'aws-do-not-show',
  AWS_ACCESS_KEY_ID: 'id-do-not-show',
  VERBATIM_ROOT_KEY: Buffer.alloc(32, 'do-not-show').toString('base64'),
  OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=do-not-show',
}
const away = {
  ...secrets,
  // Nothing is sent to anybody by it.
  VERBATIM_ROLE: 'web',
  VERBATIM_EMBEDDER: 'gemini',
  VERBATIM_VECTORS: 'pinecone',
  PINECONE_INDEX: 'harbour',
  VERBATIM_SUMMARIZER_URL: 'https://models.example.org/v1',
  VERBATIM_SUMMARIZER_MODEL: 'writer',
  VERBATIM_QUERY_EXPANSION: 'on',
  VERBATIM_ARCHIVE: 's3://bucket/memory',
  VERBATIM_ENCRYPTION: 'off',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'https://traces.example.org:4318',
}
const recordSchema = z.looseObject({
  generated_at: z.iso.datetime(),
  tenant: z.string(),
  purposes: z.array(z.object({ purpose: z.string(), state: z.string() })),
  categories: z.array(z.object({ category: z.string(), of: z.string(), data: z.string() })).min(4),
  holdings: z.record(z.string(), z.union([z.number(), z.string(), z.null()])),
  sources: z.array(z.object({ source: z.string(), sessions: z.number() })),
  stores: z.array(z.object({ what: z.string(), place: z.string(), holds: z.string() })),
  recipients: z.array(z.object({ name: z.string(), receives: z.string(), purpose: z.string(), place: z.string() })),
  retention: z.array(z.looseObject({ scope: z.string() })),
  encryption: z.looseObject({ setting: z.enum(['on', 'off']), sessions_encrypted: z.number() }),
  measures: z.array(z.string()),
})

async function record(env: Readonly<Record<string, string>> = {}) {
  const { stdout, stderr, code } = await home.cli(['privacy', 'record', '--json'], { env })
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return recordSchema.parse(JSON.parse(stdout))
}

describe('privacy record', () => {
  beforeAll(async () => {
    home.settings = { ...home.settings, VERBATIM_ROOT_KEY: secrets.VERBATIM_ROOT_KEY }
    const tools = await home.tools()
    await tools.saveAll({
      session_id: 'a',
      messages: [
        { content: 'The zarquon berth.', sender: 'Ada Quill' },
        { content: 'Noted.', sender: 'clerk', model: 'model-a' },
      ],
    })
    await tools.call('get_session', { session_id: 'a', view: 'pseudonymised' })
    await tools.update('a', { legal_hold: true })
    await home.cli(['retention', 'set', '--idle-days', '365'])
    await home.cli(['restrict', '--participant', 'Ada Quill', '--reason', 'asked'])
  })

  test('says what is kept, where, how long, and that nothing leaves the machine', async () => {
    const made = await record()
    expect(made.holdings).toMatchObject({
      sessions: 1,
      messages: 2,
      participants: 2,
      legal_holds: 1,
      restricted_participants: 1,
    })
    expect(made.holdings['pseudonym_tokens']).toBeGreaterThan(0)
    expect(made.sources).toEqual([{ source: 'mcp', sessions: 1 }])
    expect(made.retention).toEqual([{ scope: 'tenant', target: null, idle_days_max: 365 }])
    expect(made.encryption).toMatchObject({ setting: 'on', sessions_encrypted: 1 })
    expect(made.stores.find(({ what }) => what === 'archive')?.place).toBe(join(home.path, 'archive'))
    expect(made.recipients.map(({ name }) => name)).toEqual(isOnServer ? ['PostgreSQL server'] : [])
    expect(made.purposes.find(({ purpose }) => /by meaning/.test(purpose))?.state).toBe('off')
    // Nobody is named in it.
    expect(JSON.stringify(made)).not.toMatch(/Ada|zarquon/)
  })

  test('follows the settings, and shows no secret', async () => {
    const made = await record(away)
    const others = made.recipients.filter(({ name }) => name !== 'PostgreSQL server')
    expect(others.map(({ name, place }) => [name, place])).toEqual([
      ['Amazon S3', 's3://bucket/memory/ at region us-east-1'],
      ['Google (Gemini API)', 'generativelanguage.googleapis.com'],
      // What is summarized, what is learned from, and what is searched for.
      ['OpenAI-compatible server', 'models.example.org'],
      ['OpenAI-compatible server', 'models.example.org'],
      ['OpenAI-compatible server', 'models.example.org'],
      ['Pinecone', 'index harbour at api.pinecone.io'],
      ['OpenTelemetry collector', 'traces.example.org:4318'],
    ])
    expect(made.encryption).toMatchObject({ setting: 'off', sessions_encrypted: 1 })
    const text = JSON.stringify(made)
    for (const secret of Object.values(secrets)) expect(text).not.toContain(secret)
    expect(text).not.toMatch(/do-not-show/)
  })

  test('as Markdown says the same, to a new file', async () => {
    const path = join(home.userHome, 'record.md')
    const { stdout, stderr, code } = await home.cli(['privacy', 'record', '--output', path], { env: away })
    expect({ stdout, stderr, code }).toEqual({ stdout: '', stderr: '', code: 0 })
    const page = readFileSync(path, 'utf8')
    for (const { place } of (await record(away)).recipients) expect(page).toContain(place)
    expect(page).toMatch(/^# Record of processing\n/)
    expect(page).toMatch(/\| tenant \| – \| – \| 365 \|/)
    expect(page).toMatch(/^\| pseudonym tokens \| [1-9]\d* \|$/m)
    expect(page).not.toMatch(/do-not-show/)
  })

  test('counts a file that was imported once, with whatever is known of it', async () => {
    const directory = join(home.userHome, 'imported')
    mkdirSync(directory)
    for (const name of ['one', 'two'])
      writeFileSync(join(directory, `${name}.jsonl`), `${JSON.stringify({ role: 'user', content: name })}\n`)
    expect(await home.cli(['import', directory])).toMatchObject({ code: 0 })
    expect((await record()).holdings).toMatchObject({ imported_files: 2 })
  })
})
