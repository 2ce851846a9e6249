import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'

import { sharedData } from '../support/shared-data.ts'
import { isOnServer } from '../support/test-store.ts'
import { archiveNow, archiveOf, directorySettings, everything, openHome, untilArchived } from './support/archived.ts'
import { bucketSettings, s3Endpoint } from './support/bucket.ts'
import { outputOf } from './support/cli-output.ts'
import type { Home } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'
import type { Tools } from './support/tools.ts'

const transcripts = sharedData('transcripts')

const factsSchema = z.object({ facts: z.array(z.looseObject({ id: z.string(), text: z.string() })) })

/** Sessions of every kind that can be saved: large payloads, metadata, branches, summaries, holds, text of every sort. */
async function saveHistory(home: Home): Promise<Tools> {
  const tools = await home.tools()
  const turns = Array.from({ length: 7 }, (_, index) => ({
    content: { n: index, text: `turn ${index}: NUL \0, BOM \uFEFF, emoji 👩‍👩‍👧, \r\n and "quotes"`, unknown: [null, 1.5] },
    sender: index % 2 === 0 ? 'Ada' : 'Marguerite',
    message_id: `turn ${index}`,
    ...(index > 1 ? { parent_id: `turn ${index - 2}` } : {}),
    model: `model-${index % 3}`,
    tokens: { input: index, output: 2 * index, cache_read: 3 },
    tools_used: ['lookup', 'write'],
    metadata: { deep: { er: [index] } },
    timestamp: `2025-03-0${index + 1}T10:00:00.123Z`,
  }))
  await tools.saveAll({ session_id: 'of every kind', messages: turns })
  await tools.save({ content: `large ${'z'.repeat(2 * 1024 * 1024)}`, sender: 'Ada', session_id: 'of every kind' })
  await tools.call('update_session', {
    session_id: 'of every kind',
    title: 'The berth of the Marguerite',
    tags: ['harbour', 'naïve'],
    legal_hold: true,
    summary: 'She got berth 14.\nUntil Friday.',
    model: 'model-x',
  })
  await tools.save({ content: 'kept to itself', sender: 'Ada', session_id: 'secret' })
  await tools.call('update_session', { session_id: 'secret', restricted: true, closed: true })
  await tools.save({ content: 'A word or two.', sender: 'Ada' })
  const chosen = ['chatgpt-export', 'claude-ai-export', 'gemini-cli', 'openclaw', 'pi']
  if (transcripts === undefined) return tools
  const imported = await home.cli(['import', ...chosen.map((name) => join(transcripts, name))])
  expect(imported.stderr).not.toContain('internal error')
  return tools
}

/** Each place with one kind of store: what is archived comes from rows, whoever holds them. */
const places: [string, boolean, () => Promise<Record<string, string>>][] = [
  ['a directory', !isOnServer || s3Endpoint === undefined, directorySettings],
  ['a bucket', isOnServer && s3Endpoint !== undefined, bucketSettings],
]

describe.each(places)('with its archive in %s', (_place, isHere, settingsOf) => {
  test.skipIf(!isHere)(
    'a store that is lost is rebuilt from the archive alone, every export and every row byte for byte',
    { timeout: 600_000 },
    async () => {
      // Not encrypted: what is sealed is sealed anew, in other bytes (test/archive/sealed-archive.test.ts).
      const settings = { ...(await settingsOf()), VERBATIM_ENCRYPTION: 'off' }
      const first = await openHome(settings)
      const tools = await saveHistory(first)
      const before = await everything(first, tools)
      await archiveNow(first, tools)
      const verified = await first.cli(['verify'])
      const problems = verified.stdout.split('\n').filter((line) => line.startsWith('PROBLEM'))
      await first.dispose()

      const second = await openHome(settings)
      const restored = await second.cli(['restore'])
      expect(restored.stdout).toMatch(/all intact/)
      expect(restored.stderr).toMatch(/^restoring \d+ records of sessions and imported documents from the archive\n$/)
      expect(restored.code).toBe(0)
      const after = await everything(second)
      expect(after).toEqual(before)
      expect((await second.cli(['archive'])).stdout).toBe('everything is archived\n')
      const again = await second.cli(['verify'])
      expect(again.stdout.split('\n').filter((line) => line.startsWith('PROBLEM'))).toEqual(problems)
    },
  )
})

