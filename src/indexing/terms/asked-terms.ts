import type { TermHasher } from './terms.ts'

const someone = String.raw`(?:[Ii]|you|we|he|she|they|\p{Lu}[\p{L}'’-]+)`
const owners = String.raw`(?:[Mm]y|[Yy]our|[Hh]is|[Hh]er|[Tt]heir|\p{Lu}\p{L}+['’]s)`
const asking = (pattern: string) => new RegExp(String.raw`(?<!\p{L})(?:${pattern})(?!\p{L})`, 'u')

/**
 * What people ask for by other words than those in which it is told, by what it answers: who moved to Porto lives there. Words alone of
 * such a question are of others too: "the nightly job", "live reload", "the name of the file", "it eats all memory".
 */
const questions: readonly { readonly slots: readonly string[]; readonly asked: RegExp }[] = [
  {
    slots: ['home'],
    asked: asking(
      String.raw`(?:[Ww]here|(?:[Ww]hich|[Ww]hat) (?:city|town|village|country|place))(?: (?:do|does|did|am|are|is))? ${someone}(?: (?:am|are|is|now|currently|still))? (?:live|lives|living)`,
    ),
  },
  {
    slots: ['name', 'first name', 'nickname'],
    asked: asking(
      String.raw`${owners} (?:first |full |real )?(?:nick)?name|[Ww]ho am [Ii]|[Ww]hat (?:do|should|can) ${someone} call (?:me|you|him|her|them)`,
    ),
  },
  {
    slots: ['occupation'],
    asked: asking(
      String.raw`${owners} job|(?:[Ww]hich|[Ww]hat) job (?:do|does) ${someone} have|${someone} do for (?:a living|work)|profession|occupation`,
    ),
  },
  {
    slots: ['diet'],
    asked: asking(String.raw`${owners} diet|(?:[Dd]o|[Dd]oes|[Cc]an|[Mm]ay|[Ss]hould) ${someone}(?: not)? eat`),
  },
  { slots: ['am married'], asked: asking(String.raw`(?:[Aa]m|[Aa]re|[Ii]s) ${someone} married`) },
]

const askedTerm = (slots: readonly string[], hasher: TermHasher) => hasher(`asked\0${slots[0]}`)

/** What a text asks for of which facts may tell in other words, hashed. */
export function askedTerms(text: string, hasher: TermHasher): bigint[] {
  return questions.filter(({ asked }) => asked.test(text)).map(({ slots }) => askedTerm(slots, hasher))
}

/** What a fact answers, hashed as in `askedTerms`. */
export function answeredTerms(slot: string | undefined, hasher: TermHasher): bigint[] {
  const of = slot?.slice(slot.lastIndexOf('|') + 1) ?? ''
  return questions.filter(({ slots }) => slots.includes(of)).map(({ slots }) => askedTerm(slots, hasher))
}
