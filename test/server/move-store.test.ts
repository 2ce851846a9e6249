import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { z } from 'zod'

import { Home, type CommandResult } from '../door/support/home.ts'
import { sharedData } from '../support/shared-data.ts'
import { OpenAiStandIn } from '../support/stand-ins/openai.ts'
import { lacksVectors, makeDatabase, type TestDatabase } from '../support/test-store.ts'

const moved = z.object({ copied: z.number(), already_there: z.number() })
const reportSchema = z.object({
  from: z.string(),
  to: z.string(),
  sessions: moved,
  messages: moved,
  came_since: z.number(),
  rows: z.record(z.string(), moved),
  audit_rows: z.number(),
  archived_payloads: moved,
  vectors: z.looseObject({ copied: z.number().optional(), made_anew: z.string().optional() }),
  problem_count: z.number(),
  problems: z.array(z.looseObject({ problem: z.string() })),
})
const none = { copied: 0, already_there: 0 }

/** What real agents recorded, where it is at hand, and a transcript that is. */
function transcripts(home: Home): string[] {
  const own = join(home.directory('own'), 'notes.jsonl')
  const rows = ['first', 'second'].map((content) => JSON.stringify({ role: 'user', content }))
  writeFileSync(own, `${rows.join('\n')}\n\n{"damaged"\n`)
  const real = ['codex', 'gemini-cli'].map((name) => sharedData('transcripts', name))
  return [own, ...real.filter((path) => path !== undefined)]
}

/** An embedded memory of a laptop, and databases on the server of the tests to move it to. */
class Laptop {
  readonly home = new Home()
  readonly #databases: TestDatabase[] = []

  async database(options?: { readonly empty?: boolean }): Promise<string> {
    const database = await makeDatabase(options)
    this.#databases.push(database)
    return database.url
  }

  /** Settings of a process that uses the server, on another machine. */
  onServer(url: string): Record<string, string> {
    return {
      DATABASE_URL: url,
      VERBATIM_HOME: this.home.directory('elsewhere'),
      VERBATIM_ARCHIVE: `file:${this.bucket}`,
      ...this.rootKey,
    }
  }

  /** The key that the laptop has made comes along by hand. */
  get rootKey(): Record<string, string> {
    return { VERBATIM_ROOT_KEY_FILE: join(this.home.path, 'keys', 'root.key') }
  }

  get bucket(): string {
    return this.home.directory('shared-archive')
  }

  migrate(url: string, ...options: readonly string[]): Promise<CommandResult> {
    return this.home.cli(['migrate', '--to', url, '--to-archive', `file:${this.bucket}`, ...options])
  }

  async report(url: string, ...options: readonly string[]) {
    const { code, stdout, stderr } = await this.migrate(url, '--json', ...options)
    if (stdout === '') throw new Error(stderr)
    return { code, ...reportSchema.parse(JSON.parse(stdout)) }
  }

