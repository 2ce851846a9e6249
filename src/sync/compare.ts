import { marksAtOnce, type MessageMark } from './marks.ts'
import type { Peer } from './peer.ts'

/** Messages by number that the other store has not, both ends included; each stretch is whole. */
export interface Missing {
  readonly from: number
  readonly to: number
}

/** In what the messages of a session differ at two stores. */
export interface Difference {
  /** What the second has not, by its numbers at the first, and the other way round. */
  readonly onlyOurs: readonly Missing[]
  readonly onlyTheirs: readonly Missing[]
  /** What was anonymised at both, and earlier there than here, by its numbers there; and the other way round. */
  readonly earlierOurs: readonly Missing[]
  readonly earlierTheirs: readonly Missing[]
  /** Messages that are erased or anonymised at one of the two, and not at the other. */
  readonly apart: number
}

const alike: Difference = { onlyOurs: [], onlyTheirs: [], earlierOurs: [], earlierTheirs: [], apart: 0 }

/** Compares the messages of a session from a number on, up to which both are known to have the same. */
export async function compareMessages(
  [ours, theirs]: readonly [Peer, Peer],
  session: string,
  from: number,
): Promise<Difference> {
  const [own, other] = await Promise.all(
    [ours, theirs].map(async (peer) => (await peer.ask('digests', { session, from })).answer.digests),
  )
  if (own === undefined || other === undefined) return alike
  const first = own.findIndex((digest, index) => digest !== other[index])
  if (first === -1 && own.length === other.length) return alike
  const start = from + (first === -1 ? own.length : first) * marksAtOnce
  const [a, b] = await Promise.all([ours, theirs].map((peer) => allMarks(peer, session, start)))
  return a === undefined || b === undefined ? alike : differenceOf(a, b)
}

async function allMarks(peer: Peer, session: string, from: number): Promise<MessageMark[]> {
  const all: MessageMark[] = []
  for (let next = from; ;) {
    const { marks } = (await peer.ask('marks', { session, from: next })).answer
    all.push(...marks)
    const last = marks.at(-1)
    if (last === undefined || marks.length < marksAtOnce) return all
    next = last.seq + 1
  }
}

function differenceOf(ours: readonly MessageMark[], theirs: readonly MessageMark[]): Difference {
  const [own, other] = [ours, theirs].map((marks) => new Map(marks.map((mark) => [mark.id, mark])))
  if (own === undefined || other === undefined) return alike
  const both = ours.flatMap((mark) => {
    const there = other.get(mark.id)
    return there === undefined || isSame(mark, there) ? [] : [{ here: mark, there }]
  })
  const settled = both.filter(
    ({ here, there }) =>
      here.anonymizedAt !== undefined && there.anonymizedAt !== undefined && here.anonymizedAt !== there.anonymizedAt,
  )
  const isEarlierHere = ({ here, there }: (typeof both)[number]) =>
    (here.anonymizedAt ?? '') < (there.anonymizedAt ?? '')
  return {
    onlyOurs: stretchesOf(ours.filter(({ id }) => !other.has(id))),
    onlyTheirs: stretchesOf(theirs.filter(({ id }) => !own.has(id))),
    earlierOurs: stretchesOf(settled.filter(isEarlierHere).map(({ here }) => here)),
    earlierTheirs: stretchesOf(settled.filter((pair) => !isEarlierHere(pair)).map(({ there }) => there)),
    apart: both.length - settled.length,
  }
}

function isSame(a: MessageMark, b: MessageMark): boolean {
  return a.content === b.content && a.anonymizedAt === b.anonymizedAt
}

/** Numbers that follow on each other, as stretches. They come in order. */
function stretchesOf(marks: readonly MessageMark[]): Missing[] {
  const stretches: { from: number; to: number }[] = []
  for (const { seq } of marks) {
    const last = stretches.at(-1)
    if (last !== undefined && seq === last.to + 1) last.to = seq
    else stretches.push({ from: seq, to: seq })
  }
  return stretches
}
