import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { encryptionOf } from '../door/support/doctor.ts'
import { useHome } from '../door/support/home.ts'

describe('a server for which no root key is named', () => {
  const home = useHome()
  const unnamed = { VERBATIM_EMBEDDER: 'none', VERBATIM_ROOT_KEY: '' }

  it('is refused while it holds nothing, by commands and tools, which say what to do', async () => {
    home.settings = unnamed
    const { code, stderr } = await home.cli(['status'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('Cannot encrypt this store as no root key is named')])
    expect(stderr).toContain('VERBATIM_ROOT_KEY')
    expect(stderr).toContain('VERBATIM_ENCRYPTION=off')
    const refusal = await (await home.tools()).refusal('save_message', { content: 'lost?', sender: 'Ann' })
    expect(refusal).toContain('no root key is named')
    expect(existsSync(join(home.path, 'keys', 'root.key'))).toBe(false)
    const serve = await home.cli(['serve', '--port', '0'])
    expect([serve.code, serve.stderr]).toEqual([2, expect.stringContaining('no root key is named')])
  })

  it('is taken with VERBATIM_ENCRYPTION=off, and goes on as it is without it, for a new tenant too', async () => {
    home.settings = { ...unnamed, VERBATIM_ENCRYPTION: 'off' }
    await (await home.tools()).save({ session_id: 'old', content: 'a word about nougat', sender: 'Ann' })
    await home.cli(['tenant', 'create', 'second'])
    home.settings = unnamed
    await (await home.tools()).save({ session_id: 'new', content: 'more', sender: 'Ann' })
    home.settings = { ...unnamed, VERBATIM_TENANT: 'second' }
    await (await home.tools()).save({ session_id: 'new', content: 'of another', sender: 'Bob' })
    expect(await encryptionOf(home)).toMatchObject({
      message: expect.stringMatching(/^off: .* 0 sessions are encrypted/),
    })
    // With a key a new tenant is encrypted, and what is there stays as it is.
    await home.cli(['tenant', 'create', 'third'])
    home.settings = { VERBATIM_EMBEDDER: 'none', VERBATIM_TENANT: 'third' }
    await (await home.tools()).save({ content: 'of a third', sender: 'Cleo' })
    expect(await encryptionOf(home)).toMatchObject({
      message: expect.stringContaining('1 session is encrypted and 0'),
    })
    home.settings = { VERBATIM_EMBEDDER: 'none' }
    expect(await encryptionOf(home)).toMatchObject({ message: expect.stringMatching(/^off: .* and 2 are not/) })
  })
})
