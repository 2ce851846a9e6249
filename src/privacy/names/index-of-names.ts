import { characterAt, endOf, joins, placesOf, type Place, unspaced } from './places-of-names.ts'

/** Letters of a word, up to those of a script without spaces. */
const run = `(?:(?!${unspaced.source})[\\p{L}\\p{M}\\p{N}_])+`
const wordRun = new RegExp(run, 'gu')
const leadingRun = new RegExp(`^${run}`, 'u')

/** A name as it is looked for: its words, and its last character. */
interface Wanted<Named> {
  readonly named: Named
  readonly words: readonly string[]
  readonly last: string
}

/** Many names at once: what a text costs depends on its length, and on how many names begin with a word of it. */
export class IndexOfNames<Named extends { readonly name: string }> {
  readonly #byRun = new Map<string, Wanted<Named>[]>()
  /** Of scripts without spaces, and what begins with a sign: any place of a text may be the beginning of these. */
  readonly #others: Named[] = []

  constructor(names: readonly Named[]) {
    for (const named of names) {
      const words = named.name.split(/\s+/u)
      const first = leadingRun.exec(named.name)?.[0]
      if (first === undefined) {
        this.#others.push(named)
        continue
      }
      const wanted = { named, words, last: Array.from(named.name).at(-1) ?? '' }
      const same = this.#byRun.get(first)
      if (same === undefined) this.#byRun.set(first, [wanted])
      else same.push(wanted)
    }
  }

  /** Where each stands, as `placesOf` says; places of one name may overlap here. */
  in(text: string): { readonly named: Named; readonly place: Place }[] {
    const found = this.#others.flatMap((named) => placesOf(text, named.name).map((place) => ({ named, place })))
    for (const { 0: first, index: start } of text.matchAll(wordRun))
      for (const { named, words, last } of this.#byRun.get(first) ?? []) {
        const end = endOf(text, words, start)
        if (end !== undefined && !joins(characterAt(text, end), last)) found.push({ named, place: { start, end } })
      }
    return found
  }
}
