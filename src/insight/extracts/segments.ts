import type { Stretch } from './sample-stretches.ts'

/** Messages of a segment: enough for what was said and what was answered, and few to read again where one of them changes. */
export const segmentMessages = 100
/** How a conversation stands is in its newest messages: a tenth of what is read. */
const newestShare = 10

/** The segments of a session from its first message to another, by number; the last may be shorter, and none is empty. */
export function segmentAt(index: number, toSeq: number): Stretch {
  const fromSeq = index * segmentMessages + 1
  return { fromSeq, toSeq: Math.min(fromSeq + segmentMessages - 1, toSeq) }
}

/** In which segment a message is, from 0. */
export function segmentOf(seq: number): number {
  return Math.floor((seq - 1) / segmentMessages)
}

/**
 * Which of the first `count` segments stand for all of them, `segmentsMax` at most: the newest tenth, and others that are spread over
 * the older ones, in the newer part of these up to twice as dense. With one more segment none is among them that was not
 * before, except for that one: what was condensed is never read again because a session has grown.
 */
export function sampleSegments(count: number, segmentsMax: number): readonly number[] {
  const all = Array.from({ length: count }, (_, index) => index)
  if (count <= segmentsMax) return all
  const newest = Math.floor(segmentsMax / newestShare)
  const older = all.slice(0, count - newest)
  const room = segmentsMax - newest
  let stride = 1
  while (Math.ceil(older.length / (2 * stride)) > room) stride *= 2
  const sparse = older.filter((index) => index % (2 * stride) === 0)
  const between = older.filter((index) => index % (2 * stride) === stride)
  const dense = sparse.length < room ? between.slice(-(room - sparse.length)) : []
  return [...[...sparse, ...dense].toSorted((a, b) => a - b), ...all.slice(count - newest)]
}
