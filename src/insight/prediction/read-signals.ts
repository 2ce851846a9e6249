/** A turn of the conversation, as far as it is read. */
export interface Turn {
  readonly seq: number
  readonly role: string
  readonly text: string
}

/** What makes something worth recalling: the newest turns, what was asked and is open, the things that were named. */
export type SignalKind = 'turns' | 'question' | 'names'

/** One search for what may be needed next. */
export interface Signal {
  readonly kind: SignalKind
  readonly text: string
}

const turnsRead = 4
const turnCharacters = 1_000
const questionsMax = 3
const questionCharacters = 300
const namesMax = 16
/** "Yes, go on" is less. */
const tellingCharacters = 24

/**
 * Paths and file names: with a folder, or with an extension that starts with a letter. A path begins where what could be its name
 * begins: to try each letter of it would take time in the square of a long word.
 */
const filePattern = /(?<![\w.@~-])(?:[\w.@~-]+\/)+[\w.@-]+|\b[\w-]+\.[A-Za-z]\w{0,4}\b/gu
/** The line of an error as programs print it, and codes as E404, TS2345, ECONNREFUSED. */
const errorPattern =
  /\b\w{2,}(?:Error|Exception)\b(?::[^\n]{1,80})?|\b(?:Error|Exception): [^\n]{4,80}|\bE[A-Z]{4,}\b|\b[A-Z]{1,4}\d{3,5}\b/gu
/** Names as code has them: camelCase, PascalCase, snake_case, kebab-case with three parts, and what stands in backticks. */
const identifierPattern =
  /\b[a-z]+(?:[A-Z][a-z\d]+)+\b|\b(?:[A-Z][a-z\d]+){2,}\b|\b\w+_\w+\b|\b[a-z]+(?:-[a-z]+){2,}\b/gu
const quotedPattern = /`([^`\n]{2,60})`/gu
const questionPattern = /[^.!?\n]{8,}\?/gu

/** Names in a text that another message could name too: files, errors, identifiers. Each once, in their order. */
export function namesIn(text: string): string[] {
  const found = [filePattern, errorPattern, identifierPattern].flatMap((pattern) => text.match(pattern) ?? [])
  const quoted = [...text.matchAll(quotedPattern)].map(([, name]) => name ?? '')
  return [...new Set([...found, ...quoted].map((name) => name.trim()).filter(({ length }) => length > 3))]
}

/**
 * What the newest turns of a conversation point to. The last turns as they are, then the questions nobody has answered yet, then
 * the names that were used last, those of the last turns first and of several the most frequent.
 */
export function readSignals(turns: readonly Turn[]): Signal[] {
  const spoken = spokenOf(turns)
  const newest = spoken.slice(-turnsRead).map(({ text }) => text.slice(0, turnCharacters))
  const asked = spoken.filter(({ role }) => role === 'user').at(-1)
  const questions = [...(asked?.text.matchAll(questionPattern) ?? [])]
    .map(([question]) => question.trim().slice(0, questionCharacters))
    .slice(-questionsMax)
  const signals: Signal[] = [
    { kind: 'turns', text: newest.join('\n') },
    {
      kind: 'question',
      text: questions.length > 0 ? questions.join('\n') : (asked?.text.slice(0, turnCharacters) ?? ''),
    },
    { kind: 'names', text: latestNames(turns).join(' ') },
  ]
  return signals.filter(saysSomething)
}

/**
 * What is compared by meaning, once for all signals: what the user said last, behind what was said before it where that is too short
 * to tell what is meant. Undefined where no word was spoken.
 */
export function newestWords(turns: readonly Turn[]): string | undefined {
  const spoken = spokenOf(turns).filter(saysSomething)
  const asked = spoken.findLastIndex(({ role }) => role === 'user')
  const at = asked === -1 ? spoken.length - 1 : asked
  const [before, last] = [spoken[at - 1]?.text, spoken[at]?.text]
  if (before === undefined || last === undefined || last.trim().length >= tellingCharacters) return last
  return `${before.slice(-turnCharacters)}\n${last}`
}

const saysSomething = ({ text }: { readonly text: string }) => /[\p{L}\p{N}]/u.test(text)

const spokenOf = (turns: readonly Turn[]) => turns.filter(({ role }) => role === 'user' || role === 'assistant')

/** A name counts the more the later it was used, and each time that it was. */
function latestNames(turns: readonly Turn[]): string[] {
  const weights = new Map<string, number>()
  for (const [at, { text }] of turns.entries())
    for (const name of namesIn(text.slice(0, 4 * turnCharacters)))
      weights.set(name, (weights.get(name) ?? 0) + (at + 1) / turns.length)
  return [...weights]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, namesMax)
    .map(([name]) => name)
}