describe('a restore', () => {
  test.skipIf(isOnServer)(
    'keeps closed what was shared with some only, until it is shared again',
    { timeout: 200_000 },
    async () => {
      const settings = await directorySettings()
      const first = await openHome(settings)
      const tools = await first.tools()
      const { session_id: id } = await tools.save({ content: 'between us', sender: 'Ada' })
      await first.cli(['token', 'create', '--name', 'ada', '--principal', 'ada'])
      await archiveNow(first, tools)
      expect((await first.cli(['access', 'grant', id, 'ada', '--role', 'owner'])).stderr).toBe('')
      await archiveNow(first, tools)
      await first.dispose()

      const second = await openHome(settings)
      expect((await second.cli(['restore'])).code).toBe(0)
      const server = await HttpHome.start(second)
      const ada = await server.tools(await server.newToken('--name', 'ada', '--principal', 'ada'))
      expect(await ada.hits({ query: 'between us' })).toEqual([])
      expect((await second.cli(['access', 'list', id])).stdout).toContain('(restored)')
      await second.cli(['access', 'grant', id, 'ada', '--role', 'owner'])
      expect(await ada.hits({ query: 'between us' })).toEqual(['between us'])
    },
  )

  test(
    'gives back what was changed by hand of what was learned, and who has changed it',
    { timeout: 120_000 },
    async () => {
      const settings = await directorySettings()
      const first = await openHome(settings)
      const tools = await first.tools()
      const factsOf = async (home: Home) =>
        factsSchema.parse(JSON.parse(await outputOf(home, ['facts', 'list', '--past', '--json']))).facts
      await tools.save({ content: 'I work at Lantern Works.', sender: 'Ada', session_id: 'work' })
      await tools.save({ content: 'I live in Porto.', sender: 'Ada', session_id: 'home' })
      await expect.poll(() => factsOf(first), { timeout: 20_000 }).toHaveLength(2)
      for (const { id, text } of await factsOf(first)) {
        const change = text.includes('Porto') ? { pinned: true } : { text: 'Ada works at the lantern works' }
        await tools.call('update_fact', { fact_id: id, ...change })
      }
      const before = await factsOf(first)
      expect(before).toContainEqual(
        expect.objectContaining({ corrected_by: 'local', corrected_through: expect.stringMatching(/^door/u) }),
      )
      await archiveNow(first, tools)
      await first.dispose()
      const second = await openHome(settings)
      expect((await second.cli(['restore'])).code).toBe(0)
      expect(await factsOf(second)).toEqual(before)
    },
  )

  test('refuses a store that is not empty', async () => {
    const home = await openHome(await directorySettings())
    const tools = await home.tools()
    await tools.save({ content: 'here', sender: 'Ada' })
    const { code, stderr } = await home.cli(['restore'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/Cannot restore into this store as it is not empty\nSet VERBATIM_HOME or DATABASE_URL/)
    expect(stderr).not.toContain('restoring')
  })

  test.skipIf(isOnServer)('names what is damaged, and restores the rest', { timeout: 300_000 }, async () => {
    const settings = await directorySettings()
    const first = await openHome(settings)
    const tools = await first.tools()
    const names = ['whole', 'changed', 'torn', 'headless'] as const
    for (let part = 0; part < 3; part++) {
      for (const name of names) await tools.save({ content: `${name} ${part}`, sender: 'Ada', session_id: name })
      await archiveNow(first, tools)
    }
    const { sessions } = await tools.list()
    const ids = names.map((name) => sessions.find(({ external_id: id }) => id === name)?.session_id)
    await first.dispose()
    const [, changed = '', torn = '', headless = ''] = ids
    const archive = archiveOf(settings)
    const at = (session: string, name: string) => join(archive, '1', session, name)
    const bytes = readFileSync(at(changed, '000002.vseg'))
    bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1
    writeFileSync(at(changed, '000002.vseg'), bytes)
    rmSync(at(torn, '000002.vseg'))
    for (const name of readdirSync(join(archive, '1', headless)))
      if (name.endsWith('.vmanifest')) writeFileSync(at(headless, name), 'not a manifest')

    const second = await openHome(settings)
    const { code, stdout } = await second.cli(['restore'])
    expect(code).toBe(1)
    expect(stdout).toContain(
      `PROBLEM ${changed} 1/${changed}/000002.vseg: its bytes do not match the SHA-256 in it: messages 2 to 2 are lost`,
    )
    expect(stdout).toContain(`PROBLEM ${torn} 1/${torn}/000002.vseg: it is missing: messages 2 to 2 are lost`)
    expect(stdout).toMatch(
      new RegExp(`PROBLEM ${headless} 1/${headless}/000003.vmanifest: it is no object of an archive`),
    )
    expect(stdout).toContain('restored 10 messages of 4 sessions')
    const contents = async (name: string) => {
      const { stdout: json } = await second.cli(['export', name, '--format', 'jsonl'])
      return json
        .trim()
        .split('\n')
        .map((line) => z.object({ content: z.string() }).parse(JSON.parse(line)).content)
    }
    expect(await contents('whole')).toEqual(['whole 0', 'whole 1', 'whole 2'])
    expect(await contents('changed')).toEqual(['changed 0', 'changed 2'])
    expect(await contents('torn')).toEqual(['torn 0', 'torn 2'])
    expect(await contents('headless')).toEqual(['headless 0', 'headless 1', 'headless 2'])
    // What was restored goes on being archived.
    const again = await second.tools()
    await again.save({ content: 'torn 3', sender: 'Ada', session_id: 'torn' })
    await archiveNow(second, again)
    expect(existsSync(at(torn, '000004.vseg'))).toBe(true)
    expect((await second.cli(['verify'])).stdout).toContain(`1/${torn}/000002.vseg: it is missing`)
  })

  test.skipIf(isOnServer)('says of nothing that it was there already where nothing was', async () => {
    const settings = await directorySettings()
    const first = await openHome(settings)
    const tools = await first.tools()
    const path = join(first.userHome, 'talk.jsonl')
    writeFileSync(path, '{"role":"user","content":"The harbour opens at six."}\n')
    expect((await first.cli(['import', path, '--format', 'generic'])).code).toBe(0)
    await archiveNow(first, tools)
    await first.dispose()

    const second = await openHome(settings)
    const { code, stdout } = await second.cli(['restore'])
    expect(stdout).toContain('restored 1 message of 1 session, and 1 imported document: all intact')
    expect(code).toBe(0)
  })

  test.skipIf(isOnServer)('goes on where it was interrupted', { timeout: 300_000 }, async () => {
    const settings = { ...(await directorySettings()), VERBATIM_ENCRYPTION: 'off' }
    const first = await openHome(settings)
    const tools = await first.tools()
    for (let session = 0; session < 40; session++)
      await tools.saveAll({
        session_id: `session ${session}`,
        messages: Array.from({ length: 20 }, (_, index) => ({ content: `${session} ${index}`, sender: 'Ada' })),
      })
    const before = await everything(first, tools)
    await archiveNow(first, tools)
    await first.dispose()

    const second = await openHome(settings)
    const store = second.database()
    onTestFinished(() => store.close())
    const child = second.start(['restore'])
    onTestFinished(() => void child.kill('SIGKILL'))
    await expect
      .poll(async () => (await store.sql`select 1 from sessions`).length, { interval: 5, timeout: 60_000 })
      .toBeGreaterThan(2)
    child.kill('SIGKILL')
    const { stdout, code } = await second.cli(['restore'])
    expect(code).toBe(0)
    const [, restored, there] =
      /restored \d+ messages? of (\d+) sessions?, and 0 imported documents, (\d+) (?:was|were) there already: all intact/.exec(
        stdout,
      ) ?? []
    expect(Number(there)).toBeGreaterThan(2)
    expect(Number(restored) + Number(there)).toBe(40)
    expect(await everything(second)).toEqual(before)
    expect((await second.cli(['restore'])).code).toBe(2)
  })
})

describe('the archive', () => {
  test('follows what changes in a session without being asked', { timeout: 200_000 }, async () => {
    const settings = {
      ...(await directorySettings()),
      VERBATIM_ARCHIVE_IDLE_MINUTES: '0.02',
      VERBATIM_ENCRYPTION: 'off',
    }
    const first = await openHome(settings)
    const tools = await first.tools()
    await tools.save({ content: 'one', sender: 'Ada', session_id: 'followed' })
    await untilArchived(tools)
    await tools.save({ content: 'two', sender: 'Ada', session_id: 'followed' })
    await tools.call('update_session', { session_id: 'followed', title: 'A title', tags: ['late'], restricted: true })
    await untilArchived(tools)
    const before = await everything(first, tools)
    await first.dispose()
    const second = await openHome(settings)
    expect((await second.cli(['restore'])).code).toBe(0)
    expect(await everything(second)).toEqual(before)
  })

  test('has a segment of a session that is closed, and says how far it is behind one that is not', async () => {
    const settings = await directorySettings()
    const home = await openHome(settings)
    const tools = await home.tools()
    const saved = await tools.save({ content: 'one', sender: 'Ada', session_id: 'closed' })
    await tools.save({ content: 'two', sender: 'Ada', session_id: 'open' })
    await tools.call('update_session', { session_id: 'closed', closed: true })
    const segment = join(archiveOf(settings), '1', saved.session_id, '000001.vseg')
    await expect.poll(() => existsSync(segment), { timeout: 30_000 }).toBe(true)
    const behind = { sessions_behind: 1, messages_behind: 1 }
    await expect.poll(async () => (await tools.status()).archive, { timeout: 30_000 }).toMatchObject(behind)
    expect((await home.cli(['archive'])).stdout).toBe('1 message of 1 changed session is not archived yet\n')
    expect((await home.cli(['doctor'])).stdout).toMatch(
      /ok {7}archive: can be written; 1 message of 1 changed session is not archived yet/,
    )
  })
})
