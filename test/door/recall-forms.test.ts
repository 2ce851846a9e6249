import { expect, test } from 'vitest'

import { untilIndexed } from './support/archived.ts'
import { useHome } from './support/home.ts'
import { HttpHome } from './support/http-home.ts'
import { scrapedValue } from './support/scrape.ts'

const home = useHome()

test('what a session needs is kept for the tool and the resource, in a few forms, and made ahead in each', async () => {
  const server = await HttpHome.start(home, { keep: true })
  try {
    const client = await server.tools()
    await client.save({ session_id: 'slip', content: 'The slipway of granite is closed until May.', sender: 'Ada' })
    const { session_id: id } = await client.save({
      session_id: 'launch',
      content: 'When does the slipway of granite open?',
      sender: 'Ada',
    })
    await untilIndexed(home)
    const { client: modern } = client
    const lookups = (result: string) =>
      scrapedValue(server, 'verbatim_cache_lookups_total', { cache: 'recalls', result })
    const readResource = async () =>
      expect(JSON.stringify(await modern.readResource({ uri: `session://${id}/context` }))).toContain('until May')
    const callTool = async (maxTokens: number) =>
      expect((await client.call('recall_context', { session_id: id, max_tokens: maxTokens })).text).toContain('May')
    await readResource()
    await callTool(1_000)
    const first = { hit: await lookups('hit'), miss: await lookups('miss') }
    for (let turn = 0; turn < 2; turn++) {
      await readResource()
      await callTool(1_000)
    }
    expect(await lookups('hit')).toBe(first.hit + 4)
    expect(await lookups('miss')).toBe(first.miss)
    // After a save both are made before anybody asks.
    await client.save({ session_id: id, content: 'Is it the slipway of granite beside the quay?', sender: 'Ada' })
    await expect.poll(() => lookups('miss'), { timeout: 30_000 }).toBe(first.miss + 2)
    await readResource()
    await callTool(1_000)
    expect(await lookups('hit')).toBe(first.hit + 6)
    // Four are kept.
    for (const maxTokens of [1_100, 1_200, 1_300]) await callTool(maxTokens)
    const before = await lookups('miss')
    await callTool(1_000)
    expect(await lookups('miss')).toBe(before)
    await readResource()
    expect(await lookups('miss')).toBe(before + 1)
  } finally {
    await server.stop()
  }
})
