import { describe, expect, it } from 'vitest'

import { idOfBytes, idUnderHash, Occurrences, storedText, usageOf } from '../../src/capture/documents/entry-fields.ts'
import { sha256 } from '../../src/model/messages/payload.ts'
import type { TranscriptEntry } from '../../src/transcripts/format.ts'

function entry(fields: Partial<TranscriptEntry>): TranscriptEntry {
  return {
    type: 'entry',
    session: 's',
    before: new Uint8Array(),
    bytes: Buffer.from('{}'),
    kind: 'message',
    role: 'user',
    text: '',
    toolsUsed: [],
    ...fields,
  }
}

describe('usageOf()', () => {
  it('leaves out counts that the store cannot hold, and keeps the others', () => {
    const usage = { input: 2 ** 31, output: 1.5, cacheRead: -1, cacheWrite: 2 ** 31 - 1 }
    expect(usageOf(entry({ usage }))).toEqual({ cacheWrite: 2 ** 31 - 1 })
    expect(usageOf(entry({}))).toBeUndefined()
  })
})

describe('storedText()', () => {
  it('leaves a text beyond 8 MiB to be derived, and stores an empty one', () => {
    expect(storedText(entry({ text: '' }))).toBe('')
    expect(storedText(entry({ text: 'x'.repeat(8 * 1024 * 1024) }))).toHaveLength(8 * 1024 * 1024)
    // Two bytes a character: it is the stored size that counts.
    expect(storedText(entry({ text: 'é'.repeat(4 * 1024 * 1024 + 1) }))).toBeUndefined()
    expect(storedText(entry({ kind: 'damaged', text: 'x' }))).toBeUndefined()
  })
})

describe('idOfBytes()', () => {
  it('numbers the same bytes within each session', () => {
    const occurrences = new Occurrences()
    const hash = sha256(Buffer.from('same'))
    const own = `#${hash.toString('hex').slice(0, 32)}`
    const idIn = (session: string) => idOfBytes(hash, occurrences.count({ session }, hash))
    expect([idIn('a'), idIn('a'), idIn('b'), idIn('a')]).toEqual([own, `${own}.2`, own, `${own}.3`])
  })
})

describe('idUnderHash()', () => {
  const [from, to] = [sha256(Buffer.from('here')), sha256(Buffer.from('there'))]

  it.each([1, 2, 30])('gives an id of bytes as another store makes it, of occurrence %i', (occurrence) => {
    expect(idUnderHash(idOfBytes(from, occurrence), { from, to })).toBe(idOfBytes(to, occurrence))
  })

  it('gives the id of a later version of an entry as another store makes it', () => {
    const version = (hash: Buffer) => `row 7~${hash.toString('hex', 0, 8)}`
    expect(idUnderHash(version(from), { from, to })).toBe(version(to))
  })

  it.each(['row 7', `${idOfBytes(from, 1)}.x`, `${idOfBytes(from, 2)}#01a2`, idOfBytes(to, 1)])('leaves %s', (id) => {
    expect(idUnderHash(id, { from, to })).toBe(id)
  })
})
