import { describe, expect, it } from 'vitest'

import { limits } from '../../src/limits.ts'
import { lookForNames } from '../../src/naming/look-for-names.ts'
import type { NameFinder } from '../../src/ports/name-finder.ts'

const { signal } = new AbortController()

/** A remote finder that notes what it is given, and names these persons in all of it. */
class NotingFinder implements NameFinder {
  readonly provider = 'openai-compatible'
  readonly isRemote = true
  pieceCharactersMax: number = limits.namesCallCharactersMax
  readonly given: string[] = []
  readonly #persons: readonly string[]

  constructor(...persons: readonly string[]) {
    this.#persons = persons
  }

  find: NameFinder['find'] = (texts) => {
    this.given.push(...texts)
    const names = this.#persons.map((name) => ({ name, type: 'person' as const }))
    return Promise.resolve(texts.map(() => ({ names, isWhole: true })))
  }

  close = () => Promise.resolve()
}

const line = 'abcdefghijklmnopqrstuvwxyz+/ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
/** Like a key, of 40 lines. */
const pem = [
  '-----BEGIN RSA PRIVATE KEY-----',
  ...Array.from({ length: 40 }, (_, at) => `${line.slice(at)}${line.slice(0, at)}`),
  '-----END RSA PRIVATE KEY-----',
].join('\n')
const proseOf = (characters: number) => 'so it goes on. '.repeat(Math.ceil(characters / 15)).slice(0, characters)

describe('lookForNames() by a remote model', () => {
  it.each([11_000, limits.namedMessageCharactersMax - 1_000])(
    'sends nothing of a secret behind %d characters, which is where a text is cut',
    async (characters) => {
      const finder = new NotingFinder('Quillfeather')
      const [found] = await lookForNames(finder, [`${proseOf(characters)}\n${pem}\nsays Quillfeather`], { signal })
      const sent = finder.given.join('')
      expect(sent).toContain('[secret]')
      expect(sent).toContain('says Quillfeather')
      expect(pem.split('\n').filter((secret) => sent.includes(secret))).toEqual([])
      expect(sent).not.toMatch(/[A-Za-z0-9+/]{40}/)
      expect(found).toEqual({ names: [{ type: 'person', name: 'Quillfeather' }], isWhole: true })
    },
  )

  it('says of a longer text that it was not looked through as a whole', async () => {
    const finder = new NotingFinder()
    const [found] = await lookForNames(finder, [proseOf(limits.namedMessageCharactersMax + 100)], { signal })
    expect(found?.isWhole).toBe(false)
    expect(finder.given.join('')).toHaveLength(limits.namedMessageCharactersMax)
  })
})

describe('lookForNames() by a model that reads little at once', () => {
  it('gives it pieces of that length, and all of the text', async () => {
    const finder = new NotingFinder('Quillfeather')
    finder.pieceCharactersMax = 2_000
    const text = `${proseOf(9_000)} Quillfeather`
    const [found] = await lookForNames(finder, [text], { signal })
    expect(Math.max(...finder.given.map(({ length }) => length))).toBeLessThanOrEqual(2_000)
    expect(finder.given.join('')).toBe(text)
    expect(found?.names).toHaveLength(1)
  })
})
