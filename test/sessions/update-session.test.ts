import { describe, expect, it } from 'vitest'

import { TermHashers } from '../../src/indexing/terms/term-hashers.ts'
import { withCitations } from '../../src/insight/summaries/by-host/with-citations.ts'
import { updateSession } from '../../src/sessions/update-session.ts'
import type { Database } from '../../src/store/database.ts'
import { caller, useStore } from './store.ts'

const store = useStore()

async function written(sessionId: string): Promise<{ audits: number; summaries: number; version: number }> {
  const { database } = store.open.stores
  const rows = await database.run(
    (sql) => sql<{ audits: string; summaries: string; version: string }[]>`
      select
        (select count(*) from audit_log where action = 'session.update' and object_id = ${sessionId}) as audits,
        (select count(*) from summaries where session_id = ${sessionId}) as summaries,
        (select version from sessions where id = ${sessionId}) as version`,
  )
  const [row] = rows
  return { audits: Number(row?.audits), summaries: Number(row?.summaries), version: Number(row?.version) }
}

/** A database whose answer is lost once after the work was done, as when its process dies right after the commit. */
function losingOneAnswer(database: Database): Database {
  return {
    kind: database.kind,
    vault: database.vault,
    of() {
      return this
    },
    close: () => database.close(),
    run: (work) =>
      database.run(async (sql) => {
        await work(sql)
        return work(sql)
      }),
  }
}

describe('updateSession()', () => {
  const change = {
    title: 'Berths',
    tags: ['harbour'],
    closed: true,
    summary: 'All moored.\nNone left.',
    model: 'model-a',
  }

  it('writes change, summary and audit once each, also where the answer is lost and the call is made again', async () => {
    const sessionId = await store.session([{ content: 'x' }])
    const before = await written(sessionId)
    const citing = withCitations(
      { ...store.open.stores, hashers: new TermHashers(store.open.stores.database.vault) },
      caller,
    )
    const head = await updateSession({ ...citing, database: losingOneAnswer(store.open.stores.database) }, caller, {
      sessionId,
      ...change,
    })
    expect(head).toMatchObject({ title: 'Berths', tags: ['harbour'], closed_at: expect.any(String) })
    expect(await written(sessionId)).toEqual({ audits: 1, summaries: 1, version: before.version + 1 })
  })

  it('writes nothing where the audit cannot be written', async () => {
    const sessionId = await store.session([{ content: 'x' }])
    const before = await written(sessionId)
    // PostgreSQL stores no NUL in a text.
    const update = store.open.updateSession({ ...caller, principal: 'a\0b' }, { sessionId, ...change })
    await expect(update).rejects.toThrow('the database takes no row of the audit log (22021)')
    expect(await written(sessionId)).toEqual({ ...before, audits: 0, summaries: 0 })
    const [page] = await store.pages(sessionId, { maxTokens: 8_000 })
    expect(page).not.toHaveProperty('title')
    expect(page?.context_summary).toBeNull()
  })
})
