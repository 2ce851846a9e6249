import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import { expect, test } from 'vitest'
import { z } from 'zod'

import { isOnServer } from '../support/test-store.ts'
import { openHome } from './support/archived.ts'
import { outputOf } from './support/cli-output.ts'
import type { Home } from './support/home.ts'

const sessions = 150
const lookMs = 20

const receiptsSchema = z.array(
  z.object({
    scope: z.string(),
    completed_at: z.string().nullable(),
    erased: z.object({ sessions: z.number(), messages: z.number() }),
    pending: z.array(z.object({ waits_for: z.null(), under_way: z.boolean() })),
  }),
)

async function receiptsOf(home: Home) {
  // While something is pending the list is shown all the same.
  return receiptsSchema.parse(JSON.parse(await outputOf(home, ['erase', '--receipts', '--json'])))
}

/** Kills a command as soon as it has taken a piece of the work of an erasure. */
async function killedAmidst(home: Home, ...args: readonly string[]): Promise<void> {
  const child = home.start(args)
  const closed = once(child, 'close')
  const store = home.database()
  const taken = () => store.sql`select from outbox where topic = 'erase' and details->'claim' >= '1'::jsonb limit 1`
  try {
    while (child.exitCode === null && (await taken()).length === 0) await sleep(lookMs)
    child.kill('SIGKILL')
    await closed
  } finally {
    await store.close()
  }
  expect(child.exitCode).toBeNull()
}

test(
  'what a killed process has begun to erase is said to be under way, and goes on',
  { timeout: 300_000 },
  async () => {
    const home = await openHome({})
    const tools = await home.tools()
    for (let index = 0; index < sessions; index++)
      await tools.save({ session_id: `old ${index}`, content: `a message ${index}`, sender: 'Ada' })
    const store = home.database()
    await store.sql`update sessions set last_active_at = now() - interval '40 days'`
    await store.close()
    await outputOf(home, ['retention', 'set', '--idle-days', '30'])

    await killedAmidst(home, 'retention', 'apply', '--yes')
    expect(await outputOf(home, ['retention', 'preview'])).toMatch(
      /^Of \d+ sessions? an erasure is under way: verbatim erase --receipts\nNothing else has expired\.\n$/,
    )
    const [before] = await receiptsOf(home)
    expect(before).toMatchObject({ scope: 'retention', completed_at: null })
    expect(before?.pending.some(({ under_way: isUnderWay }) => isUnderWay)).toBe(true)
    // It waits until what the killed one had is taken by another, and says what became of it.
    expect((await home.cli(['retention', 'apply', '--yes'])).stdout).toMatch(
      /^begun before, (erased|pending): receipt [0-9a-f-]+ /,
    )
    await expect
      .poll(async () => (await receiptsOf(home))[0]?.completed_at ?? null, { timeout: 60_000, interval: 1_000 })
      .not.toBeNull()
    expect(await outputOf(home, ['retention', 'apply', '--yes'])).toBe('Nothing has expired.\n')
    expect(await receiptsOf(home)).toEqual([
      { scope: 'retention', completed_at: expect.any(String), erased: { sessions, messages: sessions }, pending: [] },
    ])
  },
)

test.skipIf(isOnServer)(
  'files are written anew that a killed owner of the store had begun to write',
  { timeout: 120_000 },
  async () => {
    const home = await openHome({})
    const store = home.database()
    // As it leaves it.
    await store.sql`insert into outbox (tenant_id, topic, available_at) values (1, 'rewrite', now() + interval '3 hours')`
    await store.close()
    await home.endDaemon()
    expect(await outputOf(home, ['erase', '--rewrite'])).toBe('The files of the store are written anew.\n')
  },
)
