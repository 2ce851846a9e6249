import { expect, test } from 'vitest'

import { useHome } from '../door/support/home.ts'

const home = useHome()

test('what was saved and nobody has indexed is found by the first search of a process that does such work', async () => {
  home.settings = { ...home.settings, VERBATIM_ROLE: 'web' }
  const tools = await home.tools()
  await tools.save({ content: 'The keeper of the lighthouse is called Orla', sender: 'Ada', session_id: 'left' })
  const unfound = await home.cli(['search', 'lighthouse'])
  expect(unfound.stdout).toContain('Nothing was found')
  expect(unfound.stderr).toContain('1 recently saved message is not indexed yet')
  const found = await home.cli(['search', 'lighthouse'], { env: { VERBATIM_ROLE: 'all' } })
  expect(found).toMatchObject({ code: 0, stderr: '' })
  expect(found.stdout).toContain('Orla')
})
