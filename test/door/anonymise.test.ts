import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { archiveNow, archiveOf, directorySettings, openHome, untilIndexed } from './support/archived.ts'
import { canariesInArchive, canariesInTables } from './support/canaries.ts'
import type { Home } from './support/home.ts'

const receiptSchema = z.object({
  status: z.string(),
  action: z.string(),
  erasure_id: z.string(),
  erased: z.record(z.string(), z.number()),
  replaced: z.record(z.string(), z.number()),
  held: z.array(z.string()),
  pending: z.array(z.unknown()),
})
const previewSchema = z.object({
  status: z.literal('preview'),
  action: z.literal('anonymise'),
  messages: z.number(),
  messages_looked_through: z.number(),
  replaced: z.record(z.string(), z.number()),
  held: z.array(z.string()),
  confirm: z.string(),
})

/** So that it can be seen what is there before and after it; that of an encrypted store is in test/erasure/anonymise.test.ts. */
const plain = { VERBATIM_ENCRYPTION: 'off' }
const name = 'Kowalska'
const email = 'kanarie.k@posteo.de'
const card = '4111 1111 1111 1111'
const canaries = [name, email, card]
const about = `My name is Anna ${name}, card ${card}. Write to ${email} about the lighthouse.`

/** Anonymises at once by the command line, and gives the receipt. */
async function anonymise(home: Home, ...args: readonly string[]) {
  const { stdout, stderr } = await home.cli(['anonymise', ...args, '--yes', '--json'])
  expect(stderr).toBe('')
  return receiptSchema.parse(JSON.parse(stdout))
}

/** A transcript of Claude Code. */
function transcript(home: Home): string {
  const path = join(home.directory('transcripts'), 'session.jsonl')
  const lines = [`ask ${email}`, 'about the weather'].map((content, index) => ({
    type: 'user',
    sessionId: '11111111-2222-4333-8444-555555555555',
    uuid: `00000000-0000-4000-8000-00000000000${index}`,
    parentUuid: null,
    timestamp: `2026-01-0${index + 1}T10:00:00.000Z`,
    message: { role: 'user', content },
  }))
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return path
}

