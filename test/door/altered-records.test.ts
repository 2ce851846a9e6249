import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { sharedData } from '../support/shared-data.ts'
import { openHome, untilIndexed } from './support/archived.ts'
import { useHome, type Home } from './support/home.ts'

const home = useHome()
const reportSchema = z.object({
  contents_only: z.number(),
  problem_count: z.number(),
  problems: z.array(
    z.object({ session_id: z.string().optional(), message_id: z.string().optional(), problem: z.string() }),
  ),
})

async function verified(of: Home = home) {
  const { code, stdout } = await of.cli(['verify', '--json'])
  return { code, ...reportSchema.parse(JSON.parse(stdout)) }
}

/** Of each column that the digest is of, but for those by which a message is found or opened. */
const changes = [
  `sender = 'Mallory'`,
  `role = 'system'`,
  `timestamp = timestamp - interval '1 day'`,
  `saved_at = saved_at + interval '1 millisecond'`,
  'metadata = null',
  `model = 'another'`,
  'input_tokens = 8',
  'output_tokens = null',
  'cache_read_tokens = 0',
  'cache_write_tokens = 1',
  `tools_used = array['rm']`,
  `tools_used = array['ls', null]`,
  `tool_call_id = 'c'`,
  `context_switch = 'model'`,
  'parent_id = null',
  `parent_external_id = 'm1'`,
  `trust = 'external'`,
  `kind = 'event'`,
  'anonymized_at = saved_at',
  `payload_media_type = payload_media_type || ';'`,
  'payload_bytes = payload_bytes + 1',
]

