import { expect, test, vi } from 'vitest'
import { z } from 'zod'

import { useHome } from '../door/support/home.ts'

const home = useHome()
const sharedSchema = z.object({ grants: z.array(z.object({ principal: z.string(), role: z.string() })) })

test.each([
  ['take each other’s role', ['revoke'], []],
  ['make readers of each other', ['grant'], ['--role', 'reader']],
])('two owners that %s at once leave one of them', async (_what, [action = ''], rest) => {
  const tools = await home.tools()
  const { session_id: id } = await tools.save({ content: 'The cellar door sticks.', sender: 'Ada' })
  for (const principal of ['ada', 'bob', 'cleo'])
    await home.cli(['token', 'create', '--name', principal, '--principal', principal])
  for (const [principal, role] of [
    ['ada', 'owner'],
    ['bob', 'owner'],
    ['cleo', 'reader'],
  ] as const)
    await home.cli(['access', 'grant', id, principal, '--role', role])

  const store = home.database()
  const watching = home.database()
  const ended = await store.sql.begin(async (sql) => {
    await sql`select from sessions where id = ${id} for no key update`
    const both = ['ada', 'bob'].map((principal) => home.cli(['access', action, id, principal, ...rest]))
    // Both have begun, and neither has ended.
    await vi.waitFor(
      async () => {
        const waiting = await watching.sql`
          select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
        expect(waiting).toHaveLength(2)
      },
      { timeout: 60_000, interval: 50 },
    )
    return { both }
  })
  const results = await Promise.all(ended.both)
  await Promise.all([store.close(), watching.close()])
  expect(new Set(results.map(({ code }) => code))).toEqual(new Set([0, 2]))
  expect(results.find(({ code }) => code === 2)?.stderr).toContain('Give somebody else the role owner first')
  const listed = await home.cli(['access', 'list', id, '--json'])
  const { grants } = sharedSchema.parse(JSON.parse(listed.stdout))
  expect(grants.filter(({ role }) => role === 'owner')).toHaveLength(1)
})
