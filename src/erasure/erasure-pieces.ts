import type { Stretch } from '../store/erasure/erasure-plan.ts'
import type { Piece } from '../store/erasure/piece.ts'

export interface PieceBounds {
  /** Of the session. */
  readonly lastSeq: number
  readonly messagesMax: number
  /** The piece goes no further than this number. */
  readonly upTo?: number
}

/** The next messages to be worked on, within bounds, and the stretches that are left. Undefined where nothing is. */
export function nextPiece(
  stretches: readonly Stretch[],
  { lastSeq, messagesMax, upTo = lastSeq }: PieceBounds,
): { readonly piece: Piece; readonly rest: readonly Stretch[] } | undefined {
  const open = stretches.flatMap(([first, last]): Stretch[] =>
    first > lastSeq ? [] : [[first, Math.min(last, lastSeq)]],
  )
  const taken: Stretch[] = []
  let room = messagesMax
  for (const [first, last] of open) {
    if (room === 0 || first > upTo) break
    const end = Math.min(last, first + room - 1, upTo)
    taken.push([first, end])
    room -= end - first + 1
  }
  const [begin] = taken
  const end = taken.at(-1)
  if (begin === undefined || end === undefined) return undefined
  const piece = { first: begin[0], last: end[1] }
  const only = taken.length === 1 ? {} : { only: taken.flatMap(numbersOf) }
  const rest = open.flatMap(([first, last]): Stretch[] => (last <= end[1] ? [] : [[Math.max(first, end[1] + 1), last]]))
  return { piece: { ...piece, ...only }, rest }
}

function numbersOf([first, last]: Stretch): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}
