import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, it } from 'vitest'

import { DirectoryArchive } from '../../src/adapters/archives/directory-archive.ts'
import { archiveAll } from '../../src/archive/archive-all.ts'
import { restore } from '../../src/archive/restore/restore.ts'
import { forget } from '../../src/erasure/forget.ts'
import { workOffErasure } from '../../src/erasure/run-erasure.ts'
import { createLog } from '../../src/log.ts'
import { readErasures } from '../../src/store/erasure/keep-from-erasure.ts'
import { readReceipts } from '../../src/store/erasure/receipts.ts'
import { saveNames, sealNames } from '../../src/store/names/message-names.ts'
import { inTransaction } from '../../src/store/transaction.ts'
import { caller, messagesOf, useStore } from '../sessions/store.ts'

const on = { VERBATIM_ENCRYPTION: 'on', VERBATIM_ROOT_KEY: randomBytes(32).toString('hex') }
const source = useStore({ ...on, VERBATIM_ARCHIVE_IDLE_MINUTES: '1000' })
const target = useStore(on)
const directory = mkdtempSync(join(tmpdir(), 'verbatim-names-'))
afterAll(() => rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 }))
const { tenantId } = caller
const nothing = () => undefined
const log = createLog('silent')

describe('an older copy of an archive', () => {
  it('brings back no message whose names a model alone had found, nor tags of its session', async () => {
    const place = join(directory, 'older')
    const archive = new DirectoryArchive(place)
    const { database } = source.open.stores
    const stores = { database, archive, log }
    const id = await source.session([
      { content: 'The keys are with Quillfeather.' },
      { content: 'so long', sender: 'Bob' },
    ])
    await source.open.updateSession(caller, { sessionId: id, tags: ['of Quillfeather'] })
    const key = { tenantId, sessionId: id }
    const [first] = messagesOf(await source.pages(id, { maxTokens: 5_000 }))
    expect((await archiveAll(stores, caller, nothing)).problems).toEqual([])
    cpSync(place, `${place} copy`, { recursive: true })

    const seal = await database.vault.sealOf(tenantId, id)
    const erasures = await database.run((sql) => readErasures(sql, key))
    const names = [{ type: 'person', name: 'Quillfeather' }] as const
    const read = [sealNames({ id: first?.id ?? '', names, isWhole: true }, seal)]
    const about = { read, keyVersion: seal?.version ?? 0, erasures, madeBy: 'test' }
    expect(await database.run((sql) => inTransaction(sql, (own) => saveNames(own, key, about)))).toBe(true)
    const dependencies = { database, archive, index: undefined, visible: database, waitMs: 60_000 }
    const chosen = { action: 'anonymise', sessionId: id, messageId: first?.id } as const
    const preview = await forget(dependencies, caller, chosen)
    await forget(dependencies, caller, { ...chosen, confirm: 'confirm' in preview ? preview.confirm : '' })
    cpSync(`${place} copy`, place, { recursive: true, force: true })

    const { database: restored } = target.open.stores
    const report = await restore({ database: restored, archive, log }, caller, nothing)
    expect(report).toMatchObject({ sessions: 1, messages: 1, places: 1, erased: 1, emptied: 1, problems: [] })
    const [receipt] = await restored.run((sql) => readReceipts(sql, tenantId, { limit: 1 }))
    await workOffErasure({ database: restored, archive, index: undefined }, receipt?.erasure_id ?? '')
    const shown = await target.pages(id, { maxTokens: 5_000 })
    expect(JSON.stringify(shown)).not.toContain('Quillfeather')
    expect(messagesOf(shown).at(-1)?.content).toBe('so long')
    expect((await target.open.listSessions(caller, { limit: 1 })).sessions[0]?.tags ?? []).toEqual([])
  })
})
