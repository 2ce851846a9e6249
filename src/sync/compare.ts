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
  /**
   * What both have, and the second is to have as the first has it, by its numbers at the first; and the other way round. It was anonymised at both, there
   * later, or its place alone is there.
   */
  readonly betterOurs: readonly Missing[]
  readonly betterTheirs: readonly Missing[]
  /** Messages that are erased or anonymised at one of the two, and not at the other. */
  readonly apart: number
}

const alike: Difference = { onlyOurs: [], onlyTheirs: [], betterOurs: [], betterTheirs: [], apart: 0 }

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
  const betterOurs = both.filter(({ here, there }) => isBetter(here, there))
  const betterTheirs = both.filter(({ here, there }) => isBetter(there, here))
  return {
    onlyOurs: stretchesOf(ours.filter(({ id }) => !other.has(id))),
    onlyTheirs: stretchesOf(theirs.filter(({ id }) => !own.has(id))),
    betterOurs: stretchesOf(betterOurs.map(({ here }) => here)),
    betterTheirs: stretchesOf(betterTheirs.map(({ there }) => there)),
    apart: both.length - betterOurs.length - betterTheirs.length,
  }
}

function isSame(a: MessageMark, b: MessageMark): boolean {
  return a.content === b.content && a.anonymizedAt === b.anonymizedAt
}

/** Whether what one store has of a message is to be had by another one that has something else. */
function isBetter(one: MessageMark, other: MessageMark): boolean {
  if (other.isOpen === true) return one.content !== 'erased'
  if (one.anonymizedAt === undefined || other.anonymizedAt === undefined) return false
  return one.anonymizedAt < other.anonymizedAt
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
