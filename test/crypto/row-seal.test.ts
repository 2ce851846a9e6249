import { createHash, randomBytes } from 'node:crypto'

import { assert, nat, property, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'

import { BrokenSeal } from '../../src/crypto/aead.ts'
import { RowSeal, type SealPlace, type SealScope } from '../../src/crypto/row-seal.ts'
import { newMaterial, type KeyMaterial } from '../../src/crypto/wrapped-key.ts'

const scope: SealScope = { tenantId: 1, sessionId: '0190b8a0-0000-7000-8000-000000000001', version: 1 }
const place: SealPlace = { field: 'payload', id: '0190b8a0-0000-7000-8000-00000000000a' }
const kept = newMaterial()

/** A seal clears the material that it is made of. */
function sealOf(about: Partial<SealScope> = {}, { sealing, hashing }: KeyMaterial = kept): RowSeal {
  return new RowSeal({ ...scope, ...about }, { sealing: Buffer.from(sealing), hashing: Buffer.from(hashing) })
}

const seal = sealOf()

describe('RowSeal', () => {
  it('opens what it sealed, byte for byte, and says nothing of it outside', () => {
    assert(
      property(uint8Array({ maxLength: 5_000 }), (bytes) => {
        const sealed = seal.seal(place, bytes)
        expect(Buffer.compare(seal.open(place, sealed), bytes)).toBe(0)
        expect(bytes.length > 8 && sealed.includes(Buffer.from(bytes))).toBe(false)
      }),
    )
  })

  it('opens long text that it made smaller, and text that cannot be made smaller', () => {
    const long = Buffer.from('the harbour master says so. '.repeat(2_000))
    expect(seal.seal(place, long).length).toBeLessThan(long.length / 10)
    expect(seal.open(place, seal.seal(place, long)).equals(long)).toBe(true)
    const noise = randomBytes(100_000)
    expect(seal.open(place, seal.seal(place, noise)).equals(noise)).toBe(true)
  })

  it('refuses what differs in any one bit', () => {
    const sealed = seal.seal(place, Buffer.from('a secret'))
    assert(
      property(nat(sealed.length * 8 - 1), (bit) => {
        const altered = Buffer.from(sealed)
        altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
        expect(() => seal.open(place, altered)).toThrow(BrokenSeal)
      }),
      { numRuns: 1_000 },
    )
    for (let length = 0; length < sealed.length; length++)
      expect(() => seal.open(place, sealed.subarray(0, length))).toThrow(BrokenSeal)
  })

  it('refuses what was sealed for another tenant, session, version, column or row, and under another key', () => {
    const sealed = seal.seal(place, Buffer.from('a secret'))
    const others: RowSeal[] = [
      sealOf({ tenantId: 2 }),
      sealOf({ sessionId: '0190b8a0-0000-7000-8000-000000000002' }),
      sealOf({ sessionId: null }),
      sealOf({ version: 2 }),
      sealOf({}, newMaterial()),
    ]
    for (const other of others) expect(() => other.open(place, sealed)).toThrow(BrokenSeal)
    expect(() => seal.open({ ...place, field: 'text' }, sealed)).toThrow(BrokenSeal)
    expect(() => seal.open({ ...place, id: `${place.id}b` }, sealed)).toThrow(BrokenSeal)
    expect(sealOf().open(place, sealed).toString()).toBe('a secret')
  })

  it('seals the same bytes differently each time', () => {
    const all = Array.from({ length: 10_000 }, () => seal.seal(place, Buffer.from('yes')).toString('hex'))
    expect(new Set(all).size).toBe(all.length)
  })

  it('masks a hash so that it can be had back, and so that equal ones stay equal in its session only', () => {
    const hash = createHash('sha256').update('yes').digest()
    const masked = seal.mask(hash)
    expect(masked.equals(hash)).toBe(false)
    expect(masked).toHaveLength(32)
    expect(seal.unmask(masked).equals(hash)).toBe(true)
    expect(sealOf().mask(hash).equals(masked)).toBe(true)
    expect(sealOf({}, newMaterial()).mask(hash).equals(masked)).toBe(false)
  })

  it('hashes as before under a new version that keeps what hashes', () => {
    const hash = createHash('sha256').update('yes').digest()
    const next = sealOf({ version: 2 }, newMaterial(Buffer.from(kept.hashing)))
    expect(next.mask(hash).equals(seal.mask(hash))).toBe(true)
    expect(() => next.open(place, seal.seal(place, Buffer.from('a')))).toThrow(BrokenSeal)
  })

  it('seals an object so that putting it again puts the same, and opens it under its own key alone', () => {
    const bytes = randomBytes(1_000)
    const sealed = seal.sealObject('payloads/ab/one', bytes)
    expect(seal.sealObject('payloads/ab/one', bytes).equals(sealed)).toBe(true)
    expect(seal.openObject('payloads/ab/one', sealed).equals(bytes)).toBe(true)
    expect(() => seal.openObject('payloads/ab/two', sealed)).toThrow(BrokenSeal)
    const [one, two] = ['one', 'two'].map((text) => seal.sealObject('payloads/ab/one', Buffer.from(text)))
    expect(one?.subarray(0, 12)).not.toEqual(two?.subarray(0, 12))
  })
})
