import { noName } from './name-words.ts'
import { isOfNobody, openWordClasses, type WordClass } from './ordinary-words.ts'
import { unspaced } from './places-of-names.ts'

/** A name as it is looked for, and the participant whose it is. */
export interface SoughtName {
  readonly name: string
  readonly person: string
  /** Whether it is found in small and capital letters alike; else as it is written. */
  readonly anyCase: boolean
}

const cased = /\p{Lu}|\p{Ll}/u
const capital = /\p{Lu}/u
/** Between the parts of an id: `anna.schmidt`, `karl_s`. */
const betweenParts = /[\s._-]+/u
/** Ids of accounts and records, addresses of machines: nobody says them as a name. */
const noPerson = /[/\\(){}[\]<>|=]|^[\d\p{P}\p{S}\s]*$|^[\da-f-]{16,}$/iu
/** Two letters with a capital that begin a sentence in some language. */
const shortWords = new Set(
  'ab ad ai al am an as at au be by ca ce da de do du eh el em en er es et eu ex go ha he hi if il im in is it je ja la le lo ma me mi my na ne no nu of oh ok on or os os pa se si so su ta te to tu um un up us va ve vi we ya zu'.split(
    ' ',
  ),
)
/** Parts of a name in an alphabet without capitals. */
const partCharactersMin = 3

/** How somebody is spoken to, before a name. */
export const leadingTitle =
  /^(?:(?:mrs?|ms|miss|dr|prof(?:essor)?|sir|lord|lady|judge|justice|herrn?|frau|monsieur|madame|mme)\.? )+/iu

/** The name of a participant without what marks it as one. */
export function bareName(participant: string): string {
  return participant
    .normalize('NFC')
    .trim()
    .replace(/^@(?=.)/u, '')
}

/**
 * The names by which participants are looked for as a whole. Whatever is made of ordinary words alone, the name of a role, an agent or
 * a tool, is not: it would take these words from the text.
 */
export async function soughtNames(participants: readonly string[]): Promise<SoughtName[]> {
  if (participants.length === 0) return []
  const classOf = await openWordClasses()
  return participants.flatMap((participant) => {
    const name = bareName(participant).replace(/\s+/gu, ' ')
    const isHandle = participant.trim().startsWith('@')
    return [...new Set([name, name.replace(leadingTitle, '')])].flatMap((one) =>
      isOfNobody(one) ? [] : namesOf(one, { isHandle, classOf }).map((sought) => ({ ...sought, person: participant })),
    )
  })
}

interface About {
  readonly isHandle: boolean
  readonly classOf: (word: string) => WordClass
}

function namesOf(name: string, about: About): Omit<SoughtName, 'person'>[] {
  if (noPerson.test(name) || name.includes('@')) return []
  const parts = name.split(betweenParts).filter((part) => part !== '')
  if (!cased.test(name)) return withoutCase(name, parts, about)
  return parts.length > 1 ? ofParts(name, parts, about) : ofWord(name, about)
}

function withoutCase(name: string, parts: readonly string[], { classOf }: About): Omit<SoughtName, 'person'>[] {
  if ((name.match(/\p{L}/gu) ?? []).length < 2 || parts.some((part) => classOf(part) === 'ordinary')) return []
  const words = unspaced.test(name) ? [] : parts.filter((part) => part.length >= partCharactersMin)
  return [...new Set([name, ...words])].map((one) => ({ name: one, anyCase: false }))
}

function ofParts(name: string, parts: readonly string[], about: About): Omit<SoughtName, 'person'>[] {
  const words = parts.filter((part) => /\p{L}{2}/u.test(part))
  if (words.length === 0) return []
  const isId = !/\s/u.test(name)
  const spaced = isId && words.length > 1 ? [parts.join(' ')] : []
  if (about.isHandle || mayBePerson(words, about)) return [name, ...spaced].map((one) => ({ name: one, anyCase: true }))
  // "Will May" is two words as well: as a name they are written so.
  const isCapitalised = parts.every((part) => capital.test(part)) && !words.every((word) => isRole(word))
  return isCapitalised && !isId ? [{ name, anyCase: false }] : []
}

function ofWord(name: string, { isHandle, classOf }: About): Omit<SoughtName, 'person'>[] {
  const letters = (name.match(/\p{L}/gu) ?? []).length
  if (letters < 2 || noName.has(name.toLowerCase())) return []
  if (isHandle) return [{ name, anyCase: letters > 2 }]
  if (capital.test(name)) {
    // What begins with a capital and has three letters is looked for as a word of a name is.
    if (letters === 2) return shortWords.has(name.toLowerCase()) ? [] : [{ name, anyCase: false }]
    return /^\p{Lu}[\p{L}\p{M}'’]+$/u.test(name) || classOf(name) === 'ordinary' ? [] : [{ name, anyCase: true }]
  }
  return letters < 3 || classOf(name) === 'ordinary' ? [] : [{ name, anyCase: true }]
}

function mayBePerson(words: readonly string[], { classOf }: About): boolean {
  const classes = words.map((word) => (noName.has(word.toLowerCase()) ? 'ordinary' : classOf(word)))
  return classes.includes('name') || !classes.includes('ordinary')
}

const roles =
  /^(?:user|human|assistant|agent|system|developer|tool|function|model|bot|ai|code|test|web|file|search|data|main|sub|chat|support|helper|service|server|team|reviewer|runner|writer|reader|planner|manager)s?$/iu
function isRole(word: string): boolean {
  return roles.test(word) || noName.has(word.toLowerCase())
}
