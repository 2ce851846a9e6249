import { describe, expect, it } from 'vitest'

import { readConfig } from '../../src/config.ts'
import type { NameType } from '../../src/model/names.ts'
import { typeMask } from '../../src/privacy/mask.ts'
import { KnownNames } from '../../src/privacy/names/known-names.ts'
import { namesOfOthers } from '../../src/privacy/names/own-names.ts'
import { placesOf } from '../../src/privacy/names/places-of-names.ts'
import { usableNames } from '../../src/privacy/names/usable-names.ts'
import { Rewriter } from '../../src/privacy/rewriter.ts'
import { withoutSecrets } from '../../src/privacy/without-secrets.ts'

const given = (names: readonly string[], type: NameType = 'person') => names.map((name) => ({ type, name }))
const usable = (text: string, names: readonly string[], type?: NameType) =>
  usableNames(text, given(names, type)).map(({ name }) => name)

describe('usableNames()', () => {
  it.each([
    ['Ada McDonald met Jean-Luc O’Neil in St. Gallen', ['Ada McDonald', 'Jean-Luc O’Neil']],
    ['JoAnn Meyer, RuPaul and DuBois', ['JoAnn Meyer', 'RuPaul', 'DuBois']],
    ['Anna\n Becker and Otto "Ottl" Brandt', ['Anna Becker', 'Otto "Ottl" Brandt']],
    ['我叫张伟，住在上海。', ['张伟', '上海']],
    ['Встреча с Анной в Твери', ['Анной', 'Твери']],
  ])('takes what is a name: %s', (text, names) => {
    expect(usable(text, names)).toEqual(names)
  })

  it('takes nothing that does not stand in the text as a word', () => {
    expect(usable('Annabel is here', ['Anna', 'Bob', 'annabel'])).toEqual([])
  })

  it.each([
    'I',
    'the user',
    'user',
    'getUser',
    'iPhone',
    'Utf8Reader',
    'Hey!',
    'MAX_SIZE',
    'a.b',
    'foo(bar)',
    'X',
    'src/app',
    'May',
  ])('takes %s for no name', (name) => {
    expect(usable(`so ${name} it is`, [name])).toEqual([])
  })

  it('takes companies as they write themselves', () => {
    const names = ['OpenAI', 'YouTube', 'Yahoo!', 'Booking.com', 'Barilla S.p.A.', 'eBay', 'A/S Norden']
    expect(usable(`at ${names.join(', ')} and so`, names, 'organization')).toEqual(names)
  })

  it('takes no more than a bounded number, each of bounded length', () => {
    const many = Array.from(
      { length: 500 },
      (_, at) => `Na${String.fromCharCode(97 + (at % 26))}e${'x'.repeat(at % 90)}`,
    )
    const text = many.join(' ')
    expect(usable(text, [...new Set(many)]).length).toBeLessThanOrEqual(200)
    const long = `A${'b'.repeat(120)}`
    expect(usable(long, [long])).toEqual([])
  })
})

describe('placesOf()', () => {
  it('finds whole words alone, where words are apart', () => {
    const starts = (text: string, name: string) => placesOf(text, name).map(({ start }) => start)
    expect(starts('Anna, Annabel, XAnna and Anna', 'Anna')).toEqual([0, 25])
    expect(starts('张伟和张伟', '张伟')).toEqual([0, 3])
    expect(placesOf('Anna Anna\n  Becker, Anna Beckers', 'Anna Becker')).toEqual([{ start: 5, end: 18 }])
    expect(placesOf('text', '')).toEqual([])
  })
})

describe('KnownNames', () => {
  it('masks what was found by its kind, and people by one of their names too', async () => {
    const found = [
      { type: 'person', name: 'Zorvane Quillfeather' },
      { type: 'place', name: 'Ostwick' },
      { type: 'organization', name: 'Brindlemoor' },
    ] as const
    const rewriter = new Rewriter(typeMask, new KnownNames([], found))
    expect(await rewriter.text('Zorvane Quillfeather left Ostwick; then Quillfeather paid Brindlemoor.')).toBe(
      '[person] left [place]; then [person] paid [organization].',
    )
    expect(await rewriter.json({ to: ['ostwick', 'Ostwick'] })).toEqual({ to: ['ostwick', '[place]'] })
  })
})

describe('withoutSecrets()', () => {
  it('leaves names and takes numbers of cards and accounts', () => {
    expect(withoutSecrets('Quillfeather, 4111 1111 1111 1111, DE89 3704 0044 0532 0130 00')).toBe(
      'Quillfeather, [payment_card], [iban]',
    )
  })
})

describe('VERBATIM_NAMES', () => {
  const model = { VERBATIM_SUMMARIZER_URL: 'http://127.0.0.1:1/v1', VERBATIM_SUMMARIZER_MODEL: 'm' }

  it('is rules where nothing is said, and says what the others need', () => {
    expect(readConfig({}).names).toBeUndefined()
    expect(readConfig({ VERBATIM_NAMES: 'model', ...model }).names).toMatchObject({ kind: 'model' })
    expect(readConfig({ VERBATIM_NAMES: 'local', VERBATIM_NAMES_PATH: '/models/ner' }).names).toEqual({
      kind: 'local',
      directory: '/models/ner',
    })
    expect(() => readConfig({ VERBATIM_NAMES: 'model' })).toThrow('there is no model to ask')
    expect(() => readConfig({ VERBATIM_NAMES: 'local' })).toThrow('VERBATIM_NAMES_PATH is not set')
    expect(() => readConfig({ VERBATIM_NAMES_PATH: '/models/ner' })).toThrow('VERBATIM_NAMES is "rules"')
  })
})

describe('namesOfOthers()', () => {
  const found = [
    ...given(['Paris Schmidt', 'Paris', 'Schmidt', 'Otto Schmidt', 'Lena']),
    { type: 'place', name: 'Paris' },
  ] as const

  it('leaves out the own name, and of its words those that nobody else has', () => {
    expect(namesOfOthers(found, 'Paris Schmidt', ['Paris Schmidt', 'Lena'])).toEqual([
      { type: 'person', name: 'Schmidt' },
      { type: 'person', name: 'Otto Schmidt' },
      { type: 'person', name: 'Lena' },
      { type: 'place', name: 'Paris' },
    ])
  })

  it('leaves out nothing where nobody asks for their own', () => {
    expect(namesOfOthers(found, undefined, ['Lena'])).toEqual(found)
  })
})
