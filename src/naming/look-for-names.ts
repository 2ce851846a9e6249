import { limits } from '../limits.ts'
import type { FoundName } from '../model/names.ts'
import type { NameFinder, NamesInText } from '../ports/name-finder.ts'
import { ProviderError } from '../ports/provider-error.ts'
import { usableNames } from '../privacy/names/usable-names.ts'
import { withoutSecrets } from '../privacy/without-secrets.ts'

const hasWord = /\p{L}{2}/u

/**
 * What a model names in each of some texts of one session, as far as it can be used; undefined where it gave no usable answer. What one
 * text names is looked for in all of them, as they stand. Give texts whole: a secret that is cut in two is taken for none. The model
 * is given the beginning of a long one. What the model did not come to is left out at the end; the first text it always did. Throws
 * ProviderError, `malformed` where there is no usable answer for any, and the reason of the signal where that is aborted.
 */
export async function lookForNames(
  finder: NameFinder,
  texts: readonly string[],
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly (NamesInText | undefined)[]> {
  const shown = texts.map((text) => shownTo(finder, text))
  const pieces = shown.flatMap(({ text }, of) =>
    (hasWord.test(text) ? piecesOf(text, finder.pieceCharactersMax) : []).map((piece) => ({ of, piece })),
  )
  const given = await ask(finder, pieces, signal)
  if (given.length > 0 && given.every((one) => one === undefined)) throw new ProviderError(finder.provider, 'malformed')
  const names = unique(given.flatMap((one) => one?.names ?? []))
  // Of a text that was not come to the end of nothing is said.
  const asked = texts.slice(0, pieces[given.length]?.of ?? texts.length)
  return asked.map((text, index) => {
    const own = given.filter((_names, at) => pieces[at]?.of === index)
    if (own.length > 0 && own.every((one) => one === undefined)) return undefined
    const isWhole = shown[index]?.isWhole === true && own.every((one) => one?.isWhole === true)
    return { names: usableNames(text, names), isWhole }
  })
}

/** Texts that are asked about together have all names of each other. */
function unique(names: readonly FoundName[]): FoundName[] {
  return [...new Map(names.map((one) => [`${one.type} ${one.name}`, one])).values()]
}

/** What a model is given of a text, and whether that is all of it. */
function shownTo({ isRemote }: NameFinder, whole: string): { readonly text: string; readonly isWhole: boolean } {
  const readable = isRemote ? withoutSecrets(whole) : whole
  const text = readable.slice(0, limits.namedMessageCharactersMax)
  return { text, isWhole: text.length === readable.length }
}

interface Piece {
  /** The number of its text. */
  readonly of: number
  readonly piece: string
}

/** As many pieces at once as a call takes, up to where the finder leaves something for another time. */
async function ask(
  finder: NameFinder,
  pieces: readonly Piece[],
  signal: AbortSignal,
): Promise<readonly (NamesInText | undefined)[]> {
  const given: (NamesInText | undefined)[] = []
  const first = pieces.filter(({ of }) => of === pieces[0]?.of).length
  for (const batch of batchesOf(pieces.map(({ piece }) => piece))) {
    let rest = batch
    while (rest.length > 0) {
      const found = await finder.find(rest, { signal })
      given.push(...found)
      rest = rest.slice(found.length)
      if (rest.length > 0 && given.length >= first) return given
    }
  }
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
function piecesOf(text: string, charactersMax: number): string[] {
  const pieces: string[] = []
  let rest = text
  while (rest.length > charactersMax) {
    const part = rest.slice(0, charactersMax)
    const end = Math.max(part.lastIndexOf('\n'), part.lastIndexOf('. ') + 1)
    const cut = end > part.length / 2 ? end : Math.max(part.lastIndexOf(' '), part.length / 2)
    pieces.push(rest.slice(0, cut))
    rest = rest.slice(cut)
  }
  pieces.push(rest)
  return pieces
}
