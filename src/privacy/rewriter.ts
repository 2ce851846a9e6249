import { detect } from './detect.ts'
import type { Detection } from './detection.ts'
import type { Mask } from './mask.ts'
import { KnownNames } from './names/known-names.ts'
import { bareName } from './names/participant-names.ts'
import { resolveOverlaps } from './resolve-overlaps.ts'
import { secretMembers } from './secrets/json-web-keys.ts'
import { emails } from './structured/contact-addresses.ts'
import { phones } from './structured/phones.ts'

/** Below this nesting a value is not shown: no real content is so deep, and recursion must end. */
const depthMax = 100
/** Data and no words: pictures, files. What is in them cannot be looked for. */
const binary = /^(?:data:[\w/+.;=-]{1,100},)?[A-Za-z0-9+/_-]{200,}={0,2}$/u
/** A name is a cue for its value: `{"phone": "6505551234"}`. A longer one is no name. */
const cueCharactersMax = 60

/** Writes texts and JSON anew without what personal data and secrets are found in them. */
export class Rewriter {
  readonly #mask: Mask
  readonly #names: KnownNames

  constructor(mask: Mask, names: KnownNames = new KnownNames([])) {
    this.#mask = mask
    this.#names = names
  }

  /** A name as a whole, whatever it looks like. An address or a number is one, as it is in a text. */
  name(name: string): string {
    const whole = [...emails(name), ...phones(name)].find(({ start, end }) => start === 0 && end === name.length)
    return this.#mask(whole === undefined ? { type: 'person', value: bareName(name) } : { ...whole, value: name })
  }

  async text(text: string): Promise<string> {
    if (binary.test(text)) return `[binary data, ${Math.floor((text.length * 3) / 4)} bytes]`
    return this.#written(text, await this.#detections(text))
  }

  /** A JSON value of the same shape: strings, numbers that are found, and names of members. */
  async json(value: unknown): Promise<unknown> {
    return this.#value(value, { name: '', depth: 0 })
  }

  async #detections(text: string): Promise<readonly Detection[]> {
    const found = resolveOverlaps(text, [...(await detect(text)), ...(await this.#names.in(text))])
    return found.filter(({ start, end, value = text.slice(start, end) }) => !this.#names.isOwn(value))
  }

  #written(text: string, detections: readonly Detection[]): string {
    const fullNames = detections.filter(({ type }) => type === 'person').map(({ start, end }) => text.slice(start, end))
    let written = ''
    let at = 0
    for (const { type, start, end, value = text.slice(start, end) } of detections) {
      const shown = type === 'person' ? this.#person(value, fullNames) : value
      written += text.slice(at, start) + this.#mask({ type, value: shown })
      at = end
    }
    return written + text.slice(at)
  }

  /** Who is meant, by the longest name that is known of them: the same person has the same token. */
  #person(name: string, fullNames: readonly string[]): string {
    return bareName(this.#names.personOf(fullName(this.#names.personOf(name), fullNames)))
  }

  async #value(value: unknown, place: { readonly name: string; readonly depth: number }): Promise<unknown> {
    if (typeof value === 'string' || typeof value === 'number') return this.#scalar(value, place.name)
    if (typeof value !== 'object' || value === null) return value
    if (place.depth > depthMax) return '[too deep to be looked through]'
    const depth = place.depth + 1
    if (Array.isArray(value)) {
      const items: unknown[] = []
      for (const item of value) items.push(await this.#value(item, { name: place.name, depth }))
      return items
    }
    const members = new Map<string, unknown>()
    // Of a key each member is looked at with the others: alone it is a row of letters.
    const secrets = secretMembers(value)
    for (const [name, member] of Object.entries(value)) {
      const written = await this.text(name)
      const unique = members.has(written) ? `${written} ${members.size}` : written
      const secret = secrets.get(name)
      members.set(
        unique,
        secret === undefined
          ? await this.#value(member, { name, depth })
          : this.#mask({ type: 'secret', value: secret }),
      )
    }
    return Object.fromEntries(members)
  }

  async #scalar(value: string | number, name: string): Promise<unknown> {
    const text = String(value)
    if (typeof value === 'string' && binary.test(value)) return this.text(value)
    const cue = name.length > 0 && name.length <= cueCharactersMax && !text.includes('\n') ? `${spelled(name)}: ` : ''
    const detections = (await this.#detections(cue + text))
      .filter(({ end }) => end > cue.length)
      .map((one) => ({ ...one, start: Math.max(one.start - cue.length, 0), end: one.end - cue.length }))
    return detections.length === 0 ? value : this.#written(text, detections)
  }
}

/** The words of a member's name: `phoneNumber`, `phone_number`. */
function spelled(name: string): string {
  return name.replace(/(?<=\p{Ll})(?=\p{Lu})|_/gu, ' ')
}

/** Of the names in the same text the one that a part of a name belongs to: after "Karl Strobel", "Strobel" is he. */
function fullName(name: string, names: readonly string[]): string {
  if (/\s/u.test(name.replace(/^\p{Lu}\p{L}{1,4}\.? /u, ''))) return name
  const word = name.split(/\s/u).at(-1) ?? name
  const whole = names.filter((other) => other.split(/\s/u).includes(word))
  return whole.reduce((longest, other) => (other.length > longest.length ? other : longest), name)
}
