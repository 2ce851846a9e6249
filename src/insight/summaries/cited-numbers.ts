/** Of one sentence; a range that is longer says nothing of where it comes from. */
export const citedMax = 20

const number = String.raw`#?\d{1,12}`
const inBetween = String.raw`(?:\s*[-–—,;&]\s*(?:and\s+)?|\s+(?:and|to)\s+)`
const list = String.raw`(?:(?:messages?|msgs?)\s+)?${number}(?:${inBetween}${number})*`
const inBrackets = String.raw`\[\s*${list}\s*\]`
const listAlone = new RegExp(`^(?:${list}|(?:${inBrackets}[,\\s]*)+)$`, 'iu')

/** "[12]", "[3, 5]", "[3-5]", "[messages 3 and 5]", "[3][5]": numbers of messages. Not what stands in brackets in code and in links. */
const citation = new RegExp(String.raw`(?<![\p{L}\p{N}_)\]])(?:${inBrackets})+(?!\()`, 'giu')

/** Numbers of messages that follow on each other; both ends included. */
export interface NumberRange {
  readonly first: number
  readonly last: number
}

/** What a text cites in brackets. What runs backwards says something else: "[3 to 1]" is how a vote went. */
export function rangesCited(text: string): readonly NumberRange[] {
  return (text.match(citation) ?? []).map(rangesIn).filter(runForward).flat()
}

/** A text without what it cites in brackets, as far as that is `meant`. */
export function withoutCitations(
  text: string,
  meant: (ranges: readonly NumberRange[]) => boolean = () => true,
): string {
  return text
    .replaceAll(new RegExp(String.raw`\s?${citation.source}`, citation.flags), (found) => {
      const ranges = rangesIn(found)
      return runForward(ranges) && meant(ranges) ? '' : found
    })
    .trim()
}

/** The ranges of a list of numbers, with or without brackets; undefined where the text is something else. */
export function rangesOfList(text: string): readonly NumberRange[] | undefined {
  if (!listAlone.test(text.trim())) return undefined
  const ranges = rangesIn(text)
  return runForward(ranges) ? ranges : undefined
}

function runForward(ranges: readonly NumberRange[]): boolean {
  return ranges.every(({ first, last }) => first <= last)
}

function rangesIn(text: string): NumberRange[] {
  return text.split(/[,;&\][]|\band\b/iu).flatMap((part) => {
    const [first, last = first] = (part.match(/\d+/gu) ?? []).map(Number)
    return first === undefined || last === undefined ? [] : [{ first, last }]
  })
}

/** Each number of some ranges once; undefined where those are more than a sentence may cite. */
export function numbersOf(ranges: readonly NumberRange[]): readonly number[] | undefined {
  const numbers = new Set<number>()
  for (const { first, last } of ranges) {
    if (last - first >= citedMax) return undefined
    for (let one = first; one <= last; one++) numbers.add(one)
  }
  return numbers.size > citedMax ? undefined : [...numbers]
}
