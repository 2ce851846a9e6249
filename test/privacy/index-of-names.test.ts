import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'

import { IndexOfNames } from '../../src/privacy/names/index-of-names.ts'
import { placesOf } from '../../src/privacy/names/places-of-names.ts'

const some = [
  'Ann',
  'Anna',
  'ann',
  'O’Neil',
  'Smith-Jones',
  'J.',
  'Ann O’Neil',
  'Dr J. Smith',
  '山田',
  'Ann山',
  '김민수',
  '.NET',
  'É́va',
  '𝒜da',
]
const glue = [' ', '\n', '', ', ', '. ', '-', '’s ', '_', '1', '  ', '田', 'は', '는 ', 'x']

it('finds a name that a particle is written to, and one beside letters of a script without spaces', () => {
  expect(placesOf('김민수는 왔다', '김민수')).toEqual([{ start: 0, end: 3 }])
  expect(placesOf('私はAnnaです', 'Anna')).toEqual([{ start: 2, end: 6 }])
  expect(placesOf('Annabel', 'Anna')).toEqual([])
})

describe('IndexOfNames', () => {
  it('finds names where each alone is found, and nowhere else', () => {
    const texts = fc.array(fc.tuple(fc.constantFrom(...some), fc.constantFrom(...glue)), { maxLength: 12 })
    const names = fc.uniqueArray(fc.constantFrom(...some), { minLength: 1 })
    fc.assert(
      fc.property(texts, names, (parts, wanted) => {
        const text = parts.flat().join('')
        const found = new IndexOfNames(wanted.map((name) => ({ name }))).in(text)
        const key = (name: string, { start, end }: { start: number; end: number }) => `${name} ${start} ${end}`
        const indexed = new Set(found.map(({ named: { name }, place }) => key(name, place)))
        const alone = wanted.flatMap((name) => placesOf(text, name).map((place) => key(name, place)))
        expect(alone.filter((one) => !indexed.has(one))).toEqual([])
        for (const { named, place } of found)
          expect(placesOf(text.slice(place.start), named.name)[0]).toMatchObject({ start: 0 })
      }),
      { numRuns: 3_000 },
    )
  })

  it('looks at no name that begins with no word of the text', () => {
    const names = Array.from({ length: 20_000 }, (_, at) => ({ name: `Quill${at} Feather` }))
    const index = new IndexOfNames(names)
    const compared = vi.spyOn(String.prototype, 'startsWith')
    const found = index.in('Quill7 Feather met Quill8 Feathers and nobody else')
    const times = compared.mock.calls.length
    compared.mockRestore()
    expect(found.map(({ named }) => named.name)).toEqual(['Quill7 Feather'])
    expect(times).toBeLessThan(10)
  })
})
