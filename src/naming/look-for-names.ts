import { limits } from '../limits.ts'
import type { NameFinder, NamesInText } from '../ports/name-finder.ts'
import { ProviderError } from '../ports/provider-error.ts'
import { usableNames } from '../privacy/names/usable-names.ts'
import { withoutSecrets } from '../privacy/without-secrets.ts'

const hasWord = /\p{L}{2}/u

/**
 * What a model names in each of some texts of one session, as far as it can be used; undefined where it gave no usable answer. What one
 * text names is looked for in all of them, as they stand. Give texts whole: a secret that is cut in two is taken for none. The model
 * is given the beginning of a long one. Throws ProviderError, `malformed` where there is no usable answer for any.
 */
export async function lookForNames(
  finder: NameFinder,
  texts: readonly string[],
): Promise<readonly (NamesInText | undefined)[]> {
  const shown = texts.map((text) => shownTo(finder, text))
  const pieces = shown.flatMap(({ text }, of) =>
    (hasWord.test(text) ? piecesOf(text) : []).map((piece) => ({ of, piece })),
  )
  const given = await ask(
    finder,
    pieces.map(({ piece }) => piece),
  )
  if (given.length > 0 && given.every((names) => names === undefined))
    throw new ProviderError(finder.provider, 'malformed')
  const names = given.flatMap((one) => one?.names ?? [])
  return texts.map((text, index) => {
    const own = given.filter((_names, at) => pieces[at]?.of === index)
    if (own.length > 0 && own.every((one) => one === undefined)) return undefined
    const isWhole = shown[index]?.isWhole === true && own.every((one) => one?.isWhole === true)
    return { names: usableNames(text, names), isWhole }
  })
}

/** What a model is given of a text, and whether that is all of it. */
function shownTo({ isRemote }: NameFinder, whole: string): { readonly text: string; readonly isWhole: boolean } {
  const readable = isRemote ? withoutSecrets(whole) : whole
  const text = readable.slice(0, limits.namedMessageCharactersMax)
  return { text, isWhole: text.length === readable.length }
}

/** As many pieces at once as a call takes. */
async function ask(finder: NameFinder, pieces: readonly string[]): Promise<readonly (NamesInText | undefined)[]> {
  const given: (NamesInText | undefined)[] = []
  // Of each call; the finder bounds it by itself.
  const { signal } = new AbortController()
  for (const batch of batchesOf(pieces)) given.push(...(await finder.find(batch, { signal })))
  return given
}

function batchesOf(pieces: readonly string[]): string[][] {
  const batches: string[][] = []
  let characters = Infinity
  for (const piece of pieces) {
    characters += piece.length
    if (characters > limits.namesCallCharactersMax) {
      batches.push([])
      characters = piece.length
    }
    batches.at(-1)?.push(piece)
  }
  return batches
}

/** A long text in pieces that end with a line, a sentence or a word. */
function piecesOf(text: string): string[] {
  const pieces: string[] = []
  let rest = text
  while (rest.length > limits.namesCallCharactersMax) {
    const part = rest.slice(0, limits.namesCallCharactersMax)
    const end = Math.max(part.lastIndexOf('\n'), part.lastIndexOf('. ') + 1)
    const cut = end > part.length / 2 ? end : Math.max(part.lastIndexOf(' '), part.length / 2)
    pieces.push(rest.slice(0, cut))
    rest = rest.slice(cut)
  }
  pieces.push(rest)
  return pieces
}
