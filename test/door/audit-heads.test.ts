import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'

import { publicKeyOf, signed, signHead, signingKeyOf } from '../../src/audit/signed-head.ts'
import { isOnServer } from '../support/test-store.ts'
import { directorySettings, archiveOf, openHome } from './support/archived.ts'
import { canariesInArchive, canariesInTables } from './support/canaries.ts'
import type { Home } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'

/** Serves for a while, and saves a few messages meanwhile; until there are so many signed heads, as only who serves signs them. */
async function useFor(home: Home, texts: readonly string[], headsMin = 0): Promise<void> {
  const server = await HttpHome.start(home)
  for (const content of texts) await (await server.tools()).save({ content, sender: 'Ann', session_id: 'harbour' })
  await expect
    .poll(() => verify(home).then(({ said }) => said), { timeout: 60_000, interval: 500 })
    .not.toMatch(/waits? to be/)
  await expect.poll(() => headsOf(home), { timeout: 60_000, interval: 500 }).toBeGreaterThanOrEqual(headsMin)
  await server.stop()
  await home.endDaemon()
}

async function verify(home: Home): Promise<{ readonly code: number | null; readonly said: string }> {
  const { code, stdout, stderr } = await home.cli(['audit', 'verify'])
  expect(stderr).toBe('')
  return { code, said: stdout }
}

/** The newest seal that a signed head bears out. */
function bornOutBy(said: string): number {
  return Number(/bears? out seals? (?:1 to )?(\d+),/.exec(said)?.[1] ?? 0)
}

async function headsOf(home: Home): Promise<number> {
  return Number(/^(\d+) signed heads? in the archive bears? out/m.exec((await verify(home)).said)?.[1] ?? 0)
}

/** Takes away all seals from one on with their rows, as somebody does who owns the database and knows how the record is made. */
async function truncate(home: Home, from: number): Promise<void> {
  const database = home.database()
  const { sql } = database
  try {
    for (const table of ['audit_log', 'audit_seals']) await sql.unsafe(`alter table ${table} disable trigger user`)
    await sql`delete from audit_log where id = any (select unnest(row_ids) from audit_seals where number >= ${from})`
    await sql`delete from audit_seals where number >= ${from}`
    for (const table of ['audit_log', 'audit_seals']) await sql.unsafe(`alter table ${table} enable trigger user`)
  } finally {
    await database.close()
  }
}

async function openAudited(settings: Readonly<Record<string, string>>): Promise<Home> {
  const home = await openHome({ ...settings, VERBATIM_AUDIT_HEAD_SECONDS: '1' })
  onTestFinished(() => home.dispose())
  return home
}

test('a record whose end was taken away, or made anew, is told by its signed heads', { timeout: 300_000 }, async () => {
  const home = await openAudited(await directorySettings())
  await useFor(home, ['The harbour opens at six.', 'Berth 14 is free.'], 2)
  const { code, said } = await verify(home)
  expect(code).toBe(0)
  // On a server each machine may have a key of its own.
  expect(said.includes('NOTE who signed the heads is not looked at')).toBe(isOnServer)
  const signed = bornOutBy(said)
  await home.endDaemon()

  await truncate(home, signed)
  const truncated = await verify(home)
  expect(truncated.code).toBe(1)
  expect(truncated.said).toMatch(
    new RegExp(`^PROBLEM seal ${signed} is gone, of which there is a signed head: it was deleted$`, 'm'),
  )

  await useFor(home, ['The pilot is Ines.', 'The tide turns at nine.', 'All is well.'])
  const anew = await verify(home)
  expect(anew.code).toBe(1)
  expect(anew.said).toMatch(
    new RegExp(`^PROBLEM seal ${signed} is another than its signed head says: it was made anew`, 'm'),
  )
})

