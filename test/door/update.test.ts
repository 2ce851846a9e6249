import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'

import { useHome } from './support/home.ts'
import { Installed } from './support/installed.ts'
import type { Tools } from './support/tools.ts'

const home = useHome()
let installed: Installed
let tools: Tools
/** Has saved, and asked for nothing else. */
let other: Tools

const said =
  /^Cannot do this as Verbatim was updated while it was running\. Start it again: restart the program that uses it$/
const save = (content: string, to = tools) => to.save({ content, sender: 'Ada', session_id: 'harbour' })
const log = () => readFileSync(join(home.path, 'log', 'daemon.log'), 'utf8')
/** What personal data is found with is loaded for this alone. */
const redacted = { session_id: 'harbour', view: 'redacted' }

beforeAll(async () => {
  installed = new Installed(home.directory('installed'))
  home.program = installed.program
  tools = await home.tools()
  await save('The mole is closed.')
  await tools.hits({ query: 'mole' })
  other = await home.tools()
  await other.save({ content: 'The tide turns.', sender: 'Bo', session_id: 'estuary' })
  installed.update()
})

describe('Verbatim that is updated while it runs', () => {
  test('says so where it needs a file that it has not loaded, and saves and finds all the same', async () => {
    expect(await tools.refusal('get_session', redacted)).toMatch(said)
    expect(await save('The pier is open.')).toMatchObject({ seq: 2, duplicate: false })
    expect(await tools.hits({ query: 'pier' })).toEqual(['The pier is open.'])
    expect(await tools.refusal('get_session', redacted)).toMatch(said)
  })

  test('finds where only something was saved before', async () => {
    expect(await other.hits({ query: 'tide' })).toEqual(['The tide turns.'])
  })

  test('lets another process own the store, of the version that is there now, and loses nothing', async () => {
    const began = async () => {
      await tools.list()
      return log()
        .match(/leaves: Verbatim was updated| serves after /gu)
        ?.map((line) => line.trim().split(' ')[0])
    }
    await expect.poll(began, { timeout: 20_000, interval: 100 }).toEqual(['serves', 'leaves:', 'serves'])
    expect(await save('The ferry leaves at six.')).toMatchObject({ seq: 3 })
    const started = await home.tools()
    const messages = ['The mole is closed.', 'The pier is open.', 'The ferry leaves at six.']
    expect((await started.session('harbour', { view: 'redacted' })).messages.map(({ content }) => content)).toEqual(
      messages,
    )
    expect(await started.hits({ query: 'ferry' })).toEqual(['The ferry leaves at six.'])
  })

  test('goes on while there is no program, which is not waited for by what is loaded', async () => {
    installed.remove()
    expect(await save('Fog over the estuary.')).toMatchObject({ seq: 4 })
    expect(await tools.refusal('get_session', redacted)).toMatch(said)
  })
})
