import type { Page } from './session-page.ts'

/**
 * The end of a session, at most so many messages of it. A page has room for so much and begins with the oldest, so that it begins
 * later where it would not come to the end: as early as it may, which halving finds in few readings.
 */
export async function lastPage(
  read: (fromSeq: number) => Promise<Page>,
  { lastSeq, count }: { readonly lastSeq: number; readonly count: number },
): Promise<Page> {
  let tooEarly = Math.max(1, lastSeq - count + 1)
  const all = await read(tooEarly)
  if (all.next === undefined) return all
  let from = Math.max(lastSeq, tooEarly)
  let page = await read(from)
  while (from - tooEarly > 1) {
    const between = tooEarly + Math.floor((from - tooEarly) / 2)
    const longer = await read(between)
    if (longer.next === undefined) [from, page] = [between, longer]
    else tooEarly = between
  }
  return page
}
