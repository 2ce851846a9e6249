import postgres from 'postgres'
import { expect, inject, onTestFinished, test } from 'vitest'

import { openHome } from '../door/support/archived.ts'

test('a save says of a database that is not there any more that it is not, blames no audit log, and goes on when it is back', async () => {
  const home = await openHome({})
  const tools = await home.tools()
  const save = (content: string) => ({ content, sender: 'Ada', session_id: 'renamed' })
  expect((await tools.save(save('before'))).seq).toBe(1)

  const admin = postgres(inject('testServer').adminUrl, { max: 1, onnotice: () => undefined })
  const name = new URL(home.env['DATABASE_URL'] ?? '').pathname.slice(1)
  onTestFinished(async () => {
    // There only where this failed between the two: under its own name it is its home's to drop.
    await admin.unsafe(`drop database if exists ${name}_away with (force)`)
    await admin.end()
  })
  const renamed = async (from: string, to: string) => {
    await admin.unsafe(`alter database ${from} allow_connections false`)
    await admin.unsafe(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${from}'`)
    await expect
      .poll(
        () =>
          admin.unsafe(`alter database ${from} rename to ${to}`).then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true)
    await admin.unsafe(`alter database ${to} allow_connections true`)
  }
  await renamed(name, `${name}_away`)
  const refused = () => tools.refusal('save_message', save('meanwhile'))
  expect(await refused()).toContain('Cannot open the database as there is none of that name')
  // From the time that the row of the first call could not be written.
  await expect
    .poll(refused, { timeout: 30_000, interval: 100 })
    .toMatch(
      /cannot be written down: Cannot open the database as there is none of that name.*check the name in DATABASE_URL/,
    )
  await renamed(`${name}_away`, name)
  await expect
    .poll(async () => (await tools.call('save_message', save('after'))).isError, { timeout: 30_000 })
    .toBe(false)
  const { messages } = await tools.session('renamed')
  expect(messages.map(({ content }) => content)).toEqual(['before', 'after'])
})
