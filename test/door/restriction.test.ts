import { beforeAll, describe, expect, test } from 'vitest'

import { outputOf, refusalOf } from './support/cli-output.ts'
import { useHome } from './support/home.ts'
import type { Tools } from './support/tools.ts'

const home = useHome()
let tools: Tools
let id = ''

const run = (...args: readonly string[]) => outputOf(home, args)
const refusal = (...args: readonly string[]) => refusalOf(home, args)

beforeAll(async () => {
  tools = await home.tools()
  const saved = await tools.saveAll({
    session_id: 'harbour',
    messages: [
      { content: 'Where is the zarquon?', sender: 'Ada Quill' },
      { content: 'The zarquon is at berth 14.', sender: 'Bob Marsh' },
    ],
  })
  id = saved.session_id
})

describe('verbatim restrict', () => {
  test('keeps what a participant said out of the answers of a server that is running, until unrestrict', async () => {
    expect(await tools.hits({ query: 'zarquon' })).toHaveLength(2)
    expect(await run('restrict', '--participant', 'Bob Marsh', '--reason', 'letter of 3 May')).toBe(
      'Bob Marsh is restricted: stored, and not to be used (1 message of 1 session)\n',
    )
    expect(await tools.hits({ query: 'zarquon' })).toEqual(['Where is the zarquon?'])
    expect((await tools.call('search_memory', { query: 'zarquon', context: 3 })).text).not.toMatch(/berth 14/)
    expect((await tools.call('get_session', { session_id: 'harbour', format: 'text' })).text).toMatch(
      /Bob Marsh \(.*, restricted\)/,
    )
    expect((await tools.session('harbour')).messages[1]).toMatchObject({ restricted: 'participant' })
    expect(await run('restrict', '--list')).toMatch(/participant +Bob Marsh +local +\d{4}-\d\d-\d\d +letter of 3 May/)
    expect(await run('search', 'zarquon')).not.toMatch(/berth 14/)

    await run('unrestrict', '--participant', 'Bob Marsh', '--reason', 'settled')
    expect(await tools.hits({ query: 'zarquon' })).toHaveLength(2)
    expect(await run('restrict', '--list')).toBe('Nothing is restricted.\n')
    const log = await run('audit', 'export')
    expect(log).toMatch(/"action":"participant.restrict".*"reason":"letter of 3 May"/)
    expect(log).toMatch(/"action":"participant.unrestrict".*"reason":"settled"/)
    // The record is never erased: it does not name who was restricted.
    expect(log).not.toMatch(/Bob Marsh/)
  })

  test('takes a session out of use, and says so where it is read whole', async () => {
    expect(await run('restrict', 'harbour', '--reason', 'disputed')).toBe(
      `session ${id} is restricted: stored, and not to be used\n`,
    )
    expect(await tools.hits({ query: 'zarquon' })).toEqual([])
    expect(await tools.refusal('summarize', { session_id: 'harbour' })).toMatch(/restricted/)
    expect(await tools.session('harbour')).toMatchObject({ restricted: true })
    expect((await tools.call('get_session', { session_id: 'harbour', format: 'text' })).text).toMatch(
      /restricted: stored, and not to be used/,
    )
    expect(JSON.parse(await run('restrict', '--list', '--json'))).toMatchObject([
      { kind: 'session', target: id, restricted_by: 'local', reason: 'disputed' },
    ])
    await run('unrestrict', 'harbour', '--reason', 'settled')
    expect(await tools.hits({ query: 'zarquon' })).toHaveLength(2)
  })

  test('refuses what is named in no way or in two, without a reason, or so already', async () => {
    expect(await refusal('restrict', '--reason', 'x')).toMatch(/one session or of one participant/)
    expect(await refusal('restrict', 'harbour', '--participant', 'Ada Quill', '--reason', 'x')).toMatch(
      /one session or/,
    )
    expect(await refusal('restrict', 'harbour')).toMatch(/without a reason/)
    expect(await refusal('restrict', 'nowhere', '--reason', 'x')).toMatch(/No session "nowhere"/)
    expect(await refusal('restrict', '--participant', 'Nobody', '--reason', 'x')).toMatch(/no message of a participant/)
    expect(await refusal('unrestrict', 'harbour', '--reason', 'x')).toMatch(/not restricted/)
  })
})
