import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { describe, expect, onTestFinished, test } from 'vitest'

import { ChatStandIn, GeminiWriterStandIn } from '../support/stand-ins/writers.ts'
import { Home } from './support/home.ts'
import { Tools } from './support/tools.ts'

/** Rules take neither for a name. */
const answer = JSON.stringify({
  names: [
    { name: 'Quillfeather', type: 'person' },
    { name: 'Ostwick', type: 'place' },
    { name: 'Nobody', type: 'person' },
  ],
})
const told = 'The keys are with Quillfeather since Tuesday, near Ostwick.'
/** A model does not wait for the end of a conversation of which so much waits. */
const messages = Array.from({ length: 41 }, (_, at) => ({
  content: at === 0 ? told : `so long ${at}`,
  sender: 'assistant',
}))
const common = { VERBATIM_EMBEDDER: 'none', VERBATIM_NAMES: 'model', VERBATIM_LEARNING: 'patterns' }

async function openHome(settings: Readonly<Record<string, string>>): Promise<Home> {
  const home = new Home()
  await home.makeDatabase()
  home.settings = { ...common, ...settings }
  onTestFinished(() => home.dispose())
  return home
}

/** What the status says of names. */
async function names(home: Home): Promise<string> {
  const { stdout } = await home.cli(['status'])
  return /^names +(.*)$/mu.exec(stdout)?.[1] ?? ''
}

/** The first page of a view, as text. */
async function shown(client: Client, view: string): Promise<string> {
  const result = await client.callTool({ name: 'get_session', arguments: { session_id: 'harbour', view, limit: 1 } })
  return JSON.stringify(result.content)
}

async function saveAndRead(home: Home): Promise<Client> {
  const client = await home.connect()
  await new Tools(client).saveAll({ session_id: 'harbour', messages })
  await expect
    .poll(() => names(home), { timeout: 60_000, interval: 500 })
    .toBe('by rules, and by the model that writes in 41 of 41 messages')
  return client
}

describe('names that a model has found', () => {
  test('are masked in views and exports and replaced for good, by Gemini', { timeout: 240_000 }, async () => {
    const standIn = await GeminiWriterStandIn.start()
    onTestFinished(() => standIn.stop())
    standIn.says = answer
    const home = await openHome({
      GEMINI_API_KEY: standIn.apiKey,
      VERBATIM_SUMMARIZER: 'gemini',
      VERBATIM_SUMMARIZER_URL: standIn.url,
    })
    const client = await saveAndRead(home)
    const note = 'Names were looked for by rules in all messages, and by a model in 41 of 41.'
    const page = await shown(client, 'redacted')
    expect(page).toContain('The keys are with [person] since Tuesday, near [place].')
    expect(page).toContain(note)
    expect(await shown(client, 'pseudonymised')).toMatch(/with \[person_[\da-f]{10}\] since Tuesday, near \[place_/)

    const exported = await home.cli(['export', 'harbour', '--format', 'markdown', '--view', 'redacted'])
    expect(exported.stdout).toContain('The keys are with [person] since Tuesday, near [place].')
    expect(exported.stdout).toContain(note)
    expect(exported.stderr).toContain(note)
    expect((await home.cli(['privacy', 'record'])).stdout).toContain('names to be masked in views')

    // Nobody else is told so, nor masked.
    await new Tools(client).saveAll({ session_id: 'other', messages: [{ content: told, sender: 'assistant' }] })
    const other = await home.cli(['export', 'other', '--view', 'redacted'])
    expect(other.stdout).toContain(told)
    expect(other.stderr).toContain('by a model in 0 of 1.')

    const early = await home.cli(['anonymise', '--session', 'other', '--yes'])
    expect(early.code).not.toBe(0)
    expect(early.stderr).toContain('Cannot anonymise as 1 of these messages has not been read for names by the model')
    expect((await home.cli(['anonymise', '--session', 'other', '--known-names', '--yes'])).code).toBe(0)
    expect((await home.cli(['anonymise', '--session', 'harbour', '--yes'])).code).toBe(0)
    expect(await shown(client, 'full')).toContain('The keys are with [person] since Tuesday, near [place].')
    // What is asked of Gemini is to be of a form.
    expect(standIn.requests[0]?.text).toContain('responseJsonSchema')
  })

  test('are looked for in what is older by a command, and the rest works on while the model fails', async () => {
    const standIn = await ChatStandIn.start()
    onTestFinished(() => standIn.stop())
    standIn.says = answer
    const home = await openHome({ VERBATIM_NAMES: 'rules' })
    const before = await home.connect()
    await new Tools(before).saveAll({ session_id: 'harbour', messages })
    expect(await names(home)).toBe('by rules')
    expect((await home.cli(['reindex', '--names'])).stderr).toContain('as VERBATIM_NAMES is "rules"')
    await before.close()
    await home.endDaemon()

    home.settings = { ...common, VERBATIM_SUMMARIZER_URL: standIn.url, VERBATIM_SUMMARIZER_MODEL: standIn.model }
    standIn.plan(...Array.from({ length: 3 }, () => ({ kind: 'status', status: 503 }) as const))
    const client = await home.connect()
    expect(await shown(client, 'redacted')).toContain('by a model in 0 of 41.')
    expect((await home.cli(['reindex', '--names'])).stdout).toMatch(
      /^would make anew: names of 41 messages\nto be sent to openai-compatible \S+ to look for names: 41 messages, at most [1-9]\d* bytes of them\nRun it/,
    )
    const failing = await home.cli(['reindex', '--names', '--yes'])
    expect(failing.code).toBe(0)
    expect(failing.stdout).toMatch(/^begun: names of 41 messages, 41 wait: Cannot use .*\nread: 0 of 41, 41 wait\n$/)
    await expect
      .poll(() => names(home), { timeout: 60_000, interval: 500 })
      .toMatch(/^by rules, and by the model that writes in 0 of 41 messages, 41 wait to be read, waits: Cannot use/)
    expect(await shown(client, 'redacted')).toContain(told)
    const database = home.database()
    try {
      await database.sql`update outbox set available_at = now() where topic = 'names'`
    } finally {
      await database.close()
    }
    await new Tools(client).saveAll({ session_id: 'wakes', messages: [{ content: 'so', sender: 'assistant' }] })
    await expect.poll(() => names(home), { timeout: 60_000, interval: 500 }).toContain('in 41 of 42 messages')
    expect(await shown(client, 'redacted')).toContain('The keys are with [person] since Tuesday, near [place].')
    expect((await home.cli(['reindex', '--names', '--yes'])).stdout).toMatch(
      /^made anew: names of 42 messages\nread: 42 of 42, 0 wait\n$/,
    )
  })
})
