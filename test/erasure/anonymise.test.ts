import { randomBytes } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { archiveAll } from '../../src/archive/archive-all.ts'
import { verify } from '../../src/capture/verify.ts'
import { forget } from '../../src/erasure/forget.ts'
import { workOffErasure } from '../../src/erasure/run-erasure.ts'
import { createLog } from '../../src/log.ts'
import { newId } from '../../src/model/ids.ts'
import { readErasures, readMark } from '../../src/store/erasure/keep-from-erasure.ts'
import { readReceipts } from '../../src/store/erasure/receipts.ts'
import { saveFacts, sealFact } from '../../src/store/learning/sealed-facts.ts'
import { readProject } from '../../src/store/learning/session-projects.ts'
import { readMessages } from '../../src/store/messages.ts'
import { writeUnits, type SearchUnit } from '../../src/store/search/search-units.ts'
import { saveMade, sealSummary } from '../../src/store/summaries/save-summary.ts'
import { summariesOf } from '../../src/store/summaries/summaries.ts'
import { inTransaction } from '../../src/store/transaction.ts'
import { caller, messagesOf, useStore } from '../sessions/store.ts'
import { killedEverywhere, mortalStores } from '../support/mortal-stores.ts'

const store = useStore({ VERBATIM_ENCRYPTION: 'on', VERBATIM_ROOT_KEY: randomBytes(32).toString('hex') })
const { tenantId } = caller
const log = createLog('silent')
const email = 'kanarie.k@posteo.de'

