import { beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'

import { untilIndexed } from '../door/support/archived.ts'
import { outputOf } from '../door/support/cli-output.ts'
import { useHome } from '../door/support/home.ts'
import { hitsOf, type Tools } from '../door/support/tools.ts'

// What is learned is waited for.
vi.setConfig({ testTimeout: 60_000 })

const home = useHome()
const names = ['east', 'west'] as const
const clients = new Map<string, Tools>()
const words = ['anvil', 'bellows', 'chisel', 'drill', 'easel', 'file', 'gouge', 'hammer']
const tail =
  'hangs on the long wall of the workshop between the two windows, where everybody can reach it without a ladder'

function of(name: string): Tools {
  const tools = clients.get(name)
  if (tools === undefined) throw new Error(`There is no client of ${name}`)
  return tools
}

async function show(tenant: string) {
  const { stdout } = await home.cli(['ranking', 'show', '--json'], { env: { VERBATIM_TENANT: tenant } })
  return z.looseObject({ state: z.string(), searches: z.number() }).parse(JSON.parse(stdout))
}

const first = async (tenant: string) => hitsOf(await of(tenant).search({ query: 'level' }))[0]?.sender

beforeAll(async () => {
  for (const name of names) {
    await outputOf(home, ['tenant', 'create', name])
    home.settings = { ...home.settings, VERBATIM_TENANT: name }
    const tools = await home.tools()
    clients.set(name, tools)
    for (const word of [...words, 'level'])
      for (const [role, text] of [
        ['user', `The ${word} ${tail}`],
        ['assistant', `The ${word}, the good ${word}, ${tail}`],
      ] as const)
        await tools.save({ session_id: `${word}-${role}`, sender: role, role, content: text })
  }
})

test('what one tenant opens moves the ranking of no other', async () => {
  for (const name of names) await untilIndexed(home, of(name))
  expect([await first('east'), await first('west')]).toEqual(['user', 'user'])
  for (let round = 0; round < 4; round++)
    for (const word of words) {
      const hits = hitsOf(await of('east').search({ query: word, context: 0 }))
      const { seq } = hits.find(({ sender }) => sender === 'assistant') ?? { seq: 0 }
      await of('east').session(`${word}-assistant`, { from_seq: seq })
    }
  await expect.poll(() => first('east'), { timeout: 30_000, interval: 200 }).toBe('assistant')
  // What was opened last is counted a little later.
  await expect.poll(() => show('east'), { timeout: 30_000 }).toMatchObject({ state: 'learned', searches: 32 })
  expect(await show('west')).toMatchObject({ state: 'usual', searches: 0 })
  expect(await first('west')).toBe('user')
  expect((await home.cli(['ranking', 'reset', '--yes'], { env: { VERBATIM_TENANT: 'west' } })).code).toBe(0)
  expect(await first('east')).toBe('assistant')
  // What goes takes with it what is known of its use; what is left is too little.
  expect(
    (await home.cli(['erase', '--session', 'anvil-user', '--yes'], { env: { VERBATIM_TENANT: 'east' } })).code,
  ).toBe(0)
  await expect.poll(() => first('east'), { timeout: 30_000, interval: 200 }).toBe('user')
  expect(await show('east')).toMatchObject({ state: 'usual', searches: 28 })
  expect((await home.cli(['ranking', 'reset', '--yes'], { env: { VERBATIM_TENANT: 'east' } })).code).toBe(0)
  expect(await show('east')).toMatchObject({ state: 'usual', searches: 0 })
})
