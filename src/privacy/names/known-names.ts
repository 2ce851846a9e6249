import type { FoundName } from '../../model/names.ts'
import type { Detection } from '../detection.ts'
import { IndexOfNames } from './index-of-names.ts'
import { isOfNobody } from './ordinary-words.ts'
import { bareName, leadingTitle, soughtNames, type SoughtName } from './participant-names.ts'
import { repeatedWords, wordsOfNames } from './repeated-names.ts'
import { smallWords } from './small-words.ts'

/** Surer than the tagger of the rules, and less sure than a title before a name or a form such as that of an address. */
const foundConfidence = 0.6

/** The names of those who take part, each looked for as a whole. */
interface Wholes {
  readonly exact: IndexOfNames<SoughtName>
  readonly anyCase: IndexOfNames<SoughtName>
  readonly isEmpty: boolean
}

/** Names that are known before a text is read: of who takes part in its session, and what a model has found in the session. */
export class KnownNames {
  readonly #participants: readonly string[]
  readonly #found: IndexOfNames<FoundName>
  /** Each may stand for one of the people alone. */
  readonly #words: ReadonlySet<string>
  readonly #small: ReadonlySet<string>
  /** By a name, and by each word that one person alone has, folded. */
  readonly #people: ReadonlyMap<string, string>
  readonly #own: string | undefined
  #wholes: Promise<Wholes> | undefined

  /** Of `own`, the participant that a text is shown to, nothing is to be hidden: `isOwn` tells. */
  constructor(participants: readonly string[], found: readonly FoundName[] = [], own?: string) {
    this.#participants = participants
    this.#own = own
    this.#found = new IndexOfNames(found)
    const whole = found.flatMap(({ type, name }) => (type === 'person' && /\s/u.test(name) ? [name] : []))
    const people = participants.filter((name) => !isOfNobody(bareName(name)))
    this.#words = wordsOfNames([...people.flatMap(asWritten), ...whole])
    this.#small = smallWords(participants.filter((name) => /\p{Lu}/u.test(name)).join('\n'), this.#words)
    this.#people = peopleByName([...participants, ...(own === undefined ? [] : [own]), ...whole])
  }

  /** Where they stand in a text. Detections may overlap. */
  async in(text: string): Promise<Detection[]> {
    const places = this.#found
      .in(text)
      .map(({ named: { type }, place }) => ({ type, ...place, confidence: foundConfidence }))
    return [...places, ...(await this.#ofParticipants(text)), ...repeatedWords(text, this.#words, this.#small)]
  }

  /** The participant, or the person a model has found, whose name it is: as a whole, or by a word that nobody else is called by. */
  personOf(name: string): string {
    const known = folded(bareName(name))
    return this.#people.get(known) ?? this.#people.get(known.replace(leadingTitle, '')) ?? name
  }

  /** Whether it is the name of the one who reads. */
  isOwn(name: string): boolean {
    return this.#own !== undefined && this.personOf(name) === this.#own
  }

  async #ofParticipants(text: string): Promise<Detection[]> {
    this.#wholes ??= wholesOf([...this.#participants, ...(this.#own === undefined ? [] : [this.#own])])
    const { exact, anyCase, isEmpty } = await this.#wholes
    if (isEmpty) return []
    return [...exact.in(text), ...anyCase.in(folded(text))].map(({ named: { person }, place }) => ({
      type: 'person',
      ...place,
      confidence: foundConfidence,
      value: person,
    }))
  }
}

async function wholesOf(participants: readonly string[]): Promise<Wholes> {
  const sought = await soughtNames(participants)
  const anyCase = sought.filter((one) => one.anyCase).map((one) => ({ ...one, name: folded(one.name) }))
  return {
    exact: new IndexOfNames(sought.filter((one) => !one.anyCase)),
    anyCase: new IndexOfNames(anyCase),
    isEmpty: sought.length === 0,
  }
}

/** Small letters and one apostrophe, each character as long as it was: places in it are places in the text. */
function folded(text: string): string {
  return text.replace(/[\p{Lu}\p{Lt}’]/gu, (one) => {
    const small = one === '’' ? "'" : one.toLowerCase()
    return small.length === one.length ? small : one
  })
}

/** A name in capitals also as it is written elsewhere: `JOHN SMITH`, "Smith". */
function asWritten(name: string): string[] {
  return /\p{Lu}{3}/u.test(name) && !/\p{Ll}/u.test(name)
    ? [name, name.replace(/(?<=\p{Lu})[\p{Lu}]+/gu, (rest) => rest.toLowerCase())]
    : [name]
}

function peopleByName(people: readonly string[]): ReadonlyMap<string, string> {
  const byName = new Map<string, string>()
  const owners = new Map<string, Set<string>>()
  for (const person of people) {
    const name = folded(bareName(person)).replace(/\s+/gu, ' ')
    if (!byName.has(name)) byName.set(name, person)
    const words = name.split(' ').filter((word) => word.length > 2)
    for (const word of words) owners.set(word, (owners.get(word) ?? new Set()).add(byName.get(name) ?? person))
  }
  for (const [word, [only, ...others]] of owners)
    if (only !== undefined && others.length === 0 && !byName.has(word)) byName.set(word, only)
  return byName
}