describe('an encrypted session that is anonymised', () => {
  const run = async (sessionId: string, more: { readonly waitMs?: number; readonly pseudonymise?: boolean } = {}) => {
    const { database, archive } = store.open.stores
    const dependencies = { database, archive, index: undefined, visible: database, waitMs: more.waitMs ?? 60_000 }
    const chosen = { action: 'anonymise', sessionId, pseudonymise: more.pseudonymise } as const
    const preview = await forget(dependencies, caller, chosen)
    if (preview.status !== 'preview') throw new Error('no preview')
    const receipt = await forget(dependencies, caller, { ...chosen, confirm: preview.confirm })
    if (receipt.status === 'preview') throw new Error('no receipt')
    return receipt
  }
  const textsOf = async (sessionId: string) =>
    messagesOf(await store.pages(sessionId, { maxTokens: 20_000, view: 'compact' })).map(({ text }) => text)

  it('is so wherever the work is killed, with the same tokens throughout', { timeout: 120_000 }, async () => {
    const { database, archive } = store.open.stores
    const many = Array.from({ length: 499 }, (_, n) => ({ content: `${n}: ask ${email}` }))
    const sessionId = await store.session([...many, { content: `${email} ${'z'.repeat(1_100_000)}` }])
    const more = ['once more', 'again'].map((text) => ({
      content: `${text} ${email}`,
      sender: 'Ann',
      role: 'user' as const,
    }))
    await store.open.saveMessages(caller, { sessionId, messages: more })
    expect((await archiveAll({ ...store.open.stores, log }, caller, () => undefined)).problems).toEqual([])
    const { erasure_id: id } = await run(sessionId, { waitMs: 0, pseudonymise: true })
    const kills = await killedEverywhere(
      (lives) => workOffErasure({ ...mortalStores({ database, archive }, lives), index: undefined }, id),
      async () => {
        await database.run((sql) => sql`update outbox set available_at = now() where topic = 'erase'`)
      },
    )
    expect(kills).toBeGreaterThan(5)
    await expect
      .poll(async () => (await database.run((sql) => readReceipts(sql, tenantId, { id, limit: 1 })))[0], {
        timeout: 60_000,
      })
      .toMatchObject({ erased: { anonymised: 502, large_payloads: 1 }, replaced: { email: 502 }, pending: [] })
    const texts = (await textsOf(sessionId)).join('\n')
    expect(texts).not.toContain(email)
    expect(new Set(texts.match(/\[email_[\da-f]{10}\]/g))).toHaveProperty('size', 1)
    // The key of the tokens went with the work.
    expect(await database.run((sql) => sql`select from outbox where topic = 'erase'`)).toHaveLength(0)
    expect((await archiveAll({ ...store.open.stores, log }, caller, () => undefined)).problems).toEqual([])
    expect((await verify(store.open.stores, caller, () => undefined)).problems).toEqual([])
  })

  it('has no words from who read it before, and keeps what was saved while it was looked at', async () => {
    const sessionId = await store.session([{ content: `ask ${email}` }, { content: { 'a  b': [1.0, 'calm'] } }])
    const before = messagesOf(await store.pages(sessionId, { maxTokens: 5_000 }))
    expect(await run(sessionId)).toMatchObject({
      status: 'anonymised',
      erased: { anonymised: 2 },
      replaced: { email: 1 },
    })
    const after = messagesOf(await store.pages(sessionId, { maxTokens: 5_000 }))
    // Nothing was found in the second one: it has its bytes.
    expect(after[1]?.metadata?.['sha256']).toBe(before[1]?.metadata?.['sha256'])
    expect(after[0]?.metadata?.['sha256']).not.toBe(before[0]?.metadata?.['sha256'])
    const { database } = store.open.stores
    const marker = 1_234_567_890_123n
    const stale: SearchUnit = {
      sessionId,
      firstSeq: 1,
      lastSeq: 1,
      part: 7,
      terms: [marker],
      frequencies: [1],
      termCount: 1,
      timestamp: '2026-01-01T00:00:00Z',
      role: 'user',
      trust: 'owner',
      kind: 'message',
      traits: 0,
      sentiment: null,
      flags: {},
      of: { id: before[0]?.id ?? '', anonymizedAt: null },
    }
    const write = (unit: SearchUnit) =>
      database.run((sql) => inTransaction(sql, (own) => writeUnits(own, { tenantId, level: 0 }, [unit])))
    const written = () =>
      database.run((sql) => sql`select from search_units where session_id = ${sessionId} and part = 7`)
    await write(stale)
    expect(await written()).toHaveLength(0)
    const [row] = await readMessages(database, { tenantId, sessionId }, { fromSeq: 1, toSeq: 1, limit: 1 })
    await write({ ...stale, of: { ...stale.of, anonymizedAt: row?.anonymizedAt ?? null } })
    expect(await written()).toHaveLength(1)
  })

  it('gets no fact and no summary of words that were read before', async () => {
    const { database } = store.open.stores
    const sessionId = await store.session([{ content: `ask ${email}` }])
    const key = { tenantId, sessionId }
    const [message] = messagesOf(await store.pages(sessionId, { maxTokens: 5_000 }))
    const [seal, before] = [
      await database.vault.sealOf(tenantId, sessionId),
      await database.run((sql) => readErasures(sql, key)),
    ]
    await run(sessionId)
    const now = await database.run((sql) => readErasures(sql, key))
    const fact = {
      id: newId(),
      kind: 'fact',
      body: { text: email, subject: 'Ann' },
      terms: { statement: 1n, subject: undefined, words: [1n] },
      confidence: 1,
      validFrom: '2026-01-01T00:00:00Z',
      madeBy: 'patterns',
      sources: [{ messageId: message?.id ?? '', seq: 1, start: 4, end: 10 }],
    }
    const about = { id: newId(), sessionId, level: 'session', style: 'brief', firstSeq: 1, lastSeq: 1 } as const
    const summary = sealSummary({ ...about, sentences: [{ text: email, message_ids: [] }], madeBy: 'extractive' }, seal)
    const mark = await database.run((sql) => readMark(sql, key))
    const save = async (erasures: number) => {
      const described = (await readProject(database, key)).mark
      const saved = { facts: [sealFact(fact, seal)], keyVersion: seal?.version ?? 0, erasures, described }
      const gone = await database.run((sql) => inTransaction(sql, (own) => saveFacts(own, key, saved)))
      const isSaved = gone !== undefined
      await database.run((sql) =>
        inTransaction(sql, (own) => saveMade(own, key, { ...summary, read: { ...mark, erasures } })),
      )
      const facts = await database.run((sql) => sql`select from facts where session_id = ${sessionId}`)
      return { isSaved, facts: facts.length, summaries: (await summariesOf(database, key)).length }
    }
    expect(await save(before)).toEqual({ isSaved: false, facts: 0, summaries: 0 })
    expect(await save(now)).toEqual({ isSaved: true, facts: 1, summaries: 1 })
  })
})
