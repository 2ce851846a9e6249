import { expect, onTestFinished, test } from 'vitest'

import { archiveNow, directorySettings } from '../door/support/archived.ts'
import { Home } from '../door/support/home.ts'
import { ChatStandIn } from '../support/stand-ins/writers.ts'
import { makeDatabase } from '../support/test-store.ts'

/** Rules take neither for a name. */
const told = 'The keys are with Quillfeather since Tuesday, near Ostwick.'
const masked = 'The keys are with [person] since Tuesday, near [place].'
/** A model does not wait for the end of a conversation of which so much waits. */
const messages = Array.from({ length: 41 }, (_, at) => ({
  content: at === 0 ? told : `so long ${at}`,
  sender: 'assistant',
}))

/** An embedded store. */
function openHome(settings: Readonly<Record<string, string>>): Home {
  const home = new Home()
  onTestFinished(() => home.dispose())
  home.settings = { ...home.settings, ...settings }
  return home
}

const redacted = async (home: Home) => (await home.cli(['export', 'harbour', '--view', 'redacted'])).stdout
const names = async (home: Home) => /^names +(.*)$/mu.exec((await home.cli(['status'])).stdout)?.[1] ?? ''

test('what a model has found moves to a server, and is found again after a restore', { timeout: 300_000 }, async () => {
  const standIn = await ChatStandIn.start()
  onTestFinished(() => standIn.stop())
  standIn.says = JSON.stringify({
    names: [
      { name: 'Quillfeather', type: 'person' },
      { name: 'Ostwick', type: 'place' },
    ],
  })
  const model = {
    VERBATIM_NAMES: 'model',
    VERBATIM_SUMMARIZER_URL: standIn.url,
    VERBATIM_SUMMARIZER_MODEL: standIn.model,
  }
  const kept = { ...(await directorySettings()), VERBATIM_LEARNING: 'patterns' }
  const laptop = openHome({ ...kept, ...model })
  const tools = await laptop.tools()
  await tools.saveAll({ session_id: 'harbour', messages })
  await expect.poll(() => names(laptop), { timeout: 60_000, interval: 500 }).toContain('in 41 of 41 messages')
  expect(await redacted(laptop)).toContain(masked)
  await archiveNow(laptop, tools)

  const database = await makeDatabase()
  onTestFinished(() => database.drop())
  const moving = await laptop.cli(['migrate', '--to', database.url, '--json'])
  expect(moving.code).toBe(0)
  expect(JSON.parse(moving.stdout)).toMatchObject({ rows: { message_names: { copied: 41 } }, problems: [] })
  // Nobody is asked there: what was found is known.
  const server = openHome({ ...kept, DATABASE_URL: database.url })
  expect(await redacted(server)).toContain(masked)

  const restored = openHome(kept)
  expect((await restored.cli(['restore'])).code).toBe(0)
  expect(await redacted(restored)).toContain(told)
  await restored.endDaemon()
  const asked = standIn.asked.length
  restored.settings = { ...restored.settings, ...model }
  await restored.tools()
  expect((await restored.cli(['reindex', '--names', '--yes'])).code).toBe(0)
  await expect.poll(() => names(restored), { timeout: 60_000, interval: 500 }).toContain('in 41 of 41 messages')
  expect(standIn.asked.length).toBeGreaterThan(asked)
  expect(await redacted(restored)).toContain(masked)
})
