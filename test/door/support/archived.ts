import { createHash } from 'node:crypto'

import { expect, onTestFinished } from 'vitest'

import { rootKeyOfTests } from '../../support/root-key.ts'
import { Home } from './home.ts'
import type { Tools } from './tools.ts'

/** A store that lives as long as the test. */
export async function openHome(settings: Readonly<Record<string, string>>): Promise<Home> {
  const home = new Home()
  onTestFinished(() => home.dispose())
  await home.makeDatabase()
  home.settings = { ...home.settings, ...settings }
  return home
}

/** An archive that outlives its stores, and the root key that opens it. */
export async function directorySettings(): Promise<Record<string, string>> {
  const keeper = new Home()
  onTestFinished(() => keeper.dispose())
  return { VERBATIM_ARCHIVE: `file:${keeper.directory('archive')}`, VERBATIM_ROOT_KEY: rootKeyOfTests }
}

export function archiveOf(settings: Readonly<Record<string, string>>): string {
  return (settings['VERBATIM_ARCHIVE'] ?? '').replace('file:', '')
}

/** Waits for the index. On a server it is made by those who serve the store, and a command ends before it is made. */
export async function untilIndexed(home: Home, tools?: Tools): Promise<void> {
  const asked = tools ?? (await home.tools())
  await expect
    .poll(async () => (await asked.status()).index.messages_behind, { timeout: 100_000, interval: 200 })
    .toBe(0)
}

/** Waits until those who serve the store have archived everything without being told to. */
export async function untilArchived(tools: Tools): Promise<void> {
  await expect
    .poll(async () => (await tools.status()).archive, { timeout: 100_000, interval: 200 })
    .toMatchObject(nothingBehind)
}

const nothingBehind = { sessions_behind: 0, messages_behind: 0, files_behind: 0 }

/**
 * Everything that a user can have written out, and every column of every row that tells of it; but for how often a session was restricted, by
 * which a store knows that one changed while something was made of it.
 */
export async function everything(home: Home, tools?: Tools) {
  await untilIndexed(home, tools)
  const store = home.database()
  try {
    const rowsOf = async (table: string, order: string) => {
      const rows = await store.sql.unsafe(
        `select (to_jsonb(t) - 'restrictions')::text as row from ${table} t order by ${order}`,
      )
      return rows.map(({ row }) => String(row))
    }
    const sessions = await store.sql<{ id: string; imported: boolean }[]>`
      select id, exists (select from import_files where s.id = any(session_ids)) as imported from sessions s order by id`
    const exported = async (format: string, chosen: typeof sessions | { id: string }[]) => {
      if (chosen.length === 0) return ''
      const { stdout, stderr, code } = await home.cli(['export', ...chosen.map(({ id }) => id), '--format', format])
      expect(stderr).toBe('')
      expect(code).toBe(0)
      return stdout
    }
    return {
      json: await exported('json', sessions),
      original: await exported(
        'original',
        sessions.filter(({ imported }) => imported),
      ),
      sessions: await rowsOf('sessions', 'id'),
      messages: (await rowsOf('messages', 'session_id, seq')).map((row) =>
        createHash('sha256').update(row).digest('hex'),
      ),
      summaries: await rowsOf('summaries', 'id'),
      files: await rowsOf('import_files', 'id'),
    }
  } finally {
    await store.close()
  }
}

export async function archiveNow(home: Home, tools?: Tools): Promise<void> {
  const { stdout, stderr, code } = await home.cli(['archive', '--now'])
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^archived: \d+ sessions?/)
  expect(code).toBe(0)
  if (tools === undefined) expect((await home.cli(['archive'])).stdout).toBe('everything is archived\n')
  else {
    // What is erased, learned or described meanwhile makes a session to be archived once more.
    const archived = async () => {
      const { archive } = await tools.status()
      if (archive.sessions_behind !== 0) await home.cli(['archive', '--now'])
      return archive
    }
    await expect.poll(archived, { timeout: 30_000 }).toMatchObject(nothingBehind)
  }
}
