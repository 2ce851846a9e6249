import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { openVerbatim } from '../../src/compose.ts'
import { localCaller } from '../../src/model/access.ts'
import { quietConfig } from '../support/quiet-config.ts'
import { OpenAiStandIn } from '../support/stand-ins/openai.ts'
import { lacksVectors, makeDatabase } from '../support/test-store.ts'

const caller = localCaller('test')

test.skipIf(lacksVectors)(
  'what a process without an embedder indexes gets its vectors from one that has it',
  async () => {
    const home = mkdtempSync(join(tmpdir(), 'verbatim-mixed-'))
    const database = await makeDatabase()
    const standIn = await OpenAiStandIn.start()
    onTestFinished(async () => {
      await standIn.stop()
      await database.drop()
      rmSync(home, { recursive: true, force: true })
    })
    const embeds = {
      VERBATIM_EMBEDDER: 'openai-compatible',
      VERBATIM_EMBEDDER_URL: `${standIn.url}/v1`,
      VERBATIM_EMBEDDING_MODEL: standIn.model,
    }
    const withStore = async (settings: Readonly<Record<string, string>>, content: string) => {
      await using verbatim = await openVerbatim(quietConfig(home, database.url, settings))
      const messages = [{ content, sender: 'Ada', role: 'user' as const }]
      await verbatim.saveMessages(caller, { sessionId: 'mixed', messages })
      const waits = async () => {
        const { index, semantic_search: semantic } = await verbatim.status(caller)
        // Who has no embedder leaves the vectors to others.
        return index.messages_behind + (settings === embeds ? semantic.messages_behind : 0)
      }
      await expect.poll(waits, { timeout: 60_000 }).toBe(0)
    }
    await withStore(embeds, 'Saved by one that embeds.')
    await withStore({}, 'Saved by one that does not.')
    await withStore(embeds, 'Saved by one that embeds again.')
    const documents = standIn.requests.map(({ text }) => text).join('\n')
    expect(documents).toContain('Saved by one that does not.')
  },
)
