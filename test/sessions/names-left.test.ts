import { randomBytes } from 'node:crypto'

import { afterEach, describe, expect, it } from 'vitest'

import { checkNames } from '../../src/cli/describe-names.ts'
import { forget } from '../../src/erasure/forget.ts'
import { requireNamesRead } from '../../src/erasure/names-read.ts'
import { createLog } from '../../src/log.ts'
import { NameWorker } from '../../src/naming/name-worker.ts'
import { changeRestriction } from '../../src/rights/restrict.ts'
import { storeStatus } from '../../src/sessions/status.ts'
import { readErasures } from '../../src/store/erasure/keep-from-erasure.ts'
import { readSessionNames, saveNames, sealNames } from '../../src/store/names/message-names.ts'
import { namesTopic } from '../../src/store/names/name-work.ts'
import { inTransaction } from '../../src/store/transaction.ts'
import { addOutbox } from '../../src/store/work/add-work.ts'
import { addDead } from '../../src/store/work/failed-work.ts'
import { outboxBacklog } from '../../src/store/work/outbox.ts'
import { caller, messagesOf, useStore } from './store.ts'

const store = useStore({ VERBATIM_ENCRYPTION: 'on', VERBATIM_ROOT_KEY: randomBytes(32).toString('hex') })
const { tenantId } = caller
const told = 'The keys are with Quillfeather since Tuesday.'

afterEach(async () => {
  const { database } = store.open.stores
  await database.run((sql) => sql`delete from outbox where topic = ${namesTopic}`)
  await database.run((sql) => sql`delete from messages`)
})

const stores = () => {
  const { database, archive } = store.open.stores
  return { database, archive, index: undefined, visible: database, namesBy: 'model' as const }
}

async function preview(sessionId: string) {
  const shown = await forget(stores(), caller, { action: 'anonymise', sessionId })
  if (shown.status !== 'preview') throw new Error('no preview')
  return shown
}

async function anonymise(sessionId: string) {
  const { confirm } = await preview(sessionId)
  return await forget(stores(), caller, { action: 'anonymise', sessionId, confirm })
}

const names = async () => {
  const options = { hasEmbedder: false, now: new Date(), namesBy: 'model' } as const
  const status = await storeStatus(store.open.stores.database, caller, options)
  if (status.names === undefined) throw new Error('no names')
  return status.names
}

describe('a message that the model does not read', () => {
  const failed = (sessionId: string) =>
    store.open.stores.database.run((sql) =>
      addDead(sql, namesTopic, { tenantId, sessionId, seq: 1, error: 'the model gave no usable answer' }),
    )
  const reasons = [
    {
      why: 'restricted',
      make: (session: string) =>
        changeRestriction(store.open.stores.database, caller, { session, isRestricted: true, reason: 'asked for' }),
    },
    { why: 'answered with nonsense', make: failed },
    {
      why: 'large',
      make: (session: string) =>
        store.open.stores.database.run(
          (sql) => sql`update messages set payload_bytes = 9000000 where session_id = ${session}`,
        ),
    },
  ]

  it.each(reasons)('is left to the rules and counted, and refuses nothing: $why', async ({ make }) => {
    const sessionId = await store.session([{ content: told }])
    expect(await preview(sessionId)).toMatchObject({ names_not_read: 1, names_left_to_rules: 0 })
    await make(sessionId)
    expect(await preview(sessionId)).toMatchObject({ names_not_read: 0, names_left_to_rules: 1 })
    const left = await names()
    expect(left.messages_unread).toBe(left.messages_left_to_rules)
    const [check] = checkNames(left)
    expect(check?.state).toBe('ok')
    expect(check?.message).toContain(
      `${left.messages_left_to_rules} ${left.messages_left_to_rules === 1 ? 'is' : 'are'} left to the rules`,
    )
    await requireNamesRead(stores(), tenantId, [{ id: sessionId, stretches: [] }])
  })

  it('is left to the rules where it is damaged, and the others are read', async () => {
    const { database, archive } = store.open.stores
    const sessionId = await store.session([{ content: told }, { content: told }])
    const [first] = messagesOf(await store.pages(sessionId, { maxTokens: 5_000 }))
    await store.damage(first?.id ?? '')
    await database.run((sql) => addOutbox(sql, namesTopic, [{ tenantId, sessionId, firstSeq: 1, lastSeq: 2 }]))
    const finder = {
      provider: 'here',
      pieceCharactersMax: 2_000,
      isRemote: false,
      find: (texts: readonly string[]) => Promise.resolve(texts.map(() => ({ names: [], isWhole: true }))),
      close: () => Promise.resolve(),
    }
    const worker = new NameWorker({ database, archive, log: createLog('silent') }, finder)
    worker.wake()
    const left = async () => (await preview(sessionId)).names_left_to_rules
    await expect.poll(left, { timeout: 20_000 }).toBe(1)
    await worker.stop()
    expect(await preview(sessionId)).toMatchObject({ names_not_read: 0, names_left_to_rules: 1 })
  })

  it('does not keep what was said in its session from being anonymised', async () => {
    const sessionId = await store.session([{ content: told }])
    await expect(anonymise(sessionId)).rejects.toThrow('Cannot anonymise as 1 of these messages')
    await failed(sessionId)
    expect((await anonymise(sessionId)).status).toBe('anonymised')
  })

  it('is waited for where it is to be tried again', async () => {
    const sessionId = await store.session([{ content: told }])
    await failed(sessionId)
    const again = [{ tenantId, sessionId, firstSeq: 1, lastSeq: 1 }]
    await store.open.stores.database.run((sql) => addOutbox(sql, namesTopic, again))
    expect(await preview(sessionId)).toMatchObject({ names_not_read: 1, names_left_to_rules: 0 })
    await expect(anonymise(sessionId)).rejects.toThrow('Cannot anonymise as 1 of these messages')
    expect(checkNames(await names())[0]?.state).toBe('note')
  })
})