describe('verbatim anonymise', () => {
  test('replaces what is found in every store, and it does not come back', { timeout: 300_000 }, async () => {
    const settings = { ...(await directorySettings()), ...plain }
    const home = await openHome(settings)
    const tools = await home.tools()
    const first = { session_id: 'claim', message_id: 'first', content: about, sender: name }
    await tools.save({ ...first, metadata: { contact: email } })
    const large = { text: `${about} ${'z'.repeat(1_200_000)}` }
    await tools.save({ session_id: 'claim', message_id: 'large', content: [large], sender: 'Bob', model: 'model-x' })
    await tools.save({
      session_id: 'claim',
      content: 'The lamp was lit at dusk.',
      sender: 'assistant',
      role: 'assistant',
    })
    await tools.update('claim', { title: `Of ${email}`, tags: [email, 'lamps'], summary: `${name} wrote.` })
    const path = transcript(home)
    expect((await home.cli(['import', path])).code).toBe(0)
    await untilIndexed(home, tools)
    await archiveNow(home, tools)
    // What the tokens stand for is kept.
    const tokens = (await tools.call('get_session', { session_id: 'claim', view: 'pseudonymised' })).text
    const before = await tools.session('claim', { view: 'compact' })
    expect(await canariesInTables(home, canaries)).not.toEqual([])
    expect(await canariesInArchive(settings, canaries)).not.toEqual([])

    const chosen = { session_id: 'claim', action: 'anonymise' }
    const preview = previewSchema.parse((await tools.call('forget', chosen)).structured)
    expect(preview).toMatchObject({ messages: 3, messages_looked_through: 3, held: [] })
    expect(preview.replaced).toMatchObject({ payment_card: 2, email: 3 })
    expect(await tools.session('claim', { view: 'compact' })).toEqual(before)
    const { confirm } = preview
    expect(await tools.refusal('forget', { session_id: 'claim', confirm })).toMatch(/not what the preview has shown/)
    const receipt = receiptSchema.parse((await tools.call('forget', { ...chosen, confirm })).structured)
    expect(receipt).toMatchObject({
      status: 'anonymised',
      erased: { sessions: 0, messages: 0, anonymised: 3, summaries: 1, large_payloads: 1 },
      replaced: preview.replaced,
      pending: [],
    })
    expect(receipt.erased['pseudonyms']).toBeGreaterThan(0)
    expect(await anonymise(home, '--source', 'claude-code')).toMatchObject({
      erased: { anonymised: 2, import_files: 1 },
      replaced: { email: 1 },
    })

    const after = await tools.session('claim')
    expect(after.title).toBe('Of [email]')
    expect(after.tags).toEqual(['[email]', 'lamps'])
    expect(after).toMatchObject({ participants: ['[person]', 'assistant'], message_count: 3, context_summary: null })
    const compact = await tools.session('claim', { view: 'compact' })
    expect(compact.messages.map(({ id, seq, timestamp }) => [id, seq, timestamp])).toEqual(
      before.messages.map(({ id, seq, timestamp }) => [id, seq, timestamp]),
    )
    expect(after.messages[0]).toMatchObject({
      sender: '[person]',
      content: 'My name is [person], card [payment_card]. Write to [email] about the lighthouse.',
      metadata: { external_id: 'first', anonymized_at: expect.any(String), own: { contact: '[email]' } },
    })
    expect(compact.messages[2]?.text).toBe('The lamp was lit at dusk.')
    const token = /\[email_[\da-f]{10}\]/.exec(tokens)?.[0] ?? ''
    expect((await home.cli(['privacy', 'reveal', token])).stderr).toMatch(/Nothing is kept of/)

    // Nothing of it comes again.
    expect(await tools.refusal('save_message', first)).toMatch(
      /"first" as it was anonymised in this session. Use another message_id/,
    )
    expect(await tools.refusal('save_message', { ...first, message_id: 'large', content: [large] })).toMatch(
      /was anonymised/,
    )
    expect((await home.cli(['import', path, '--again'])).stdout).toMatch(
      /2 entries were erased or anonymised before and are not stored again/,
    )
    expect((await home.cli(['erase', '--again'])).stdout).toMatch(/Nothing has come back/)
    expect(await tools.refusal('forget', chosen)).toMatch(/nothing to anonymise: no message that is not anonymised yet/)
    expect(await tools.save({ session_id: 'claim', content: 'And more.', sender: 'Bob' })).toMatchObject({ seq: 4 })
    await untilIndexed(home, tools)
    expect(await tools.hits({ query: 'lighthouse' })).toHaveLength(2)
    for (const word of canaries) expect(await tools.hits({ query: `"${word}"` })).toEqual([])
    await archiveNow(home, tools)
    expect((await home.cli(['verify'])).stdout).toMatch(/all intact/)
    for (const format of ['json', 'markdown', 'html']) {
      const { stdout, code } = await home.cli(['export', 'claim', '--format', format])
      expect(code).toBe(0)
      expect(canaries.filter((word) => stdout.includes(word))).toEqual([])
    }
    expect(await canariesInTables(home, canaries)).toEqual([])
    expect(await canariesInArchive(settings, canaries)).toEqual([])
  })

  test('is not undone by a restore, nor where an older database is put back', { timeout: 300_000 }, async () => {
    const settings = { ...(await directorySettings()), ...plain }
    const home = await openHome(settings)
    const tools = await home.tools()
    await tools.saveAll({
      session_id: 'claim',
      messages: [
        { content: about, sender: name },
        { content: `${about} ${'z'.repeat(1_200_000)}`, sender: name },
        { content: 'The lamp was lit at dusk.', sender: 'Bob' },
      ],
    })
    await tools.update('claim', { title: `Of ${email}` })
    await archiveNow(home, tools)
    const copy = home.directory('copy')
    cpSync(archiveOf(settings), copy, { recursive: true })
    const store = home.database()
    const [former] = await store.sql<{ row: string }[]>`select to_jsonb(m)::text as row from messages m where seq = 1`
    expect(await anonymise(home, '--participant', name)).toMatchObject({ erased: { anonymised: 2 } })

    // As a dump of before has it.
    await store.sql`
        update messages m set payload = r.payload, payload_sha256 = r.payload_sha256, payload_bytes = r.payload_bytes, sender = r.sender, anonymized_at = null
        from jsonb_populate_record(null::messages, ${former?.row ?? ''}::text::jsonb) r where m.seq = 1`
    await store.close()
    expect((await tools.session('claim')).messages[0]?.content).toBe(about)
    expect((await home.cli(['erase', '--again'])).stdout).toMatch(/1 anonymised/)
    expect((await home.cli(['erase', '--receipts'])).stdout).toMatch(/anonymised .* by repetition/)
    expect(await canariesInTables(home, canaries)).toEqual([])
    expect(await canariesInArchive(settings, canaries)).toEqual([])

    // What an older backup of the archive holds is put beside what was anonymised since.
    cpSync(copy, archiveOf(settings), { recursive: true, force: true })
    expect(await canariesInArchive(settings, canaries)).not.toEqual([])
    const restored = await openHome(settings)
    const { stdout, code } = await restored.cli(['restore'])
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /restored 3 messages of 1 session, and 0 imported documents, 2 that the archive still has were erased or anonymised and stay so/,
      ),
    ])
    const again = await restored.tools()
    const { messages } = await again.session('claim', { view: 'compact' })
    expect(messages.map(({ sender, text }) => [sender, text?.slice(0, 24)])).toEqual([
      ['[person]', 'My name is [person], car'],
      ['[person]', 'My name is [person], car'],
      ['Bob', 'The lamp was lit at dusk'],
    ])
    const left = async () => [
      ...(await canariesInTables(restored, canaries)),
      ...(await canariesInArchive(settings, canaries)),
    ]
    await expect.poll(left, { timeout: 60_000, interval: 500 }).toEqual([])
    expect((await restored.cli(['verify'])).stdout).toMatch(/all intact/)
  })

  test('leaves alone what is on legal hold, tells people apart by tokens, and says what it cannot do', async () => {
    const home = await openHome({})
    const tools = await home.tools()
    const { session_id: id } = await tools.save({ session_id: 'held', content: about, sender: name })
    await tools.update('held', { legal_hold: true })
    await tools.saveAll({
      session_id: 'free',
      messages: [
        { content: `${email} and other@posteo.de, then ${email}`, sender: name },
        { content: 'From somebody else.', sender: 'Bob' },
      ],
    })
    const told = await home.cli(['anonymise', '--session', 'free'])
    expect(told.stdout).toMatch(/2 messages \(\d+ bytes\) of 1 session would be anonymised/)
    expect(told.stdout).toMatch(/would be replaced in the 2 that were looked through: .*3 email/)
    expect(told.stdout).toMatch(/Nothing was anonymised. To anonymise exactly this/)
    const receipt = await anonymise(home, '--participant', name, '--pseudonymise', '--reason', 'asked for')
    expect(receipt).toMatchObject({ status: 'anonymised', erased: { anonymised: 1 }, held: [id] })
    expect((await tools.session('held')).messages[0]?.content).toBe(about)
    const { messages } = await tools.session('free')
    const [first, second, third] = String(messages[0]?.content).match(/\[email_[\da-f]{10}\]/g) ?? []
    expect(first).toBe(third)
    expect(second).toMatch(/^\[email_/)
    expect(second).not.toBe(first)
    expect(messages[0]?.sender).toMatch(/^\[person_[\da-f]{10}\]$/)
    expect(messages[1]).toMatchObject({ sender: 'Bob', content: 'From somebody else.' })
    expect(messages[1]?.metadata?.['anonymized_at']).toBeUndefined()

    const refused = async (...args: readonly string[]) => {
      const { code, stderr } = await home.cli(['anonymise', ...args])
      expect(code).toBe(2)
      return stderr
    }
    expect(await refused()).toMatch(/Cannot anonymise as nothing is named\nName at least one of/)
    expect(await refused('--message', 'own')).toMatch(
      /Cannot anonymise a message by an id of your own without its session/,
    )
    expect(await refused('--participant', 'Nobody')).toMatch(/There is nothing to anonymise/)
    expect(await refused('--session', 'free', '--confirm', 'yes')).toMatch(/Cannot anonymise as "confirm" is not from/)
    expect(await tools.refusal('forget', { session_id: 'free', action: 'hide' })).toMatch(/action/)
    expect(await anonymise(home, '--session', 'held')).toMatchObject({ erased: { anonymised: 0 }, held: [id] })

    const store = home.database()
    const rows = await store.sql`
      select action, actor, tool, object_kind, reason from audit_log where request_id = ${receipt.erasure_id} order by id`
    await store.close()
    expect(rows).toEqual([
      { action: 'memory.anonymise', actor: 'local', tool: 'anonymise', object_kind: 'erasure', reason: 'participant' },
      { action: 'session.anonymise', actor: 'erasure', tool: null, object_kind: 'session', reason: 'messages' },
    ])
    expect((await home.cli(['erase', '--receipts'])).stdout).toMatch(/anonymised .* by participant, .*: asked for\n/)
  })
})
