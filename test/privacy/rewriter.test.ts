import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { tokenMask, typeMask } from '../../src/privacy/mask.ts'
import { KnownNames } from '../../src/privacy/names/known-names.ts'
import { Rewriter } from '../../src/privacy/rewriter.ts'

const redact = new Rewriter(typeMask)
const key = new Uint8Array(32).fill(7)

describe('Rewriter.json()', () => {
  it('takes the name of a member for a cue, and keeps what is not found as it is', async () => {
    const value = {
      phoneNumber: 6505551234,
      count: 6505551234,
      nested: [{ date_of_birth: '1961-05-03' }, null, true, ''],
    }
    expect(await redact.json(value)).toEqual({
      phoneNumber: '[phone]',
      count: 6505551234,
      nested: [{ date_of_birth: '[date_of_birth]' }, null, true, ''],
    })
  })

  it('keeps all members where their names become the same', async () => {
    const written = await redact.json({ 'a@posteo.de': 1, 'b@posteo.de': 2 })
    expect(Object.values(Object(written))).toEqual([1, 2])
    expect(JSON.stringify(written)).not.toContain('posteo')
  })

  it('leaves out binary data and what nests too deep', async () => {
    expect(await redact.json({ data: 'QUJD'.repeat(100) })).toEqual({ data: '[binary data, 300 bytes]' })
    const deep = JSON.parse(`${'['.repeat(5_000)}"a@posteo.de"${']'.repeat(5_000)}`)
    expect(JSON.stringify(await redact.json(deep))).toContain('too deep')
  })

  it('gives JSON for any JSON', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        expect(JSON.parse(JSON.stringify(await redact.json(value)))).toBeDefined()
      }),
      { numRuns: 60 },
    )
  })
})

describe('Rewriter.text()', () => {
  it('finds names that are known beforehand', async () => {
    expect(await new Rewriter(typeMask, new KnownNames(['Zork Blat'])).text('then Zork left')).toBe(
      'then [person] left',
    )
  })

  it('gives a token to each value: the same for other ways of writing, another with another scope or key', async () => {
    const write = async (scope: string, text: string, with_ = key) =>
      await new Rewriter(tokenMask(with_, scope)).text(text)
    const [first] = (await write('a', 'Mr Karl Strobel came.')).match(/\[person_[\da-f]{10}\]/u) ?? []
    expect(first).toBeDefined()
    expect(await write('a', 'Mr Karl Strobel left. Strobel was tired.')).toBe(`${first} left. ${first} was tired.`)
    expect(await write('b', 'Mr Karl Strobel came.')).not.toContain(first)
    expect(await write('a', 'Mr Karl Strobel came.', new Uint8Array(32))).not.toContain(first)
    expect(await write('a', 'call 0650 995 04 94')).toBe(await write('a', 'call 0650-995-04-94'))
  })
})
