/** A place in a text that matched, as UTF-16 offsets: [start, end). */
export interface Match {
  readonly start: number
  readonly end: number
  /** Which word of the query it is of: places of one word say little beyond the first. Absent: it counts for itself. */
  readonly word?: string
  /** How much it counts, a whole number; default 1. */
  readonly weight?: number
}

export interface Excerpt {
  /** The text from `start` to `end`, with `…` at each side that was cut. */
  readonly text: string
  readonly truncated: boolean
  readonly start: number
  readonly end: number
}

const ellipsis = '…'
/** How far a cut may move to reach the border of a word; text without spaces is cut between two characters instead. */
const borderSearchCharacters = 40

/**
 * Cuts a text to `maxCharacters` (ellipses included) around the place where most of the query stands together, at the borders of
 * words, never inside a surrogate pair or between a letter and its marks. Text that fits is given whole.
 */
export function excerpt(text: string, matches: readonly Match[], options: { readonly maxCharacters: number }): Excerpt {
  const maxCharacters = Math.max(0, Math.floor(options.maxCharacters))
  if (text.length <= maxCharacters) return { text, truncated: false, start: 0, end: text.length }
  const room = maxCharacters - 2 * ellipsis.length
  if (room <= 0) return { text: maxCharacters > 0 ? ellipsis : '', truncated: true, start: 0, end: 0 }
  const { from, to } = densestWindow(matches, room)
  const slack = room - Math.min(room, to - from)
  const wanted = Math.max(0, Math.min(from - Math.floor(slack / 2), text.length - room))
  const start = wanted === 0 ? 0 : borderAfter(text, wanted, from)
  const limit = Math.min(text.length, start + room)
  const end =
    limit === text.length ? limit : Math.max(start, borderBefore(text, limit, Math.max(start, Math.min(to, limit))))
  const body = text.slice(start, end)
  return {
    text: `${start > 0 ? ellipsis : ''}${body}${end < text.length ? ellipsis : ''}`,
    truncated: true,
    start,
    end,
  }
}

/** What the first place of a word in a stretch counts beside what each of them does. */
const firstPlace = 20

/** The stretch of at most `room` characters that shows most of the query; of equals the first. The start of the text for none. */
function densestWindow(matches: readonly Match[], room: number): { readonly from: number; readonly to: number } {
  const sorted = matches.toSorted((a, b) => a.start - b.start || a.end - b.end)
  let best = { from: sorted[0]?.start ?? 0, to: sorted[0]?.end ?? 0, score: 0 }
  // One weight for the first place of a word, whichever of its places that is: what comes in must be what goes out.
  const wordWeights = new Map<string | Match, number>()
  for (const match of sorted) {
    const word = match.word ?? match
    wordWeights.set(word, Math.max(wordWeights.get(word) ?? 0, match.weight ?? 1))
  }
  const places = new Map<string | Match, number>()
  let score = 0
  const count = (match: Match, change: 1 | -1): void => {
    const word = match.word ?? match
    const before = places.get(word) ?? 0
    places.set(word, before + change)
    const isFirst = Math.min(before, before + change) === 0
    score += change * ((match.weight ?? 1) + (isFirst ? firstPlace * (wordWeights.get(word) ?? 1) : 0))
  }
  let first = 0
  let to = 0
  for (const match of sorted) {
    count(match, 1)
    to = Math.max(to, match.end)
    for (
      let left = sorted[first];
      left !== undefined && left !== match && to - left.start > room;
      left = sorted[++first]
    )
      count(left, -1)
    if (score > best.score) best = { from: sorted[first]?.start ?? 0, to, score }
  }
  return best
}

/** The first border of a word at or after `at`, no further than `atMost`. */
function borderAfter(text: string, at: number, atMost: number): number {
  const furthest = Math.max(at, Math.min(atMost, at + borderSearchCharacters))
  for (let place = at; place <= furthest; place++) {
    if (place > 0 && isSpaceAt(text, place - 1) && !isSpaceAt(text, place)) return place
  }
  let place = at
  while (place < text.length && !isCharacterBorder(text, place)) place++
  return place
}

/** The last border of a word at or before `at`, no further back than `atLeast`. */
function borderBefore(text: string, at: number, atLeast: number): number {
  const furthest = Math.max(atLeast, at - borderSearchCharacters)
  for (let place = at; place >= furthest && place > 0; place--) {
    if (isSpaceAt(text, place) && !isSpaceAt(text, place - 1)) return place
  }
  let place = at
  while (place > 0 && !isCharacterBorder(text, place)) place--
  return place
}

function isSpaceAt(text: string, at: number): boolean {
  return /\s/u.test(text.charAt(at))
}

const joinsBackwards = /^[\p{M}\p{Emoji_Modifier}\u{200d}\u{1160}-\u{11ff}\u{ff9e}\u{ff9f}\u{e0020}-\u{e007f}]/u

/** Whether a text may be cut before `at`: not in a surrogate pair, before a mark or a joiner, after a joiner, or in CR LF. */
function isCharacterBorder(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return true
  const before = text.charCodeAt(at - 1)
  const after = text.charCodeAt(at)
  if (before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff) return false
  if (before === 0x200d || (before === 0x0d && after === 0x0a)) return false
  return !joinsBackwards.test(text.slice(at, at + 2))
}