  /** Digests of every session in a form that holds all of it, as the store of an environment gives it. */
  async exports(env: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> {
    const listed = await this.home.cli(['sessions', '--json', '--limit', '100'], { env })
    const { sessions } = z
      .object({ sessions: z.array(z.looseObject({ session_id: z.string(), source: z.string() })) })
      .parse(JSON.parse(listed.stdout))
    const ids = sessions.map((session) => session.session_id).toSorted()
    const imported = sessions.filter(({ source }) => source !== 'mcp').map((session) => session.session_id)
    // Restricted sessions are not listed.
    const json = await this.home.cli(['export', 'secret', ...ids, '--format', 'json'], { env })
    const original = await this.home.cli(['export', ...imported.toSorted(), '--format', 'original'], { env })
    if (json.code !== 0 || original.code !== 0) throw new Error(json.stderr + original.stderr)
    // Sentiment is known when the background work has come to a message.
    const whole = json.stdout.replaceAll(/"sentiment":[^,]*,/g, '')
    return { listed: listed.stdout, json: digest(whole), original: digest(original.stdout) }
  }

  async dispose(): Promise<void> {
    await this.home.dispose()
    for (const { drop } of this.#databases) await drop()
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Of a store that a migration has just filled. */
async function auditRows(url: string): Promise<number | undefined> {
  const statement = `select count(*)::int as rows from audit_log where action <> 'migrate'`
  return (await query<{ rows: number }>(url, statement))[0]?.rows
}

async function query<T extends object>(url: string, statement: string): Promise<readonly T[]> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    return await sql.unsafe<T[]>(statement)
  } finally {
    await sql.end()
  }
}

const laptop = new Laptop()
const large = 'z'.repeat(2 * 1024 * 1024)
let standIn: OpenAiStandIn
let messages: number
/** Of an e-mail address, as the laptop gives it. */
let pseudonym: string

async function countMessages(): Promise<number> {
  const { stdout } = await laptop.home.cli(['status', '--json'])
  return z.looseObject({ messages: z.number() }).parse(JSON.parse(stdout)).messages
}

beforeAll(async () => {
  standIn = await OpenAiStandIn.start()
  if (!lacksVectors)
    laptop.home.settings = {
      VERBATIM_EMBEDDER: 'openai-compatible',
      VERBATIM_EMBEDDER_URL: `${standIn.url}/v1`,
      VERBATIM_EMBEDDING_MODEL: standIn.model,
    }
  const imported = await laptop.home.cli(['import', ...transcripts(laptop.home)])
  if (imported.code !== 0) throw new Error(imported.stderr)
  const tools = await laptop.home.tools()
  await tools.save({ session_id: 'berth', sender: 'Ada', content: 'The berth \u0000 is \ud83d\udea2 fourteen' })
  await tools.save({ session_id: 'berth', sender: 'Ada', content: { text: large, n: 1e21 } })
  await tools.save({ session_id: 'secret', sender: 'Bob', content: 'The word is marguerite' })
  await tools.update('berth', { title: 'Möwe', tags: ['harbour'], legal_hold: true, summary: 'It is fourteen.' })
  await tools.update('secret', { restricted: true })
  for (const [command, reason] of [
    [['retention', 'hold', 'berth'], 'case 14'],
    [['restrict', '--participant', 'Bob'], 'case 15'],
  ] as const)
    await laptop.home.cli([...command, '--reason', reason])
  await tools.save({ session_id: 'letter', sender: 'Ada', content: 'Write to ada@posteo.de' })
  const shown = await tools.call('get_session', { session_id: 'letter', view: 'pseudonymised' })
  pseudonym = /\[email_[\da-f]{10}\]/u.exec(JSON.stringify(shown.structured))?.[0] ?? ''
  messages = await countMessages()
}, 240_000)

afterAll(async () => {
  await laptop.dispose()
  await standIn.stop()
})

/** Until the background work of the laptop has made all vectors. */
async function untilEmbedded(env: Readonly<Record<string, string>>): Promise<void> {
  const status = async () => {
    const { stdout } = await laptop.home.cli(['status', '--json'], { env })
    const { index, semantic_search: semantic } = z
      .looseObject({
        index: z.looseObject({ messages_behind: z.number() }),
        semantic_search: z.looseObject({ messages_behind: z.number(), vectors: z.number() }),
      })
      .parse(JSON.parse(stdout))
    return { words: index.messages_behind, vectors: semantic.messages_behind, some: semantic.vectors > 0 }
  }
  await expect.poll(status, { timeout: 120_000, interval: 1_000 }).toEqual({ words: 0, vectors: 0, some: true })
}

describe('verbatim migrate', () => {
  let url: string

  test('moves everything to a server, where exports are the same to the byte and verify finds all intact', async () => {
    if (!lacksVectors) await untilEmbedded({})
    const before = await laptop.exports()
    url = await laptop.database()
    const report = await laptop.report(url)
    // Commands there write rows of their own.
    expect(report.audit_rows).toBe(await auditRows(url))
    expect(report).toMatchObject({
      code: 0,
      messages: { copied: messages, already_there: 0 },
      came_since: 0,
      archived_payloads: { copied: 1 },
      problem_count: 0,
      problems: [],
    })
    expect(report.rows).toMatchObject({
      import_files: { already_there: 0 },
      summaries: { copied: 1 },
      // Of an address and of who is named as the sender.
      pseudonyms: { copied: 2, already_there: 0 },
      reasons: { copied: 2, already_there: 0 },
    })
    expect(await laptop.exports(laptop.onServer(url))).toEqual(before)
    expect(await laptop.exports()).toEqual(before)
    const verified = await laptop.home.cli(['verify'], { env: laptop.onServer(url) })
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('all intact') })
    const told = async (...args: string[]) => (await laptop.home.cli(args, { env: laptop.onServer(url) })).stdout
    expect(await told('retention', 'holds')).toContain('case 14')
    expect(await told('restrict', '--list')).toContain('case 15')
    expect(await query(url, 'select external_id from sessions where legal_hold')).toEqual([{ external_id: 'berth' }])
    expect(await query(url, 'select external_id from sessions where restricted')).toEqual([{ external_id: 'secret' }])
  })

  test.skipIf(lacksVectors)(
    'takes the vectors along: the server embeds nothing again, and finds by meaning',
    async () => {
      const env = { ...laptop.home.settings, ...laptop.onServer(url) }
      const asked = standIn.embeddingRequests.length
      const [vectors] = await query<{ count: number }>(url, 'select count(*)::int as count from unit_vectors')
      expect(vectors?.count).toBeGreaterThan(0)
      const server = new Home()
      server.settings = env
      try {
        const tools = await server.tools()
        const search = async () => (await tools.search({ query: 'berth' })).coverage.semantic
        await expect.poll(search, { timeout: 60_000, interval: 500 }).toBe('on')
        await untilEmbedded(env)
        const texts = standIn.embeddingRequests.slice(asked).flatMap(({ input }) => input)
        // The query, and what the adapter asks to learn the number of dimensions.
        expect(texts.filter((text) => text !== 'berth' && text !== 'dimensions')).toEqual([])
        expect(await query(url, 'select count(*)::int as count from unit_vectors')).toEqual([vectors])
      } finally {
        await server.dispose()
      }
    },
  )

  test('takes along what came since when it is run again, and copies nothing twice', async () => {
    const rows = () => query(url, 'select count(*)::int as count, count(distinct id)::int as ids from audit_log')
    // Of the commands that were run at the source since.
    expect((await laptop.report(url)).audit_rows).toBeGreaterThan(0)
    const audited = await rows()
    const again = await laptop.report(url)
    expect(again).toMatchObject({ code: 0, messages: { copied: 0, already_there: messages }, audit_rows: 0 })
    expect(again.sessions.copied).toBe(0)
    expect(await rows()).toEqual(audited)
    const tools = await laptop.home.tools()
    await tools.save({ session_id: 'berth', sender: 'Ada', content: 'No, fifteen' })
    await tools.save({ session_id: 'later', sender: 'Ada', content: 'A session that is new' })
    await tools.update('secret', { tags: ['flowers'] })
    const later = await laptop.report(url)
    expect(later).toMatchObject({ code: 0, messages: { copied: 2, already_there: messages }, problem_count: 0 })
    expect(later.sessions.copied).toBe(3)
    messages += 2
    expect(await laptop.exports(laptop.onServer(url))).toEqual(await laptop.exports())
    expect((await laptop.home.cli(['verify'], { env: laptop.onServer(url) })).stdout).toContain('all intact')
  })

  test('takes along what pseudonyms stand for, and says which key tells it there', async () => {
    const { code, stdout } = await laptop.migrate(url)
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('NOTE what 2 pseudonyms stand') })
    const reveal = (env: Record<string, string>) => laptop.home.cli(['privacy', 'reveal', pseudonym], { env })
    const env = laptop.onServer(url)
    expect((await reveal(env)).code).not.toBe(0)
    const key = { VERBATIM_PSEUDONYM_KEY_FILE: join(laptop.home.path, 'keys', 'pseudonym.key') }
    expect(await reveal({ ...env, ...key })).toMatchObject({ code: 0, stdout: 'ada@posteo.de\n' })
  })

  test('says which message is another at the target, and refuses before it writes', async () => {
    const target = await laptop.database()
    await laptop.report(target)
    const [message] = await query<{ id: string; session_id: string }>(
      target,
      `select m.id, m.session_id from messages m join sessions s on s.id = m.session_id where s.external_id = 'secret'`,
    )
    // Everything but its hash: only a comparison of the bytes themselves sees it.
    await query(target, `update messages set payload = '"altered"' where id = '${message?.id}'`)
    const { code, problems } = await laptop.report(target)
    expect(code).toBe(1)
    expect(problems).toEqual([{ session_id: message?.session_id, problem: 'message 1 is another at the target' }])
    await query(target, `update messages set payload_sha256 = sha256('x') where id = '${message?.id}'`)
    await query(target, `delete from messages where session_id <> '${message?.session_id}'`)
    const refused = await laptop.migrate(target)
    expect(refused.code).toBe(2)
    expect(refused.stderr).toMatch(
      /1 of its sessions are at the target with other content: session "secret" \(message 1/,
    )
    expect(refused.stderr).toContain('Choose a target without them')
    expect(await query(target, 'select count(*)::int as count from messages')).toEqual([{ count: 1 }])
  })

  test('refuses a session that the target knows under another id, and one that went on at both', async () => {
    const onServer = new Home()
    onServer.settings = { ...laptop.onServer(url), VERBATIM_EMBEDDER: 'none' }
    try {
      const there = await onServer.tools()
      await there.save({ session_id: 'later', sender: 'Bob', content: 'said at the server' })
      // What goes on at the server alone is no contradiction.
      expect(await laptop.report(url)).toMatchObject({ code: 0, problem_count: 0 })
      await (await laptop.home.tools()).save({ session_id: 'later', sender: 'Ada', content: 'said here' })
      messages += 1
      const both = await laptop.migrate(url)
      expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('session "later" (message 2 is another)') })
      const other = await laptop.database()
      onServer.settings = { ...onServer.settings, DATABASE_URL: other, VERBATIM_ENCRYPTION: 'off' }
      await (await onServer.tools()).save({ session_id: 'berth', sender: 'Bob', content: 'another berth' })
      const twin = await laptop.migrate(other)
      expect(twin.code).toBe(2)
      expect(twin.stderr).toMatch(/session "berth" \(there it is session [0-9a-f-]{36}\)/)
      // Its words would be looked for under the key that came.
      await query(other, `update sessions set external_id = 'another berth'`)
      const open = await laptop.migrate(other)
      expect(open.code).toBe(2)
      expect(open.stderr).toContain('as it is encrypted, and the target holds sessions that are not')
      expect(await query(other, 'select from encryption_keys')).toHaveLength(0)
    } finally {
      await onServer.dispose()
    }
  })

  test('goes on where it was when it is killed in the middle, and nothing is doubled', async () => {
    const target = await laptop.database()
    const count = async () =>
      (await query<{ count: number }>(target, 'select count(*)::int as count from messages'))[0]?.count ?? 0
    let kills = 0
    for (; kills < 3; kills++) {
      const before = await count()
      const child = spawn(process.execPath, [laptop.home.program, 'migrate', '--to', target], {
        env: { ...laptop.home.env, VERBATIM_ARCHIVE: `file:${laptop.bucket}` },
        stdio: 'ignore',
      })
      const ended = once(child, 'exit')
      while ((await count()) === before && child.exitCode === null) await sleep(20)
      child.kill('SIGKILL')
      await ended
    }
    const part = await count()
    expect(part).toBeGreaterThan(0)
    expect(part).toBeLessThan(messages)
    const report = await laptop.report(target)
    expect(report).toMatchObject({ code: 0, problem_count: 0 })
    expect(report.messages.already_there).toBeGreaterThan(0)
    expect(report.messages.copied + report.messages.already_there).toBe(messages)
    expect(report.audit_rows).toBe(await auditRows(target))
    expect(await laptop.exports(laptop.onServer(target))).toEqual(await laptop.exports())
  })

  test('moves a server back into a home', async () => {
    const back = new Home()
    const archive = { VERBATIM_ARCHIVE: `file:${laptop.bucket}`, ...laptop.rootKey }
    try {
      const moving = await laptop.home.cli(['migrate', '--from', url, '--to', back.path], { env: archive })
      expect(moving).toMatchObject({ code: 0, stderr: '' })
      const there = { VERBATIM_HOME: back.path, ...archive }
      expect(await laptop.exports(there)).toEqual(await laptop.exports(laptop.onServer(url)))
      expect((await laptop.home.cli(['verify'], { env: there })).stdout).toContain('all intact')
    } finally {
      await back.dispose()
    }
  })

  test('anonymises at the target what was anonymised at the source since it was moved', async () => {
    const own = new Laptop()
    const server = new Home()
    try {
      const to = await own.database()
      const tools = await own.home.tools()
      const content = 'Kowalska can be reached at kanarie.k@posteo.de.'
      await tools.save({ session_id: 'claim', content, sender: 'Kowalska' })
      expect(await own.report(to)).toMatchObject({ code: 0, messages: { copied: 1 } })
      server.settings = { ...own.home.settings, ...own.onServer(to) }
      const there = await server.tools()
      expect((await there.session('claim')).messages[0]).toMatchObject({ content, sender: 'Kowalska' })
      await own.home.cli(['anonymise', '--session', 'claim', '--yes'])
      expect(await own.report(to)).toMatchObject({ code: 0, problem_count: 0 })
      const now = { content: '[person] can be reached at [email].', sender: '[person]' }
      await expect
        .poll(async () => (await there.session('claim')).messages[0], { timeout: 60_000, interval: 500 })
        .toMatchObject(now)
      expect(await own.report(to)).toMatchObject({ code: 0, problem_count: 0 })
      expect((await there.session('claim')).messages[0]).toMatchObject(now)
    } finally {
      await server.dispose()
      await own.dispose()
    }
  })

  test('moves a store that was decrypted into one that has keys of its own', async () => {
    const own = new Home()
    const server = new Home()
    const facts = z.object({ facts: z.array(z.looseObject({ text: z.string(), times: z.number() })) })
    const learned = async (home: Home) =>
      facts
        .parse(JSON.parse((await home.cli(['facts', 'list', '--json'])).stdout))
        .facts.map(({ text, times }) => ({ text, times }))
    try {
      const said = { content: 'I prefer herons over gulls.', sender: 'Eve' }
      await (await own.tools()).save({ session_id: 'plain', ...said })
      await expect.poll(() => learned(own), { timeout: 30_000 }).toHaveLength(1)
      const [fact] = await learned(own)
      expect((await own.cli(['keys', 'decrypt'])).code).toBe(0)
      const archive = { VERBATIM_ARCHIVE: `file:${own.directory('archive')}` }
      server.settings = { ...laptop.onServer(url), ...archive, VERBATIM_EMBEDDER: 'none' }
      const moving = await own.cli(['migrate', '--to', url, '--json'], { env: { ...archive, ...laptop.rootKey } })
      expect(moving.stderr).toBe('')
      expect(reportSchema.parse(JSON.parse(moving.stdout))).toMatchObject({
        messages: { copied: 1 },
        rows: { facts: { copied: 1 } },
        vectors: { made_anew: 'the target hashes the words of texts under another key' },
        problems: [],
      })
      expect(moving.code).toBe(0)
      expect((await server.cli(['export', 'plain'])).stdout).toContain(said.content)
      expect(await query(url, 'select from encryption_states')).toHaveLength(0)
      // The same words have one hash there, by which they are known to be the same.
      await (await server.tools()).save({ session_id: 'again', ...said })
      await expect.poll(() => learned(server), { timeout: 30_000 }).toContainEqual({ ...fact, times: 2 })

      // Also into one that has its keys and nothing else any more: what is saved there is sealed as before.
      const emptied = await laptop.database()
      server.settings = { ...server.settings, DATABASE_URL: emptied }
      const there = await server.tools()
      await there.save({ session_id: 'gone', ...said })
      expect(await server.cli(['erase', '--session', 'gone', '--yes'])).toMatchObject({ code: 0 })
      expect(await query(emptied, 'select from sessions')).toHaveLength(0)
      const again = await own.cli(['migrate', '--to', emptied, '--json'], { env: { ...archive, ...laptop.rootKey } })
      expect(reportSchema.parse(JSON.parse(again.stdout))).toMatchObject({ messages: { copied: 1 }, problems: [] })
      expect(await query(emptied, 'select from encryption_states')).toHaveLength(0)
      await there.save({ session_id: 'new', content: 'after the move', sender: 'Eve' })
      const sealed = `select count(*)::int as count from messages where key_version > 0`
      expect(await query(emptied, sealed)).toEqual([{ count: 1 }])
      expect((await server.cli(['export', 'plain', 'new'])).stdout).toContain(said.content)
    } finally {
      await server.dispose()
      await own.dispose()
    }
  })

  test('names a message whose payload is missing in the archive, and moves the rest', async () => {
    const target = await laptop.database()
    const elsewhere = laptop.home.directory('no-payloads')
    const { code, stdout } = await laptop.home.cli(['migrate', '--from', url, '--to', target, '--json'], {
      env: { VERBATIM_HOME: elsewhere, ...laptop.rootKey },
    })
    const { problems, ...report } = reportSchema.parse(JSON.parse(stdout))
    expect(code).toBe(1)
    expect(report.messages).toMatchObject({ already_there: 0 })
    expect(report.archived_payloads).toEqual(none)
    expect(problems).toEqual([
      expect.objectContaining({
        message_id: expect.any(String),
        problem: expect.stringContaining('is missing or altered'),
      }),
    ])
  })

  test.skipIf(process.env['TEST_S3_ENDPOINT'] === undefined)('puts large payloads into a bucket', async () => {
    const target = await laptop.database()
    const endpoint = process.env['TEST_S3_ENDPOINT'] ?? ''
    const bucket = `moved-${randomUUID()}`
    const [accessKeyId, secretAccessKey] = ['tests', 'tests-secret']
    const client = new S3Client({
      endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    })
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
    client.destroy()
    const env = {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    }
    const place = `s3://${bucket}/memory`
    const moving = await laptop.home.cli(['migrate', '--to', target, '--to-archive', place], { env })
    expect(moving).toMatchObject({ code: 0, stdout: expect.stringContaining('all compared by SHA-256: identical') })
    const there = { ...env, ...laptop.onServer(target), VERBATIM_ARCHIVE: place }
    const exported = await laptop.home.cli(['export', 'berth'], { env: there })
    expect(exported.stdout).toContain(large)
    expect((await laptop.home.cli(['verify'], { env: there })).stdout).toContain('all intact')
  })
})