test('a head that was altered, or signed with another key, is told', { timeout: 300_000 }, async () => {
  const settings = await directorySettings()
  const home = await openAudited(settings)
  await useFor(home, ['The harbour opens at six.'], 1)
  await home.endDaemon()
  const heads = join(archiveOf(settings), 'audit', '1')
  const record = join(heads, readdirSync(heads)[0] ?? '')
  const newest = join(record, readdirSync(record).at(-1) ?? '')
  const original = readFileSync(newest, 'utf8')
  writeFileSync(newest, original.replace(/"sealed_at":"20/, '"sealed_at":"19'))
  expect(await verify(home)).toMatchObject({
    code: 1,
    said: expect.stringMatching(/^PROBLEM the signed head audit\/1\/\w+\/\d+-\w+\.json in the archive was altered$/m),
  })
  writeFileSync(newest, original)
  const key = join(home.directory('other'), 'audit.key')
  writeFileSync(key, Buffer.alloc(32, 7))
  home.settings = { ...home.settings, VERBATIM_AUDIT_KEY_FILE: key }
  expect(await verify(home)).toMatchObject({
    code: 1,
    said: expect.stringMatching(
      /^PROBLEM seal \d+ has the head audit\/1\/\S+\.json(, and \d+ further up to seal \d+)?, signed with another key, [0-9a-f]{32}\./m,
    ),
  })
  writeFileSync(key, 'short')
  const { code, stderr } = await home.cli(['audit', 'verify'])
  expect(code).toBe(3)
  expect(stderr).toContain('as it has 5 bytes and not 32\nPut back the file as it was')
})

test('the heads of a store that was there before are no problem of another', { timeout: 300_000 }, async () => {
  const settings = await directorySettings()
  const first = await openAudited(settings)
  await useFor(first, ['The harbour opens at six.'], 1)
  await first.dispose()
  const second = await openAudited(settings)
  await useFor(second, ['Something else.'])
  const { code, said } = await verify(second)
  expect(said).toMatch(/^NOTE the archive has signed heads of another record of this tenant, sealed last at 20/m)
  expect(code).toBe(0)
})

/** Changes a row and takes away every seal, so that all is sealed anew: what an administrator of the database can do. */
async function forge(home: Home): Promise<void> {
  const database = home.database()
  const { sql } = database
  try {
    for (const table of ['audit_log', 'audit_seals']) await sql.unsafe(`alter table ${table} disable trigger user`)
    await sql`update audit_log set actor = 'mallory' where id = (select min(id) from audit_log)`
    await sql`delete from audit_seals`
    await sql`update audit_sealing set sealed_snapshot = null, target_snapshot = null, cursor_tenant = 0, cursor_id = 0`
    for (const table of ['audit_log', 'audit_seals']) await sql.unsafe(`alter table ${table} enable trigger user`)
  } finally {
    await database.close()
  }
}

test(
  'a record that was sealed anew from its start is told, until who has the key says why',
  { timeout: 300_000 },
  async () => {
    const key = join(mkdtempSync(join(tmpdir(), 'verbatim-audit-')), 'audit.key')
    onTestFinished(() => rmSync(join(key, '..'), { recursive: true }))
    writeFileSync(key, Buffer.alloc(32, 9), { mode: 0o600 })
    const settings = await directorySettings()
    const home = await openAudited({ ...settings, VERBATIM_AUDIT_KEY_FILE: key })
    await useFor(home, ['The harbour opens at six.'], 1)
    await home.endDaemon()
    await forge(home)
    await useFor(home, ['Berth 14 is free.'])
    const forged = await verify(home)
    expect(forged.code).toBe(1)
    const [, record = ''] =
      /^PROBLEM the record ([0-9a-f]{32}), sealed last at 20\S+ and signed with the key of this store, is not in the database: it was made anew/m.exec(
        forged.said,
      ) ?? []
    expect(record).not.toBe('')
    expect(forged.said).toMatch(/seals?: 1 problem$/m)

    const unexplained = await home.cli(['audit', 'close', record])
    expect([unexplained.code, unexplained.stderr]).toEqual([2, expect.stringContaining('without a reason')])
    const unknown = await home.cli(['audit', 'close', '0'.repeat(32), '--reason', 'restored'])
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('has no signed heads of it')])
    expect((await verify(home)).code).toBe(1)
    const closed = await home.cli(['audit', 'close', record, '--reason', 'case 12'])
    expect([closed.code, closed.stderr]).toEqual([0, ''])
    // Said again, it is as it was.
    expect((await home.cli(['audit', 'close', record, '--reason', 'case 12'])).stdout).toBe(closed.stdout)
    const known = await verify(home)
    expect(known.said).toMatch(
      /^NOTE the archive has signed heads of an earlier record of this tenant, sealed last at 20\S+ and closed at 20/m,
    )
    expect(known.code).toBe(0)
    const rows = (await home.cli(['audit', 'export'])).stdout
      .split('\n')
      .filter((line) => line.includes('"audit.close"'))
    expect(rows).toHaveLength(1)
    expect(rows[0]).toContain('case 12')
    expect(await canariesInTables(home, ['case 12'])).toEqual([])
    expect(await canariesInArchive(settings, ['case 12'])).toEqual([])

    // One that was not signed as what it says closes nothing.
    const closing = join(archiveOf(settings), 'audit', '1', record)
    const path = join(closing, readdirSync(closing).find((name) => name.startsWith('closed-')) ?? '')
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"closed_at":"20/, '"closed_at":"19'))
    expect((await verify(home)).code).toBe(1)
  },
)

