import { expect, test } from 'vitest'

import { usePair } from '../support/synced-pair.ts'

const pair = usePair()

test('a summary that was made while the correction was not there yet is gone once it is', async () => {
  const [here, there] = [await pair.laptop.toolsOfTest(), await pair.http.tools()]
  const contents = ['The granite costs forty crowns.', 'The slate costs nine crowns.', 'The marble is sold.']
  await here.saveAll({ session_id: 'quarry', messages: contents.map((content) => ({ content, sender: 'ann' })) })
  await pair.sync()
  const corrected = ['correct', 'quarry', '1', '--content', 'The granite costs sixty crowns.', '--reason', 'asked']
  expect((await pair.laptop.cli(corrected)).code).toBe(0)
  await there.call('summarize', { session_id: 'quarry' })
  expect((await there.session('quarry')).context_summary).toContain('forty')
  expect((await pair.sync()).sent).toMatchObject({ messages: 1, moved: 0 })
  expect((await there.session('quarry')).context_summary ?? '').not.toContain('forty')
  const { text } = await there.call('summarize', { session_id: 'quarry' })
  expect(text).toContain('sixty')
  expect(text).not.toContain('forty')
})
