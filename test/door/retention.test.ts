import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { openHome } from './support/archived.ts'
import { outputOf, refusalOf } from './support/cli-output.ts'
import type { Home } from './support/home.ts'

const planSchema = z.object({
  expired: z.array(
    z.object({ session_id: z.string(), whole: z.boolean(), messages: z.number(), reasons: z.array(z.string()) }),
  ),
  held: z.array(z.string()),
  clock: z.string().optional(),
})

const run = (home: Home, ...args: readonly string[]) => outputOf(home, ['retention', ...args])

async function preview(home: Home) {
  return planSchema.parse(JSON.parse(await run(home, 'preview', '--json')))
}

/** Makes a session as old as a policy needs it. */
async function age(home: Home, externalId: string, days: number): Promise<void> {
  await home.inDatabase(`with s as (update sessions set last_active_at = now() - interval '${days} days' where external_id = '${externalId}' returning id)
     update messages set timestamp = now() - interval '${days} days' where session_id in (select id from s)`)
}

describe('retention', () => {
  test('erases what has expired by the narrowest policy, and keeps what is held', { timeout: 200_000 }, async () => {
    const home = await openHome({})
    const tools = await home.tools()
    const ids = new Map<string, string>()
    const save = async (name: string, count: number, tags: readonly string[] = []) => {
      const messages = Array.from({ length: count }, (_, index) => ({ content: `${name} ${index}`, sender: 'Ada' }))
      ids.set(name, (await tools.saveAll({ session_id: name, messages })).session_id)
      if (tags.length > 0) await tools.update(name, { tags })
    }
    await save('old', 2)
    await save('new', 2)
    await save('held', 2)
    await save('kept longer', 2, ['keep'])
    await save('long', 7, ['short'])
    for (const name of ['old', 'held', 'kept longer']) await age(home, name, 40)

    expect(await run(home, 'list')).toBe('No policy is set: everything is kept.\n')
    expect(await preview(home)).toEqual({ expired: [], held: [] })
    await run(home, 'set', '--idle-days', '30')
    await run(home, 'set', '--tag', 'keep', '--idle-days', '300')
    expect(await run(home, 'set', '--tag', 'short', '--messages', '3')).toMatch(/tag +short +- +- +3 +-/)
    expect(await run(home, 'hold', 'held', '--reason', 'case 14')).toMatch(/is on legal hold/)
    expect(await run(home, 'holds')).toMatch(new RegExp(`${ids.get('held')} +local +\\d{4}-\\d\\d-\\d\\d +case 14`))

    const plan = await preview(home)
    expect(plan.held).toEqual([ids.get('held')])
    expect(plan.expired.toSorted((a, b) => a.messages - b.messages)).toEqual([
      { session_id: ids.get('old'), whole: true, messages: 2, reasons: ['idle'] },
      { session_id: ids.get('long'), whole: false, messages: 4, reasons: ['messages'] },
    ])
    expect((await home.cli(['retention', 'apply'])).stderr).toMatch(/Nothing was erased/)
    expect(await run(home, 'apply', '--yes')).toMatch(/erased: receipt/)
    expect((await tools.list()).sessions.map((session) => String(session['external_id'])).toSorted()).toEqual([
      'held',
      'kept longer',
      'long',
      'new',
    ])
    expect((await tools.session('long')).messages.map(({ content }) => content)).toEqual([
      '',
      '',
      '',
      '',
      'long 4',
      'long 5',
      'long 6',
    ])
    expect(await preview(home)).toEqual({ expired: [], held: [ids.get('held')] })
    expect((await home.cli(['erase', '--receipts'])).stdout).toMatch(/by retention, .*: policies: idle, messages\n/)

    await run(home, 'release', 'held', '--reason', 'closed')
    expect(await refusalOf(home, ['retention', 'release', 'held', '--reason', 'once more'])).toMatch(
      /Nothing was released as session ".*" is not on legal hold/,
    )
    expect(await refusalOf(home, ['retention', 'set', '--source', 'codexx', '--age-days', '90'])).toMatch(
      /Cannot set a policy for the source "codexx" .*\n.*claude-code, .*codex, .*mcp/,
    )
    await run(home, 'set', '--source', 'codex', '--age-days', '90')
    await run(home, 'remove', '--source', 'codex')
    expect((await preview(home)).expired.map(({ session_id: id }) => id)).toEqual([ids.get('held')])
    await run(home, 'remove')
    expect((await preview(home)).expired).toEqual([])
    expect((await home.cli(['retention', 'remove'])).stderr).toMatch(/no such policy/)
    expect((await home.cli(['retention', 'set'])).stderr).toMatch(/without a limit/)
  })

  test('sweeps by itself, but not when the clock has jumped', { timeout: 200_000 }, async () => {
    const home = await openHome({})
    const tools = await home.tools()
    await tools.save({ content: 'a zarquon', sender: 'Ada', session_id: 'old' })
    await age(home, 'old', 40)
    await run(home, 'set', '--age-days', '30')
    // As if the clock had been put forward since the last sweep.
    await home.inDatabase(`update retention_sweeps set swept_at = now() - interval '3650 days'`)
    const { stdout } = await home.cli(['doctor'])
    expect(stdout).toMatch(/PROBLEM {2}retention: .*3650 days ahead of the last sweep/)
    await home.endDaemon()
    const again = await home.tools()
    expect((await preview(home)).clock).toMatch(/3650 days ahead/)
    await new Promise((resolve) => setTimeout(resolve, 8_000))
    expect((await again.session('old')).messages).toHaveLength(1)

    await home.inDatabase(`update retention_sweeps set swept_at = now() - interval '2 hours'`)
    await home.endDaemon()
    const third = await home.tools()
    await third.list()
    await expect
      .poll(async () => (await third.call('get_session', { session_id: 'old' })).text, {
        timeout: 60_000,
        interval: 500,
      })
      .toMatch(/was erased on/)
    expect((await home.cli(['erase', '--receipts'])).stdout).toMatch(/by retention, .*, retention: policies: age\n/)
  })
})
