/** A message with the one that it was saved after. */
export interface Link {
  readonly id: string
  /** Undefined where it was saved after none. */
  readonly follows: string | undefined
  /** ISO 8601. */
  readonly savedAt: string
}

function byTime(a: Link, b: Link): number {
  if (a.savedAt !== b.savedAt) return a.savedAt < b.savedAt ? -1 : 1
  return a.id < b.id ? -1 : 1
}

/**
 * The one order in which every store has the same messages, whichever came to it first. Where each was saved after the one before
 * it, that is the order in which they were saved. Where two stores went on apart from the same message, the messages form a
 * tree: what was said at one store stays together, behind what it was an answer to, and the line that began earlier comes first. This is
 * a depth-first traversal, of a tree that only grows, whose siblings have an order of their own: so stores that know the
 * same messages have them in the same order (a replicated tree, as in Kleppmann et al., "A highly-available move operation for
 * replicated trees", 2021, without moves).
 *
 * `root` is the message that all of them come after, directly or not; what does not come after it is left out.
 */
export function canonicalOrder<T extends Link>(root: string | undefined, links: readonly T[]): T[] {
  const children = new Map<string | undefined, T[]>()
  for (const link of links) {
    const known = children.get(link.follows)
    if (known === undefined) children.set(link.follows, [link])
    else known.push(link)
  }
  const ordered: T[] = []
  // What is still to be visited, the next one last.
  const waiting = siblingsOf(children, root)
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    ordered.push(next)
    waiting.push(...siblingsOf(children, next.id))
  }
  return ordered
}

function siblingsOf<T extends Link>(children: ReadonlyMap<string | undefined, T[]>, parent: string | undefined): T[] {
  return (children.get(parent) ?? []).toSorted((a, b) => byTime(b, a))
}