describe('what the model has found', () => {
  it('is read again where it cannot be opened', async () => {
    const { database } = store.open.stores
    const sessionId = await store.session([{ content: told }])
    await database.run(
      (sql) => sql`
        insert into message_names (tenant_id, id, session_id, body, is_whole, made_by, key_version)
        select tenant_id, id, session_id, decode('00ff', 'hex'), true, 'test', 1 from messages where session_id = ${sessionId}`,
    )
    // Before it is opened, it counts as read; what looks for names opens it.
    expect(await readSessionNames(database, { tenantId, sessionId })).toEqual([])
    expect(await preview(sessionId)).toMatchObject({ names_not_read: 1 })
    const waiting = await database.run((sql) => outboxBacklog(sql, tenantId, { topic: namesTopic }))
    expect(waiting.messages).toBe(1)
  })

  it('is read again where it is no list of names, as damage may leave it where nothing is encrypted', async () => {
    const { database } = store.open.stores
    for (const body of ['{', '{"names":1}']) {
      const sessionId = await store.session([{ content: told }])
      await database.run(
        (sql) => sql`
          insert into message_names (tenant_id, id, session_id, body, is_whole, made_by, key_version)
          select tenant_id, id, session_id, ${Buffer.from(body)}::bytea, true, 'test', 0 from messages where session_id = ${sessionId}`,
      )
      expect(await readSessionNames(database, { tenantId, sessionId })).toEqual([])
      expect(await preview(sessionId)).toMatchObject({ names_not_read: 1 })
    }
  })

  it('is taken in the order of the messages', async () => {
    const { database } = store.open.stores
    const sessionId = await store.session([{ content: 'Quillfeather' }, { content: 'Brindlemoor' }])
    const key = { tenantId, sessionId }
    const seal = await database.vault.sealOf(tenantId, sessionId)
    const erasures = await database.run((sql) => readErasures(sql, key))
    const messages = messagesOf(await store.pages(sessionId, { maxTokens: 5_000 }))
    for (const { id, content } of messages.toReversed()) {
      const names = [{ type: 'person', name: String(content) }] as const
      const read = [sealNames({ id, names, isWhole: true }, seal)]
      const about = { read, keyVersion: seal?.version ?? 0, erasures, madeBy: 'test' }
      await database.run((sql) => inTransaction(sql, (own) => saveNames(own, key, about)))
    }
    const found = await readSessionNames(database, key)
    expect(found.map(({ name }) => name)).toEqual(['Quillfeather', 'Brindlemoor'])
  })
})

describe('the status of names', () => {
  it('names a provider that is waited for, and not a conversation that goes on', async () => {
    const { database, archive } = store.open.stores
    const sessionId = await store.session([{ content: told }])
    await database.run((sql) => addOutbox(sql, namesTopic, [{ tenantId, sessionId, firstSeq: 1, lastSeq: 1 }]))
    const finder = {
      provider: 'nobody',
      pieceCharactersMax: 2_000,
      isRemote: true,
      find: () => Promise.reject(new Error('nobody is asked')),
      close: () => Promise.resolve(),
    }
    const worker = new NameWorker({ database, archive, log: createLog('silent') }, finder, { quietMs: 600_000 })
    worker.wake()
    const reason = () =>
      database.run((sql) => sql<{ why: string | null }[]>`select last_error as why from outbox where topic = 'names'`)
    await expect.poll(reason, { timeout: 20_000 }).toEqual([{ why: 'the conversation goes on' }])
    await worker.stop()
    expect((await names()).waits_for).toBeUndefined()
    await database.run(
      (sql) => sql`update outbox set last_error = 'Cannot use openai-compatible as it does not answer'`,
    )
    expect((await names()).waits_for).toBe('Cannot use openai-compatible as it does not answer')
  })
})
