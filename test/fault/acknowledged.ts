import { createHash } from 'node:crypto'

import { expect } from 'vitest'

import { verify } from '../../src/capture/verify.ts'
import { openVerbatim } from '../../src/compose.ts'
import type { Config } from '../../src/config.ts'
import { localCaller } from '../../src/model/access.ts'

interface SavedMessage {
  readonly seq: number
  readonly sha256: string
}

/** What was acknowledged, by message id: the lines that save-messages.ts prints. */
export class Acknowledged extends Map<string, SavedMessage> {
  readonly read = (line: string): void => {
    const [id = '', seq = '', sha256 = ''] = line.split(' ')
    if (this.has(id)) throw new Error(`Message ${id} was acknowledged twice`)
    this.set(id, { seq: Number(seq), sha256 })
  }
}

/** Reads every session whole and compares it with what was acknowledged: once, at its number, with its bytes. */
export async function expectAllSaved(
  config: Config,
  expected: { readonly acknowledged: ReadonlyMap<string, SavedMessage>; readonly sessions: readonly string[] },
): Promise<void> {
  const caller = localCaller('fault test')
  await using verbatim = await openVerbatim(config)
  const stored = new Map<string, SavedMessage>()
  for (const sessionId of expected.sessions) {
    let cursor: string | undefined
    let expectedSeq = 1
    do {
      const page = await verbatim.getSession(caller, {
        sessionId,
        limit: 500,
        maxTokens: 200_000,
        view: 'full',
        cursor,
      })
      for (const { seq, content, metadata } of page.messages) {
        const externalId = String(metadata?.['external_id'])
        expect(seq).toBe(expectedSeq)
        expect(stored.has(externalId)).toBe(false)
        stored.set(externalId, { seq, sha256: createHash('sha256').update(JSON.stringify(content)).digest('hex') })
        expectedSeq++
      }
      cursor = page.next_cursor
    } while (cursor !== undefined)
  }
  const wrong = [...expected.acknowledged].filter(
    ([id, { seq, sha256 }]) => stored.get(id)?.seq !== seq || stored.get(id)?.sha256 !== sha256,
  )
  expect(wrong).toEqual([])
  const report = await verify(verbatim.stores, caller, () => {})
  expect(report.problems).toEqual([])
}
