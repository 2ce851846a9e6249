import { EventEmitter, once } from 'node:events'

import { describe, expect, it } from 'vitest'

import { saveMessages } from '../../src/capture/save.ts'
import { verify } from '../../src/capture/verify.ts'
import { eraseOutside } from '../../src/erasure/erase-outside.ts'
import { workOffErasure } from '../../src/erasure/run-erasure.ts'
import { UnavailableError } from '../../src/errors.ts'
import { Caches } from '../../src/model/caches.ts'
import type { ArchiveStore } from '../../src/ports/archive-store.ts'
import { caller, useStore } from '../sessions/store.ts'
import { claimed, erasingPayloads, goOn, instead } from './claimed.ts'

const store = useStore({ VERBATIM_ENCRYPTION: 'off' })
const sessionIds = new Caches(1_000_000).open<string>('session_ids', { sizeOf: () => 1 })
const large = (name: string) => `${name} ${'y'.repeat(1_100_000)}`

/** What was asked of an archive and is never answered. */
class Unanswered {
  readonly #events = new EventEmitter()
  readonly asked = once(this.#events, 'asked')

  async wait(): Promise<never> {
    this.#events.emit('asked')
    return await new Promise(() => undefined)
  }
}

async function locationsOf(sessionId: string): Promise<string[]> {
  const { database } = store.open.stores
  const rows = await database.run(
    (sql) => sql<{ location: string }[]>`
    select payload_location as location from messages where session_id = ${sessionId} and payload_location is not null`,
  )
  return rows.map(({ location }) => location)
}

async function countSessions(): Promise<number> {
  const { database } = store.open.stores
  const [row] = await database.run((sql) => sql<{ count: number }[]>`select count(*)::int as count from sessions`)
  return row?.count ?? 0
}

describe('an archive that does not answer while the database waits', () => {
  it('has a save refused, of which nothing is stored, and others go on', async () => {
    const { database, archive } = store.open.stores
    const content = large('refused')
    const unanswered = new Unanswered()
    const silent = instead(archive, {
      list: async function* list() {
        yield await unanswered.wait()
      },
    })
    const before = await countSessions()
    const save = (to: ArchiveStore) =>
      saveMessages({ database, archive: to, sessionIds }, caller, {
        sessionId: 'slow',
        messages: [{ content, sender: 'Ben', role: 'user', messageId: 'one' }],
      })
    const refusal = save(silent).catch((error: unknown) => error)
    await unanswered.asked
    // It waits for the other one on an embedded store, and no longer than that.
    await store.session([{ content: 'small' }])
    const refused = await refusal
    expect(refused).toBeInstanceOf(UnavailableError)
    expect(String(refused)).toContain('Cannot wait for the archive as it did not answer')
    expect(await countSessions()).toBe(before + 1)
    expect((await save(archive)).messages).toMatchObject([{ duplicate: false, seq: 1 }])
    expect((await verify(store.open.stores, caller, () => undefined)).problems).toEqual([])
  })

  it('has nothing left of what was erased where it puts that after a save was refused', async () => {
    const { database, archive } = store.open.stores
    const content = large('late')
    const message = { content, sender: 'Ben', role: 'user', messageId: 'late' } as const
    const [location = ''] = await locationsOf(await store.session([message]))
    // It is put before the message is stored, and somebody erases it then, so that it is put once more while others wait.
    const late = new EventEmitter()
    const done = once(late, 'done')
    let puts = 0
    const slow = instead(archive, {
      put: async (key, bytes) => {
        if (puts++ % 2 === 0) {
          await archive.put(key, bytes)
          await archive.erase(key)
          return
        }
        await once(late, 'go on')
        await archive.put(key, bytes)
        late.emit('done')
      },
    })
    const dependencies = { database, archive: slow, sessionIds }
    for (let attempt = 1; attempt <= 2; attempt++)
      await expect(saveMessages(dependencies, caller, { sessionId: 'late', messages: [message] })).rejects.toThrow(
        UnavailableError,
      )
    late.emit('go on')
    await done
    expect(await archive.get(location)).toBeDefined()
    // As whoever erased the other one has done.
    await database.run((sql) => sql`delete from messages where payload_location = ${location}`)
    while (await workOffErasure({ database, archive, index: undefined }));
    expect(await archive.get(location)).toBeDefined()
    const left = () =>
      database.run(
        (sql) =>
          sql`select available_at > now() + interval '10 minutes' as is_late from outbox where topic = 'erase' and details->'payloads' ? ${location}`,
      )
    expect(await left()).toEqual([{ is_late: true }])
    await database.run((sql) => sql`update outbox set available_at = now() where topic = 'erase'`)
    while (await workOffErasure({ database, archive, index: undefined }));
    await expect.poll(left, { timeout: 30_000 }).toEqual([])
    expect(await archive.get(location)).toBeUndefined()
  })

  it('has an erasure fail that is told to go no further, and go on later', async () => {
    const { database, archive } = store.open.stores
    const item = await claimed(store, large('erased'))
    const signals: (AbortSignal | undefined)[] = []
    const silent = erasingPayloads(archive, async (_location, signal) => {
      signals.push(signal)
      return await new Unanswered().wait()
    })
    await expect(eraseOutside({ database, archive: silent, index: undefined }, item)).rejects.toThrow(
      'Cannot wait for the archive as it did not answer',
    )
    expect(signals.map((signal) => signal?.aborted)).toEqual([true])
    expect(await goOn(store, item)).toMatchObject({ erased: { messages: 1, large_payloads: 1 }, pending: [] })
  })
})