const headSchema = z.object({
  tenant: z.number(),
  record: z.string(),
  seal: z.number(),
  hash: z.string(),
  sealed_at: z.string(),
})

/** A head like another one, as somebody else would have signed it. */
function headOf(
  secret: Uint8Array,
  path: string,
  changed: { readonly seal?: number; readonly hash?: string } = {},
): string {
  const { tenant, record, sealed_at: at, ...own } = headSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  const { seal, hash } = { ...own, ...changed }
  const newest = { tenantId: tenant, number: seal, hash, sealedAtMs: Date.parse(at) }
  return JSON.stringify(signHead(signingKeyOf(secret), { hash: record }, newest))
}

function resign(path: string, secret: Uint8Array): void {
  writeFileSync(path, headOf(secret, path))
}

test(
  'what a former key has signed is told where it is gone, once that key was accepted',
  { timeout: 300_000 },
  async () => {
    const key = join(mkdtempSync(join(tmpdir(), 'verbatim-audit-')), 'audit.key')
    onTestFinished(() => rmSync(join(key, '..'), { recursive: true }))
    const [former, present] = [Buffer.alloc(32, 3), Buffer.alloc(32, 4)]
    writeFileSync(key, former, { mode: 0o600 })
    const settings = await directorySettings()
    const home = await openAudited({ ...settings, VERBATIM_AUDIT_KEY_FILE: key })
    await useFor(home, ['The harbour opens at six.'], 1)
    writeFileSync(key, present)
    await useFor(home, ['Berth 14 is free.'], 1)
    const [, name = ''] = /signed with another key, ([0-9a-f]{32})\./.exec((await verify(home)).said) ?? []
    expect((await home.cli(['audit', 'accept-key', name, '--reason', 'replaced'])).code).toBe(0)
    expect((await verify(home)).code).toBe(0)

    const heads = join(archiveOf(settings), 'audit', '1')
    const record = readdirSync(heads)[0] ?? ''
    const signedWith = (secret: Uint8Array) =>
      readdirSync(join(heads, record))
        .filter((path) => /^\d{12}-/.test(path))
        .toSorted()
        .map((path) => join(heads, record, path))
        .filter((path) => readFileSync(path, 'utf8').includes(publicKeyOf(signingKeyOf(secret))))
    const newest = signedWith(former).at(-1) ?? ''
    const head = readFileSync(newest)
    rmSync(newest)
    const taken = await verify(home)
    expect(taken.code).toBe(1)
    expect(taken.said).toMatch(
      new RegExp(`^PROBLEM seal \\d+ had a head when the earlier key ${name} was accepted, which is gone$`, 'm'),
    )
    writeFileSync(newest, head)
    expect((await verify(home)).code).toBe(0)

    // Who makes the record anew takes away what the present key has signed of it.
    await home.endDaemon()
    await forge(home)
    for (const path of signedWith(present)) rmSync(path)
    await useFor(home, ['The tide turns at nine.'], 1)
    const forged = await verify(home)
    expect(forged.code).toBe(1)
    expect(forged.said).toContain(`PROBLEM the record ${record}, sealed last at `)
    expect(forged.said).toContain(` and signed with an earlier key, ${name}, of this store, is not in the database`)
    expect((await home.cli(['audit', 'close', record, '--reason', 'case 12'])).code).toBe(0)
    expect((await verify(home)).code).toBe(0)
  },
)

