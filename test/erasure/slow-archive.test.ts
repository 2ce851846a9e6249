import { EventEmitter, once } from 'node:events'

import { describe, expect, it } from 'vitest'

import { saveMessages } from '../../src/capture/save.ts'
import { verify } from '../../src/capture/verify.ts'
import { eraseOutside } from '../../src/erasure/erase-outside.ts'
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
