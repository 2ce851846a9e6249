import { cpSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it, test } from 'vitest'

import { filesWith } from '../support/files-with.ts'
import { rootKeyOfTests } from '../support/root-key.ts'
import { isOnServer } from '../support/test-store.ts'
import { archiveNow, openHome } from './support/archived.ts'
import { canariesInArchive, canariesInTables } from './support/canaries.ts'
import { encryptionOf } from './support/doctor.ts'
import { useHome, type Home } from './support/home.ts'

const keyFileOf = (home: Home) => join(home.path, 'keys', 'root.key')
const transcript = ['a marzipan transcript', 'and its answer'].map((content) =>
  JSON.stringify({ role: 'user', content }),
)

/** What somebody does who has a root key on a server, and set nothing on this machine. */
describe('a store for which nothing is set', () => {
  const home = useHome()
  const file = join(home.userHome, 'notes.jsonl')

  it('is encrypted from the first save on, and doctor says so before and after it', async () => {
    const setup = await home.cli(['setup', 'codex', '--write'])
    expect(setup.stdout).toContain(`Its root key will be in the file "${keyFileOf(home)}": keep a copy of it elsewhere`)
    const before = await encryptionOf(home)
    const how = isOnServer ? 'with the root key of VERBATIM_ROOT_KEY' : 'the root key is made in the file'
    expect(before).toMatchObject({ state: 'ok', message: expect.stringContaining(how) })
    expect(existsSync(keyFileOf(home))).toBe(false)
    const tools = await home.tools()
    const saved = await tools.save({ session_id: 'notes', content: 'a word about marzipan', sender: 'Ann' })
    await tools.update('notes', { title: 'marzipan', summary: 'All about marzipan.' })
    await tools.save({ session_id: 'large', content: `marzipan ${'z'.repeat(2 * 1024 * 1024)}`, sender: 'Ann' })
    expect(saved.seq).toBe(1)
    writeFileSync(file, `${transcript.join('\n')}\n\n`)
    expect(await home.cli(['import', file])).toMatchObject({ code: 0, stderr: '' })
    const [source, made] = isOnServer ? ['VERBATIM_ROOT_KEY', false] : [`the file "${keyFileOf(home)}"`, true]
    expect(existsSync(keyFileOf(home))).toBe(made)
    expect(await encryptionOf(home)).toEqual({
      name: 'encryption',
      state: 'ok',
      message: `on, with the root key of ${source}; 3 sessions are encrypted and 0 are not`,
      remedy: `Keep a copy of ${source} elsewhere: without it nothing that is saved can be read, in backups and in the archive neither`,
    })
    if (isOnServer || process.platform === 'win32') return
    expect([statSync(keyFileOf(home)).mode & 0o777, statSync(join(home.path, 'keys')).mode & 0o777]).toEqual([
      0o600, 0o700,
    ])
  })

  it('is read, found, exported and proved, also by who comes after its daemon has left', async () => {
    await archiveNow(home)
    await home.endDaemon()
    const tools = await home.tools()
    expect(await tools.hits({ query: '"word about marzipan"' })).toEqual(['a word about marzipan'])
    expect((await tools.session('notes')).messages[0]?.content).toBe('a word about marzipan')
    expect((await tools.session('notes')).context_summary).toContain('All about marzipan.')
    const imported = (await tools.list()).sessions.find(({ source }) => source !== 'mcp')
    const original = await home.cli(['export', imported?.session_id ?? 'none', '--format', 'original'])
    expect(original.stdout).toBe(readFileSync(file, 'utf8'))
    expect(await home.cli(['verify'])).toMatchObject({ code: 0, stdout: expect.stringContaining('all intact') })
  })

  it('leaves nothing of what was saved in the files of the store', async () => {
    const archive = { VERBATIM_ARCHIVE: `file:${join(home.path, 'archive')}` }
    expect(await canariesInTables(home, ['marzipan'])).toEqual([])
    expect(await canariesInArchive(archive, ['marzipan'])).toEqual([])
    await home.endDaemon()
    expect(filesWith([home.path], 'marzipan')).toEqual([])
  })

  test.skipIf(isOnServer)(
    'loses nothing while its root key is gone: it says what to do, and goes on when it is back',
    async () => {
      const away = join(home.userHome, 'away.key')
      renameSync(keyFileOf(home), away)
      const tools = await home.tools()
      for (const [tool, args] of [
        ['save_message', { content: 'not now', sender: 'Ann' }],
        ['search_memory', { query: 'marzipan' }],
      ] as const) {
        const said = await tools.refusal(tool, args)
        expect(said).toContain(`its root key is missing: the file "${keyFileOf(home)}" is not there`)
        expect(said).toContain('Put the root key back from your copy of it')
      }
      expect(existsSync(keyFileOf(home))).toBe(false)
      renameSync(away, keyFileOf(home))
      expect(await tools.hits({ query: '"word about marzipan"' })).toEqual(['a word about marzipan'])
      await tools.save({ session_id: 'notes', content: 'and more of it', sender: 'Ann' })
      expect(await home.cli(['verify'])).toMatchObject({ code: 0 })
    },
  )

  it('comes back from its archive with the root key, and without it nothing does', async () => {
    await archiveNow(home)
    const exported = await home.cli(['export', 'notes', 'large', '--format', 'json'])
    const copy = home.directory('archive-copy')
    cpSync(join(home.path, 'archive'), copy, { recursive: true })
    const other = await openHome({ VERBATIM_ARCHIVE: `file:${copy}`, VERBATIM_ROOT_KEY_FILE: join(copy, 'no.key') })
    const refused = await other.cli(['restore'])
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('its root key is missing')])
    const key = isOnServer ? rootKeyOfTests : readFileSync(keyFileOf(home), 'utf8')
    writeFileSync(join(copy, 'no.key'), key)
    expect(await other.cli(['restore'])).toMatchObject({ code: 0, stdout: expect.stringContaining('all intact') })
    // What the index says of a message is there when it was read again.
    const said = (text: string) => text.replaceAll(/"sentiment":(?:null|-?[\d.]+)/gu, '"sentiment":null')
    const restored = await other.cli(['export', 'notes', 'large', '--format', 'json'])
    expect(said(restored.stdout)).toBe(said(exported.stdout))
  })

  it('takes what is new as it is with VERBATIM_ENCRYPTION=off, and is encrypted again without it', async () => {
    await home.endDaemon()
    const usual = home.settings
    home.settings = { ...usual, VERBATIM_ENCRYPTION: 'off' }
    await (await home.tools()).save({ session_id: 'plain', content: 'for everybody', sender: 'Ann' })
    expect(await encryptionOf(home)).toMatchObject({
      state: 'note',
      message: 'off: new sessions are not encrypted; 3 sessions are encrypted and 1 is not',
    })
    home.settings = usual
    await (await home.tools()).save({ session_id: 'sealed', content: 'for nobody else', sender: 'Ann' })
    expect(await encryptionOf(home)).toMatchObject({
      state: 'note',
      message: expect.stringContaining('4 sessions are encrypted and 1 is not'),
      remedy: 'Run "verbatim keys encrypt" to encrypt the rest',
    })
  })
})

describe('a store that was made without encryption', () => {
  const home = useHome()

  it('goes on so where nothing is set, and doctor says how to encrypt it', async () => {
    const usual = home.settings
    home.settings = { ...usual, VERBATIM_ENCRYPTION: 'off' }
    await (await home.tools()).save({ session_id: 'old', content: 'a word about nougat', sender: 'Ann' })
    await home.endDaemon()
    home.settings = usual
    const tools = await home.tools()
    await tools.save({ session_id: 'new', content: 'another word about nougat', sender: 'Ann' })
    expect((await tools.hits({ query: 'nougat' })).toSorted()).toEqual([
      'a word about nougat',
      'another word about nougat',
    ])
    expect(await encryptionOf(home)).toMatchObject({
      state: 'note',
      message: 'off: new sessions are not encrypted; 0 sessions are encrypted and 2 are not',
      remedy: expect.stringContaining('verbatim keys encrypt'),
    })
    expect(existsSync(keyFileOf(home))).toBe(false)
  })
})