test(
  'a head in between that is signed with another key is told, until who has the key says that it is known',
  { timeout: 300_000 },
  async () => {
    const key = join(mkdtempSync(join(tmpdir(), 'verbatim-audit-')), 'audit.key')
    onTestFinished(() => rmSync(join(key, '..'), { recursive: true }))
    const [former, stranger] = [Buffer.alloc(32, 3), Buffer.alloc(32, 5)]
    writeFileSync(key, former, { mode: 0o600 })
    const settings = await directorySettings()
    const home = await openAudited({ ...settings, VERBATIM_AUDIT_KEY_FILE: key })
    await useFor(home, ['The harbour opens at six.'], 2)
    expect((await verify(home)).code).toBe(0)

    // The key is replaced, and the record goes on.
    writeFileSync(key, Buffer.alloc(32, 4))
    await useFor(home, ['Berth 14 is free.'], 2)
    const replaced = await verify(home)
    expect(replaced.code).toBe(1)
    const other =
      /^PROBLEM seal \d+ has the head audit\/1\/\S+\.json, and \d+ further up to seal \d+, signed with another key, ([0-9a-f]{32})\. Where you know it/m
    expect(replaced.said).toMatch(other)
    const [, name = ''] = other.exec(replaced.said) ?? []
    expect(name).not.toBe('')
    expect(replaced.said).toMatch(/seals: 1 problem$/m)
    const refused = async (...args: readonly string[]) => {
      const { code, stderr } = await home.cli(['audit', 'accept-key', ...args])
      return `${code} ${stderr}`
    }
    expect(await refused(name)).toContain('2 verbatim: Cannot accept a key without a reason')
    expect(await refused('0'.repeat(32), '--reason', 'new')).toContain('as no head of this record is signed with it')
    expect(await refused(name.toUpperCase(), '--reason', 'new')).toContain('32 hexadecimal digits in small letters')
    const heads = join(archiveOf(settings), 'audit', '1')
    const record = join(heads, readdirSync(heads)[0] ?? '')
    const pathsOf = () =>
      readdirSync(record)
        .filter((path) => /^\d{12}-/.test(path))
        .toSorted()
        .map((path) => join(record, path))
    // Who has the former key cannot have it accepted for what is still to come.
    const ahead = join(record, `999999999999-${'f'.repeat(32)}.json`)
    writeFileSync(ahead, headOf(former, pathsOf()[0] ?? '', { seal: 999_999_999_999, hash: 'f'.repeat(64) }))
    const accepted = await home.cli(['audit', 'accept-key', name, '--reason', 'the machine was replaced'])
    expect([accepted.code, accepted.stderr]).toEqual([0, ''])
    rmSync(ahead)
    expect((await home.cli(['audit', 'accept-key', name, '--reason', 'again'])).stdout).toBe(accepted.stdout)
    const known = await verify(home)
    expect(known.said).toMatch(
      new RegExp(
        `^NOTE \\d+ signed heads up to seal \\d+ are signed with an earlier key, ${name}, accepted at 20`,
        'm',
      ),
    )
    expect(known.code).toBe(0)

    // The former machine comes back for a while.
    writeFileSync(key, former)
    await useFor(home, ['The tide turns at nine.'], 2)
    writeFileSync(key, Buffer.alloc(32, 4))
    await useFor(home, ['The pilot is Ines.'], 2)
    expect((await verify(home)).code).toBe(1)
    const later = await home.cli(['audit', 'accept-key', name, '--reason', 'it was needed once more'])
    expect([later.code, later.stderr]).toEqual([0, ''])
    expect(later.stdout).not.toBe(accepted.stdout)
    expect((await home.cli(['audit', 'accept-key', name, '--reason', 'again'])).stdout).toBe(later.stdout)
    expect((await verify(home)).code).toBe(0)
    const exported = (await home.cli(['audit', 'export'])).stdout.split('\n')
    const reasons = ['the machine was replaced', 'it was needed once more']
    const accepts = exported.filter((line) => line.includes('"audit.accept-key"'))
    expect(accepts.map((line) => reasons.filter((reason) => line.includes(reason)))).toEqual(
      reasons.map((one) => [one]),
    )
    // The log itself holds no words, nor does what is signed in the archive.
    expect(await canariesInTables(home, reasons)).toEqual([])
    expect(await canariesInArchive(settings, reasons)).toEqual([])

    const paths = pathsOf()
    // A stranger's in between, and one of the former key's after it was replaced.
    resign(paths[0] ?? '', stranger)
    resign(paths.at(-1) ?? '', former)
    const forged = await verify(home)
    expect(forged.code).toBe(1)
    expect(forged.said).toMatch(/seals: 2 problems$/m)
    expect(forged.said).toMatch(
      /^PROBLEM seal \d+ has the head audit\/1\/\S+\.json, signed with another key, [0-9a-f]{32}/m,
    )
    expect(forged.said.split('\n').filter((line) => line.includes(`signed with another key, ${name}.`))).toHaveLength(1)

    // Nor does the former key let another sign what it may not.
    const { tenant, record: first } = headSchema.parse(JSON.parse(readFileSync(paths.at(-1) ?? '', 'utf8')))
    const claim = { version: 1, tenant, record: first.slice(0, 32), accepted: publicKeyOf(signingKeyOf(stranger)) }
    const limit = { seal: 999_999_999_999, accepted_at: new Date().toISOString() }
    const bytes = Buffer.from(
      JSON.stringify(['verbatim audit key accepted', ...Object.values(claim), ...Object.values(limit)]),
    )
    writeFileSync(
      join(record, 'accepted-stranger.json'),
      JSON.stringify({ ...claim, ...limit, ...signed(signingKeyOf(former), bytes) }),
    )
    resign(paths.at(-1) ?? '', stranger)
    const vouched = await verify(home)
    expect(vouched.code).toBe(1)
    expect(vouched.said).toMatch(/seals: 1 problem$/m)
  },
)