describe('verify', () => {
  test(
    'finds nothing where this program has changed a message: corrected, sealed anew, anonymised, erased',
    { timeout: 300_000 },
    async () => {
      const tools = await home.tools()
      const messages = ['My card is 4111 1111 1111 1111', 'The boat is red', 'to be erased'].map((content, at) => ({
        content,
        sender: at === 2 ? 'Bob' : 'Ann',
        message_id: `s${at}`,
        metadata: { at },
      }))
      await tools.saveAll({ session_id: 'changed', messages })
      await untilIndexed(home, tools)
      expect(await verified()).toMatchObject({ code: 0, contents_only: 0 })
      const steps = [
        ['correct', 'changed', 's1', '--content', 'The boat is blue', '--reason', 'wrong'],
        ['keys', 'rotate-session', 'changed'],
        ['keys', 'decrypt'],
        ['keys', 'encrypt'],
        ['erase', '--participant', 'Bob', '--yes'],
        ['anonymise', '--session', 'changed', '--yes'],
      ]
      for (const step of steps) {
        expect([step, await home.cli(step)]).toEqual([step, expect.objectContaining({ code: 0 })])
        await untilIndexed(home, tools)
        expect([step, await verified()]).toEqual([
          step,
          expect.objectContaining({ code: 0, problem_count: 0, contents_only: 0 }),
        ])
      }
      // What was wrong before it is changed is not taken for right by that.
      await home.inDatabase(`update messages set role = 'system' where external_id = 's1'`)
      for (const command of [
        ['keys', 'rotate-session', 'changed'],
        ['keys', 'decrypt'],
      ]) {
        expect(await home.cli(command)).toMatchObject({ code: 0 })
        await untilIndexed(home, tools)
        expect(await verified()).toMatchObject({ code: 1, problem_count: 1 })
      }
      await home.cli(['erase', '--session', 'changed', '--message', 's1', '--yes'])
      expect(await verified()).toMatchObject({ code: 0, problem_count: 0 })
    },
  )

  test('names each message of which anything but the content was changed in the database', async () => {
    const tools = await home.tools()
    const save = async (session: string, n: number) =>
      await tools.save({
        session_id: session,
        message_id: `m${n}`,
        content: `message ${n}`,
        sender: 'Ann',
        model: 'some',
        tokens: { input: 7, output: 1 },
        tools_used: ['ls'],
        metadata: { place: n },
        ...(n === 1 ? {} : { parent_id: `m${n - 1}` }),
      })
    await save('kept', 1)
    await save('kept', 2)
    const ids: string[] = []
    for (const at of changes.keys()) {
      await save(`altered ${at}`, 1)
      ids.push((await save(`altered ${at}`, 2)).message_id)
    }
    await untilIndexed(home, tools)
    for (const [at, change] of changes.entries())
      await home.inDatabase(`update messages set ${change} where id = '${ids[at]}'`)
    const { code, problems, contents_only: contentsOnly } = await verified()
    expect([code, contentsOnly]).toEqual([1, 0])
    expect(new Set(problems.map(({ message_id: id }) => id))).toEqual(new Set(ids))
    expect(problems).toHaveLength(ids.length)
    expect(problems[0]?.problem).toContain('what is stored beside its content was altered')
  })

  test('does so where a message has no words too, under each key, and where all words are indexed anew', async () => {
    const wordless = await openHome({})
    const tools = await wordless.tools()
    await tools.save({ session_id: 'wordless', content: 'one', sender: 'Ann' })
    const { message_id: id } = await tools.save({
      session_id: 'wordless',
      content: [],
      sender: 'Ann',
      metadata: { n: 1 },
    })
    await tools.save({ session_id: 'wordless', content: '', sender: 'Bob' })
    await untilIndexed(wordless, tools)
    const intact = { code: 0, problem_count: 0, contents_only: 0 }
    expect(await verified(wordless)).toMatchObject(intact)
    for (const command of [
      ['keys', 'rotate-session', 'wordless'],
      ['erase', '--participant', 'Bob', '--yes'],
      ['reindex', '--words', '--yes'],
      ['keys', 'decrypt'],
    ]) {
      expect([command, await wordless.cli(command)]).toEqual([command, expect.objectContaining({ code: 0 })])
      await untilIndexed(wordless, tools)
      expect([command, await verified(wordless)]).toEqual([command, expect.objectContaining(intact)])
    }
    await wordless.inDatabase(`update messages set sender = 'Mallory' where id = '${id}'`)
    const found = { code: 1, problems: [expect.objectContaining({ message_id: id })] }
    expect(await verified(wordless)).toMatchObject(found)
    expect(await wordless.cli(['keys', 'encrypt'])).toMatchObject({ code: 0 })
    await untilIndexed(wordless, tools)
    expect(await verified(wordless)).toMatchObject(found)
  })

  test.skipIf(sharedData('transcripts/codex/localpush') === undefined)(
    'proves each entry of a transcript, those without words too',
    async () => {
      const imported = await openHome({})
      const tools = await imported.tools()
      const transcripts = sharedData('transcripts/codex/localpush') ?? ''
      expect(await imported.cli(['import', transcripts])).toMatchObject({ code: 0 })
      await untilIndexed(imported, tools)
      expect(await verified(imported)).toMatchObject({ code: 0, problem_count: 0, contents_only: 0 })
    },
  )

  test('says of how many messages the content alone is proven, and of none more when the index has read them', async () => {
    await home.inDatabase(
      `update search_units set record_digest = null where session_id = (select id from sessions where external_id = 'kept')`,
    )
    expect(await verified()).toMatchObject({ contents_only: 2 })
    expect((await home.cli(['verify'])).stdout).toContain('2 messages')
    expect((await home.cli(['reindex', '--words', '--yes'])).code).toBe(0)
    expect(await verified()).toMatchObject({ code: 0, contents_only: 0 })
  })

  test('finds the same in a store that is not encrypted', async () => {
    const plain = await openHome({ VERBATIM_ENCRYPTION: 'off' })
    const tools = await plain.tools()
    await tools.save({ session_id: 'plain', content: 'one', sender: 'Ann' })
    const { message_id: id } = await tools.save({
      session_id: 'plain',
      content: 'two',
      sender: 'Ann',
      metadata: { a: 1 },
    })
    await untilIndexed(plain, tools)
    expect(await verified(plain)).toMatchObject({ code: 0, problem_count: 0, contents_only: 0 })
    await plain.inDatabase(`update messages set metadata = convert_to('{"a":2}', 'UTF8') where id = '${id}'`)
    expect(await verified(plain)).toMatchObject({ code: 1, problems: [expect.objectContaining({ message_id: id })] })
  })
})
