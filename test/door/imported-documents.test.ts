import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { archiveNow, directorySettings, openHome } from './support/archived.ts'

const conversation = (id: string) => ({
  title: `Title of ${id}`,
  create_time: 1_700_000_000,
  conversation_id: id,
  mapping: {
    root: { id: 'root', message: null, parent: null, children: ['a'] },
    a: {
      id: 'a',
      parent: 'root',
      children: [],
      message: {
        id: 'a',
        author: { role: 'user' },
        create_time: 1_700_000_001,
        content: { content_type: 'text', parts: [`A question of ${id}`] },
      },
    },
  },
})

test('archive, verify and restore count the same documents of imported files', { timeout: 300_000 }, async () => {
  const settings = await directorySettings()
  const first = await openHome(settings)
  for (const id of ['one', 'two', 'three']) {
    const path = join(first.directory(id), 'conversations.json')
    writeFileSync(path, JSON.stringify([conversation(id)]))
    expect((await first.cli(['import', path])).code).toBe(0)
  }
  const said = async (home: typeof first, command: readonly string[]) =>
    /(\d+) imported documents?/u.exec((await home.cli(command)).stdout)?.[1]
  const archived = await first.cli(['archive', '--now'])
  const verified = await said(first, ['verify'])
  expect(verified).toBe('3')
  await archiveNow(first)
  expect((await first.cli(['verify'])).code).toBe(0)

  const second = await openHome(settings)
  expect(await said(second, ['restore'])).toBe(verified)
  expect(await said(second, ['verify'])).toBe(verified)
  expect(await second.cli(['archive'])).toMatchObject({ stdout: 'everything is archived\n' })
  // What the background has archived before is not counted by the command.
  expect(Number(/(\d+) imported documents?/u.exec(archived.stdout)?.[1])).toBeLessThanOrEqual(Number(verified))
})