describe('verbatim migrate refuses, with what to do', () => {
  test('a source without a store, and makes none', async () => {
    const empty = laptop.home.directory('empty')
    const { code, stderr } = await laptop.home.cli(['migrate', '--from', empty, '--to', await laptop.database()])
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `verbatim: Cannot move a store from "${empty}" as there is none\nCheck --from; "embedded" is the home of the settings\n`,
    })
    expect(readdirSync(empty)).toEqual([])
    const database = await laptop.database({ empty: true })
    const server = await laptop.home.cli(['migrate', '--from', database, '--to', empty])
    expect(server).toMatchObject({ code: 2, stderr: expect.stringContaining('as there is none') })
    expect(await query(database, `select from pg_tables where schemaname = 'public'`)).toHaveLength(0)
  })

  test('a store that is to be moved into itself, under whatever name', async () => {
    const into = await laptop.home.cli(['migrate', '--to', laptop.home.path])
    expect(into).toMatchObject({ code: 2, stderr: expect.stringContaining('Cannot move a store into itself') })
    const url = await laptop.database()
    const other = url.replace('127.0.0.1', 'localhost')
    const same = await laptop.home.cli(['migrate', '--from', url, '--to', other])
    expect(same).toMatchObject({ code: 2, stderr: expect.stringContaining('Cannot move a store into itself') })
  })

  test('a server that is not fit, one that is not there, and what is no store', async () => {
    const { adminUrl } = inject('testServer')
    await query(adminUrl, `create database unfit_target encoding UTF8 locale 'C' template template0`)
    try {
      const unfit = await laptop.migrate(adminUrl.replace(/\/[^/]*$/, '/unfit_target'))
      expect(unfit).toMatchObject({ code: 3, stderr: expect.stringContaining('knows no letters beyond ASCII') })
    } finally {
      await query(adminUrl, 'drop database unfit_target with (force)')
    }
    const gone = await laptop.migrate('postgres://ada:secret-word@127.0.0.1:1/verbatim')
    expect(gone.code).toBe(3)
    expect(gone.stderr).toContain('postgres://ada@127.0.0.1:1/verbatim')
    expect(gone.stderr).not.toContain('secret-word')
    const other = await laptop.migrate('mysql://localhost/app')
    expect(other).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('must be a PostgreSQL server or a directory'),
    })
  })

  test('an archive that cannot be written', async () => {
    const { code, stderr } = await laptop.home.cli([
      'migrate',
      '--to',
      await laptop.database(),
      '--to-archive',
      `file:${laptop.home.program}/below-a-file`,
    ])
    expect(code).toBe(3)
    expect(stderr).toContain('Cannot write to the archive directory')
  })
})
