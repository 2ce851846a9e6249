import { randomBytes, randomUUID } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { ConflictError, UnavailableError } from '../../src/errors.ts'
import type { ArchiveStore } from '../../src/ports/archive-store.ts'

async function collect(keys: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = []
  for await (const key of keys) all.push(key)
  return all
}

/** What every archive store must do. */
export function describeArchiveStore(name: string, open: () => ArchiveStore): void {
  describe(`${name} as an archive store`, () => {
    it.each([0, 1, 1_000, 5 * 1024 * 1024])('gives %i bytes back as they were', async (size) => {
      const key = `payloads/${randomUUID()}`
      const bytes = randomBytes(size)
      await open().put(key, bytes)
      expect(Buffer.compare((await open().get(key)) ?? Buffer.from('none'), bytes)).toBe(0)
    })

    it('stores the bytes of a view, and not of what is around it', async () => {
      const key = `payloads/${randomUUID()}`
      const around = new Uint8Array(randomBytes(100))
      await open().put(key, around.subarray(10, 20))
      expect(await open().get(key)).toHaveLength(10)
    })

    it('has nothing under a key that was never put', async () => {
      expect(await open().get(`payloads/${randomUUID()}`)).toBeUndefined()
    })

    it('takes the same bytes again, and refuses others under the same key', async () => {
      const key = `payloads/${randomUUID()}`
      await open().put(key, Buffer.from('first'))
      await open().put(key, Buffer.from('first'))
      await expect(open().put(key, Buffer.from('other'))).rejects.toBeInstanceOf(ConflictError)
      expect(Buffer.from((await open().get(key)) ?? []).toString()).toBe('first')
    })

    it('lets one of several writers with other bytes win, and tells the others', async () => {
      const key = `payloads/${randomUUID()}`
      const writes = await Promise.allSettled(
        Array.from({ length: 6 }, (_, n) => open().put(key, Buffer.from(`writer ${n}`))),
      )
      const winners = writes.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []))
      expect(winners).toHaveLength(1)
      expect(Buffer.from((await open().get(key)) ?? []).toString()).toBe(`writer ${winners[0]}`)
    })

    it('lets several writers of the same bytes all succeed', async () => {
      const key = `payloads/${randomUUID()}`
      await Promise.all(Array.from({ length: 6 }, () => open().put(key, Buffer.from('the same'))))
      expect(Buffer.from((await open().get(key)) ?? []).toString()).toBe('the same')
    })

    it('erases nothing any more when it was told to stop', async () => {
      const key = `payloads/${randomUUID()}`
      await open().put(key, Buffer.from('stays'))
      await expect(open().erase(key, undefined, AbortSignal.abort())).rejects.toBeInstanceOf(UnavailableError)
      expect(Buffer.from((await open().get(key)) ?? []).toString()).toBe('stays')
    })

    it('lists what is below a prefix, in order, and nothing else', async () => {
      const place = randomUUID()
      const keys = ['b/2', 'a/1', 'b/10', 'c'].map((key) => `${place}/${key}`)
      for (const key of keys) await open().put(key, Buffer.from(key))
      expect(await collect(open().list(`${place}/`))).toEqual(keys.toSorted())
      expect(await collect(open().list(`${place}/b/`))).toEqual([`${place}/b/10`, `${place}/b/2`])
      expect(await collect(open().list(`${randomUUID()}/`))).toEqual([])
    })

    it('deletes, also what is not there', async () => {
      const key = `payloads/${randomUUID()}`
      await open().put(key, Buffer.from('x'))
      await open().delete(key)
      await open().delete(key)
      expect(await open().get(key)).toBeUndefined()
    })

    it('erases what is below a prefix and nothing else, also where nothing is', async () => {
      const place = randomUUID()
      for (const key of ['a/1', 'a/2', 'ab/1']) await open().put(`${place}/${key}`, Buffer.from(key))
      expect(await open().erase(`${place}/a/`)).toEqual({ erased: 2, kept: [] })
      expect(await collect(open().list(`${place}/`))).toEqual([`${place}/ab/1`])
      expect(await open().erase(`${place}/a/`)).toEqual({ erased: 0, kept: [] })
      expect(await open().erase(`${place}/ab/1`)).toEqual({ erased: 1, kept: [] })
      expect(await collect(open().list(`${place}/`))).toEqual([])
      await open().put(`${place}/a/1`, Buffer.from('another'))
      expect(Buffer.from((await open().get(`${place}/a/1`)) ?? []).toString()).toBe('another')
    })

    it('erases one object, and not those whose names begin with its name', async () => {
      const place = randomUUID()
      const keys = ['a.k1', 'a.k10', 'a.k1.b'].map((key) => `${place}/${key}`)
      for (const key of keys) await open().put(key, Buffer.from(key))
      expect(await open().erase(`${place}/a.k1`)).toEqual({ erased: 1, kept: [] })
      expect(await open().erase(`${place}/a`)).toEqual({ erased: 0, kept: [] })
      expect(await collect(open().list(`${place}/`))).toEqual(keys.slice(1).toSorted())
    })

    it('names what it is about to erase, and what has gone, as often as it is asked', async () => {
      const place = randomUUID()
      const keys = ['1', '2'].map((key) => `${place}/a/${key}`)
      const erase = async () => {
        const told: string[][] = []
        await open().erase(`${place}/a/`, {
          before: async (names) => {
            told.push(names.toSorted())
            for (const key of keys) expect(await open().get(key)).toBeDefined()
          },
          after: async ({ names, gone }) => {
            told.push(names.toSorted(), gone.toSorted())
            for (const key of keys) expect(await open().get(key)).toBeUndefined()
          },
        })
        return told
      }
      const put = async () => {
        for (const key of keys) await open().put(key, Buffer.from(key))
      }
      await put()
      const [before, ...after] = await erase()
      expect(before?.map((name) => name.split(' ')[0])).toEqual(keys)
      expect(after).toEqual([before, before])
      expect(await erase()).toEqual([])
    })

    it('says that it can be written', async () => {
      await expect(open().check()).resolves.toBeUndefined()
    })
  })
}
