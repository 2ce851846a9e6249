import { describe, expect, it } from 'vitest'

import { useHome } from '../door/support/home.ts'

const home = useHome()

describe('verbatim show and summarize', () => {
  it('print what --full and a stored summary hold', async () => {
    const tools = await home.tools()
    await tools.saveAll({
      session_id: 'shown',
      messages: [
        { content: 'plain words', sender: 'Ada' },
        { content: [{ type: 'text', text: 'words in a block' }], sender: 'clerk' },
      ],
    })
    const { code, stdout } = await home.cli(['show', 'shown', '--full'])
    expect(code).toBe(0)
    expect(stdout).toContain('plain words')
    expect(stdout).toContain('"text": "words in a block"')
    await tools.update('shown', { summary: 'Two messages were shown.\nAda said plain words.\nThen a block. [2]' })
    expect((await home.cli(['summarize', 'shown'])).stdout).toBe(
      '[no message] Two messages were shown.\n[1] Ada said plain words.\nThen a block. [2]\n',
    )
    expect((await home.cli(['summarize', 'shown', '--refresh'])).stdout).toContain('[2] clerk: words in a block')
  })

  it('get_session takes include_embeddings and gives none', async () => {
    const tools = await home.tools()
    await tools.save({ session_id: 'embeddings', content: 'x', sender: 'Ada' })
    for (const wanted of [true, 'false']) {
      const { structured } = await tools.call('get_session', { session_id: 'embeddings', include_embeddings: wanted })
      expect(structured).toMatchObject({ messages: [{ embeddings: [] }] })
    }
    expect(await tools.refusal('get_session', { session_id: 'embeddings', include_embeddings: 'many' })).toContain(
      'include_embeddings',
    )
  })
})
