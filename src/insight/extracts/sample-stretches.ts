/** Messages of a session by number, both ends included. */
export interface Stretch {
  readonly fromSeq: number
  readonly toSeq: number
}

/** Messages in a row that are read of a long stretch: enough for what was said and what was answered. */
const pieceMessages = 100
/** How a conversation stands is in its newest messages: a tenth of what is read. */
const newestShare = 10

/**
 * What is read of a stretch for a summary: all of it, or where it has more than `messagesMax` messages, pieces of it that are evenly
 * spread from its first message on, and its newest messages. In order, none twice.
 */
export function sampleStretches({ fromSeq, toSeq }: Stretch, messagesMax: number): readonly Stretch[] {
  const messages = toSeq - fromSeq + 1
  if (messages <= messagesMax) return [{ fromSeq, toSeq }]
  const newest = Math.floor(messagesMax / newestShare)
  const pieces = Math.floor((messagesMax - newest) / pieceMessages)
  const spread = (messages - newest - pieceMessages) / Math.max(1, pieces - 1)
  const starts = Array.from({ length: pieces }, (_, index) => fromSeq + Math.floor(index * spread))
  return [
    ...starts.map((start) => ({ fromSeq: start, toSeq: start + pieceMessages - 1 })),
    { fromSeq: toSeq - newest + 1, toSeq },
  ]
}
