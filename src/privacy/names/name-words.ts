/** A word of a name: a capital, then letters; initials; Mc, O’, hyphens. */
const capitalised = "\\p{Lu}[\\p{L}\\p{M}'’]{0,30}(?:-\\p{Lu}?[\\p{L}\\p{M}'’]{1,30}){0,2}"
const initials = '(?:\\p{Lu}\\.[ -]?){1,3}'
const particles =
  '(?:van|von|vom|zu|de|del|della|der|den|di|da|dos|das|du|la|le|el|al|bin|ibn|ben|bint|ter|ten|af|av|zur|y|e)'

/** One name, of one to six words on one line. */
export const nameSource = `(?:${initials})?(?:${capitalised}|${initials})(?: (?:${particles} ){0,2}(?:${initials})?(?:${capitalised}|\\p{Lu}\\.(?= ))){0,5}`

/** Capitalised words that are no name, though they stand where one may. */
export const noName = new Set(
  'the this that these those there here it he she they we you i a an and or but if when where who what why how yes no not please thanks thank hello hi hey dear sir madam president judge court government minister ministry commission convention article section rule act law state republic kingdom applicant agent counsel mr mrs ms miss dr prof monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december'.split(
    ' ',
  ),
)
