const word = /(?<![\p{L}\p{M}])\p{Ll}[\p{L}\p{M}'’]{2,30}/gu
/** An address of the web, one of a mail box with a name in quotes, or what stands together without a blank or a mark that only prose and code have. */
const runs = /[a-z][a-z\d+.-]{1,20}:\/\/[^\s<>"]+|"[^"\n]{1,64}"@[^\s<>"]+|[\p{L}\p{M}\p{N}_.@#$%+/\\=’'-]+/giu
/** Quotes, the end of a sentence, and the marks of Markdown for what is stressed. */
const aroundRun = /^[_'’.-]+|[_'’.\\-]+$/gu
/**
 * What no word of prose has, of one run: signs of addresses, paths and user names, of what is assigned, a number, and a dot between letters, as
 * in `name.pdf`.
 */
const ofIdentifiers = /[@#$/\\=_\p{N}]|[\p{L}\p{M}]\.\p{L}/u

/**
 * The words that a text writes small. What stands in an e-mail address, an address of the web, a path, a user name or another identifier is
 * none: there a name is written small too, and is no ordinary word for that. `names` are words of names: joined by hyphens they are an identifier.
 */
export function smallWords(text: string, names: ReadonlySet<string>): ReadonlySet<string> {
  const prose = text.replace(runs, (run) => (isIdentifier(run, names) ? ' ' : run))
  return new Set([...prose.matchAll(word)].map(([found]) => found.replace(/['’]+$/u, '')))
}

function isIdentifier(run: string, names: ReadonlySet<string>): boolean {
  // With a sign that no run of letters has: one of the two forms of an address.
  if (/[:"]/u.test(run)) return true
  const bare = run.replace(aroundRun, '')
  if (ofIdentifiers.test(bare)) return true
  return bare.includes('-') && bare.split('-').filter((part) => names.has(capitalised(part))).length > 1
}

function capitalised(part: string): string {
  return part.charAt(0).toUpperCase() + part.slice(1)
}
