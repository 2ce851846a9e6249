import { setTimeout as sleep } from 'node:timers/promises'

import { beforeAll, describe, expect, it, test } from 'vitest'

import { storeToken, newTokenText } from '../../src/access/access-tokens.ts'
import { grantAccess, openAccess, readAccess, revokeAccess } from '../../src/access/session-access.ts'
import { TokenVerifier } from '../../src/access/token-verifier.ts'
import { ForbiddenError, NotFoundError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import { createLog } from '../../src/log.ts'
import { sessionRoles, type Caller, type SessionRole } from '../../src/model/access.ts'
import { newId } from '../../src/model/ids.ts'
import { caller as owner, useStore } from './store.ts'

const store = useStore()
const people = ['ada', 'bob', 'keeper'] as const
const callers = new Map<string, Caller>()

/** Whoever has a token of this principal. */
function as(name: (typeof people)[number]): Caller {
  const caller = callers.get(name)
  if (caller === undefined) throw new Error('callers are made before the first test')
  return caller
}

beforeAll(async () => {
  const { database } = store.open.stores
  for (const name of people) {
    const token = newTokenText()
    await storeToken(database, owner, { token, name, principal: name, scopes: ['memory:read', 'memory:write'] })
    const { access } = await new TokenVerifier(database, createLog('silent')).verify(token)
    callers.set(name, {
      tenantId: owner.tenantId,
      principal: name,
      principalId: access?.principalId ?? '',
      client: 'test',
    })
  }
})

const word = 'quartermaster'
const search = { limit: 50, maxTokens: 4_000, context: 2, format: 'json', mode: 'full_text' } as const

/** What a caller can do with a session: what was refused is left out. */
async function deedsOf(caller: Caller, sessionId: string): Promise<string[]> {
  const { open } = store
  const deeds: Record<string, () => Promise<boolean>> = {
    list: async () => {
      const { sessions } = await open.listSessions(caller, { limit: 100 })
      return sessions.some((session) => session.session_id === sessionId)
    },
    complete: async () =>
      (await open.completeSessionId(caller, { prefix: sessionId.slice(0, 30), limit: 10 })).includes(sessionId),
    find: async () => {
      const { results } = await open.search(caller, { ...search, query: word })
      return results.some((result) => result.session_id === sessionId)
    },
    findInSession: async () => (await open.search(caller, { ...search, query: word, sessionId })).results.length > 0,
    findOfTime: async () => {
      const asked = { ...search, mode: 'hybrid', query: 'what did we discuss today', sessionId } as const
      return (await open.search(caller, asked)).results.length > 0
    },
    read: async () => {
      const document = await open.getSession(caller, { sessionId, limit: 10, maxTokens: 4_000, view: 'full' })
      return document.messages.length > 0
    },
    watch: async () => (await open.sessionVersions(caller, [sessionId])).has(sessionId),
    summarize: async () => {
      const summary = await open.summarize(caller, {
        sessionId,
        style: 'brief',
        maxTokens: 500,
        refresh: false,
        keep: true,
      })
      return JSON.stringify(summary).includes(word)
    },
    profile: async () => (await open.profile(caller)).tags.some(({ name }) => name === `tag of ${sessionId}`),
    save: async () => {
      await open.saveMessages(caller, { sessionId, messages: [{ content: 'More.', sender: 'Eve', role: 'user' }] })
      return true
    },
    rename: async () => (await open.updateSession(caller, { sessionId, title: 'New' })).session_id === sessionId,
    hold: async () => (await open.updateSession(caller, { sessionId, legalHold: true })).session_id === sessionId,
    grant: async () => {
      await grantAccess(open.stores.database, caller, { session: sessionId, principal: 'keeper', role: 'owner' })
      return true
    },
  }
  const done: string[] = []
  for (const [name, deed] of Object.entries(deeds)) {
    try {
      if (await deed()) done.push(name)
    } catch (error) {
      if (!(error instanceof ForbiddenError || error instanceof NotFoundError)) throw error
    }
  }
  return done
}

const reading = [
  'find',
  'findInSession',
  'findOfTime',
  'list',
  'profile',
  'read',
  'summarize',
  'watch',
  'complete',
] as const
const writing = ['rename', 'save'] as const
const managing = ['grant', 'hold'] as const

const allowed: Readonly<Record<SessionRole | 'none' | 'open', readonly string[]>> = {
  open: [...reading, ...writing, ...managing],
  owner: [...reading, ...writing, ...managing],
  writer: [...reading, ...writing],
  reader: reading,
  auditor: ['list', 'complete'],
  none: [],
}

/** Gives a role in a session whose owner is somebody else. */
async function share(session: string, principal: (typeof people)[number], role: SessionRole): Promise<void> {
  const { database } = store.open.stores
  await grantAccess(database, owner, { session, principal: 'keeper', role: 'owner' })
  await grantAccess(database, owner, { session, principal, role })
}

async function sharedSession(): Promise<string> {
  const id = await store.session([{ content: `The ${word} keeps the keys of ${newId()}.` }])
  await store.open.updateSession(owner, { sessionId: id, tags: [`tag of ${id}`] })
  while ((await store.open.status(owner)).index.messages_behind > 0) await sleep(20)
  return id
}

describe('a session that was shared with somebody', () => {
  test.each([...sessionRoles])('lets a principal who is its %s do what the role says', async (role) => {
    const id = await sharedSession()
    await share(id, 'ada', role)
    expect((await deedsOf(as('ada'), id)).toSorted()).toEqual(allowed[role].toSorted())
  })

  it('is not there for anybody else, and is for who owns the store', async () => {
    const id = await sharedSession()
    await share(id, 'ada', 'reader')
    expect(await deedsOf(as('bob'), id)).toEqual([])
    const deeds = await deedsOf(owner, id)
    expect(deeds.toSorted()).toEqual(allowed.owner.toSorted())
  })

  it('is listed with how it begins for who may read it', async () => {
    const id = await sharedSession()
    await share(id, 'ada', 'reader')
    await share(id, 'bob', 'auditor')
    const opening = async (caller: Caller) => {
      const { sessions } = await store.open.listSessions(caller, { limit: 100 })
      return sessions.find((session) => session.session_id === id)?.begins_with
    }
    expect([await opening(as('ada')), await opening(owner)]).toEqual([
      expect.stringContaining(word),
      expect.stringContaining(word),
    ])
    const { sessions } = await store.open.listSessions(as('bob'), { limit: 100 })
    expect(sessions.find((session) => session.session_id === id)).toBeDefined()
    expect(await opening(as('bob'))).toBeUndefined()
  })

  it('leaves room for what others said at a time that they ask about', async () => {
    const at = (second: number) => new Date(Date.UTC(2024, 4, 1, 12, 0, second)).toISOString()
    const own = await store.session([{ content: 'The ferry is late.', timestamp: at(0) }])
    const shared = await store.session([{ content: 'A heron.', timestamp: at(1) }])
    // Newer ones, and more than are looked at.
    for (let said = 1; said <= limits.searchCandidatesMax; said += 250)
      await store.open.saveMessages(owner, {
        sessionId: shared,
        messages: Array.from({ length: 250 }, (_, place) => ({
          content: `A heron, number ${said + place}.`,
          sender: 'Ann',
          role: 'user',
          timestamp: at(said + place),
        })),
      })
    await share(shared, 'bob', 'reader')
    while ((await store.open.status(owner)).index.messages_behind > 0) await sleep(20)
    const asked = { ...search, mode: 'hybrid', query: 'what did we discuss on 1 May 2024' } as const
    const { results } = await store.open.search(as('ada'), asked)
    expect(results.map((result) => result.session_id)).toEqual([own])
  })

  it('is not written to by who gives its own id for it', async () => {
    const id = await sharedSession()
    const { external_id: name = '' } = await store.open.updateSession(owner, { sessionId: id, title: 'x' })
    await share(id, 'ada', 'owner')
    const save = store.open.saveMessages(as('bob'), {
      sessionId: name,
      messages: [{ content: 'I was here', sender: 'Bob', role: 'user' }],
    })
    await expect(save).rejects.toThrow('shared with others only')
    const { messages } = await store.open.getSession(owner, {
      sessionId: id,
      limit: 10,
      maxTokens: 4_000,
      view: 'full',
    })
    expect(messages).toHaveLength(1)
  })

  it('is gone for who had a role from the next call on, and is opened to all by itself alone', async () => {
    const id = await sharedSession()
    const { database } = store.open.stores
    await share(id, 'ada', 'writer')
    expect((await deedsOf(as('ada'), id)).toSorted()).toEqual(allowed.writer.toSorted())
    await revokeAccess(database, owner, { session: id, principal: 'ada' })
    expect(await deedsOf(as('ada'), id)).toEqual([])
    expect((await readAccess(database, owner, id)).grants).toMatchObject([{ principal: 'keeper', role: 'owner' }])
    await expect(revokeAccess(database, owner, { session: id, principal: 'keeper' })).rejects.toThrow('the last role')
    expect(await deedsOf(as('bob'), id)).toEqual([])
    expect((await openAccess(database, owner, id)).grants).toEqual([])
    expect((await deedsOf(as('bob'), id)).toSorted()).toEqual(allowed.open.toSorted())
  })

  it('is not shared with a reader alone: who writes to it would be locked out', async () => {
    const id = await sharedSession()
    const grant = grantAccess(store.open.stores.database, owner, { session: id, principal: 'ada', role: 'reader' })
    await expect(grant).rejects.toMatchObject({ message: expect.stringContaining('before it has an owner') })
  })

  it('says who is not known, and who has no role', async () => {
    const id = await sharedSession()
    const { database } = store.open.stores
    await expect(
      grantAccess(database, owner, { session: id, principal: 'nobody', role: 'reader' }),
    ).rejects.toMatchObject({
      message: 'Nobody here is called "nobody"',
      remedy: expect.stringContaining('token create'),
    })
    await share(id, 'bob', 'reader')
    await expect(revokeAccess(database, owner, { session: id, principal: 'ada' })).rejects.toThrow('"ada" has no role')
  })
})
