import type { Page } from './session-page.ts'

/**
 * The end of a session, at most so many messages of it. A page has room for so much and begins with the oldest, so that it begins
 * later where it would not come to the end: as early as it may, which halving finds in few readings. What is not shown (in some
 * views events, and messages without a text) has numbers too: a page that comes to the end with fewer messages begins earlier.
 */
export async function lastPage(
  read: (fromSeq: number) => Promise<Page>,
  { lastSeq, count }: { readonly lastSeq: number; readonly count: number },
): Promise<Page> {
  let from = Math.max(1, lastSeq - count + 1)
  let page = await read(from)
  let tooEarly = 0
  if (page.next !== undefined) {
    tooEarly = from
    from = lastSeq
    page = await read(from)
  }
  for (let span = 2 * count; tooEarly === 0 && from > 1 && page.messages.length < count; span *= 2) {
    const earlier = Math.max(1, lastSeq - span + 1)
    const longer = await read(earlier)
    if (longer.next === undefined) [from, page] = [earlier, longer]
    else tooEarly = earlier
  }
  while (tooEarly > 0 && from - tooEarly > 1 && page.messages.length < count) {
    const between = tooEarly + Math.floor((from - tooEarly) / 2)
    const longer = await read(between)
    if (longer.next === undefined) [from, page] = [between, longer]
    else tooEarly = between
  }
  return page
}
