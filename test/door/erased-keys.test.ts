import { randomBytes } from 'node:crypto'
import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'
import { z } from 'zod'

import { archiveNow, archiveOf, directorySettings, openHome } from './support/archived.ts'
import { canariesInArchive, canariesInTables } from './support/canaries.ts'

const receiptSchema = z.object({ status: z.string(), erased: z.record(z.string(), z.number()) })

test('what was erased from an encrypted store cannot be read in a copy of the archive that holds no keys', async () => {
  const root = { VERBATIM_ENCRYPTION: 'on', VERBATIM_ROOT_KEY: randomBytes(32).toString('hex') }
  const settings = { ...(await directorySettings()), ...root }
  const home = await openHome(settings)
  const tools = await home.tools()
  const words = ['zarquon', 'plumbuswort', 'snorkelwight'] as const
  const [small, large, title] = words
  const { session_id: id } = await tools.save({ content: `a ${small}`, sender: 'Ada', session_id: 'doomed' })
  await tools.save({ content: `${large} ${'z'.repeat(1_100_000)}`, sender: 'Ada', session_id: 'doomed' })
  await tools.update('doomed', { title, summary: title })
  await tools.saveAll({
    session_id: 'part',
    messages: [
      { content: `some ${small}`, sender: 'Bob' },
      { content: 'the rest', sender: 'Ada' },
    ],
  })
  await archiveNow(home, tools)
  const archive = archiveOf(settings)
  const copy = home.directory('copy')
  cpSync(archive, copy, { recursive: true })
  // An ordinary backup leaves out the keys: docs/erasure.md.
  const backup = home.directory('backup')
  cpSync(archive, backup, { recursive: true })
  rmSync(join(backup, 'keys'), { recursive: true })

  const { stdout, stderr } = await home.cli(['erase', '--session', 'doomed', '--yes', '--json'])
  expect(stderr).toBe('')
  expect(receiptSchema.parse(JSON.parse(stdout))).toMatchObject({
    status: 'erased',
    erased: { sessions: 1, messages: 2, large_payloads: 1, session_keys: 1, archived_keys: 1 },
  })
  await home.cli(['erase', '--participant', 'Bob', '--yes'])
  await archiveNow(home, tools)
  expect(await canariesInTables(home, words)).toEqual([])
  expect(await canariesInArchive(settings, words)).toEqual([])
  expect(readdirSync(archive, { recursive: true }).filter((name) => String(name).includes(id))).toEqual([])
  const store = home.database()
  const keys = await store.sql`select wrapped from encryption_keys where session_id = ${id}`
  await store.close()
  expect(keys).toEqual([{ wrapped: null }])
  // What is left is under its key as before.
  expect((await tools.session('part')).messages.map(({ content }) => content)).toEqual(['', 'the rest'])
  expect((await home.cli(['verify'])).stdout).toMatch(/all intact/)

  const restored = async (from: string) => {
    const other = await openHome({ VERBATIM_ARCHIVE: `file:${from}`, ...root })
    const { stdout: report } = await other.cli(['restore'])
    const { stdout: exported } = await other.cli(['export', 'part', '--format', 'jsonl'])
    return { report, exported, ids: (await (await other.tools()).list()).sessions.map((one) => one['external_id']) }
  }
  const present = await restored(archive)
  expect(present.ids).toEqual(['part'])
  expect(present.exported).toContain('the rest')
  expect(present.exported).not.toContain(small)
  // The copy is read with the keys that there are now, as if nothing was known of what was erased.
  cpSync(join(archive, 'keys'), join(backup, 'keys'), { recursive: true })
  const old = await restored(backup)
  expect(old.report).toContain(`PROBLEM ${id}`)
  expect(old.report).toContain('the key that opens it is missing')
  expect(old.ids).toEqual(['part'])
  // Who keeps the keys in a copy can read all of it: that they are left out is what closes it.
  const whole = await restored(copy)
  expect(new Set(whole.ids)).toEqual(new Set(['doomed', 'part']))
}, 300_000)
